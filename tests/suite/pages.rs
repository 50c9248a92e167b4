//! The pages as a browser without JavaScript uses them: forms filled in and sent, cookies kept,
//! redirects followed.

mod account;
pub mod browser;
mod erasing;
mod forms;
mod language;
mod look;
mod moving;
mod recovery;
mod registration;
mod return_to;
mod scanner;
