//! The one integration-test binary: what users can see, tested through the doors they use.

mod config;
mod layers;
mod store;
mod tidy;
