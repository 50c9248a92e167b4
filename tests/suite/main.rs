//! The one integration-test binary: what users can see, tested through the doors they use.

mod capture;
mod cli;
mod config;
mod durability;
mod front_door;
mod harness;
mod hostile_mail;
mod identity;
mod layers;
mod process;
mod smtp;
mod smtp_server;
mod store;
mod tidy;
