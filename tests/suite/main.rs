//! The one integration-test binary: what users can see, tested through the doors they use.

mod api_accounts;
mod api_client;
mod api_guard;
mod api_inbox;
mod api_problems;
mod api_service;
mod capture;
mod cli;
mod config;
mod durability;
mod front_door;
mod harness;
mod hostile_mail;
mod identity;
mod layers;
mod openapi;
mod process;
mod smtp;
mod smtp_server;
mod store;
mod tidy;
