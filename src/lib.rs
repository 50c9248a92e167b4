//! gatepost: one binary that gives a small team its accounts and its mail.

pub mod address;
pub mod audit;
pub mod cli;
pub mod config;
pub mod events;
pub mod http;
pub mod id;
pub mod identity;
pub mod inbox;
pub mod language;
pub mod mail;
pub mod secret;
pub mod serve;
pub mod store;
pub mod world;
