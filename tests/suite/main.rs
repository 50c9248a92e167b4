//! The one integration-test binary: what users can see, tested through the doors they use.

mod capture;
mod config;
mod hostile_mail;
mod layers;
mod smtp;
mod store;
mod tidy;
