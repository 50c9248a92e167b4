//! The dashboard: every mail, token and failure of a gatepost, in a terminal. It is a client of
//! the HTTP API and of nothing else, so that the server in the same process and one far away are
//! looked at by the same road.
//!
//! It is built the Elm way: a model with all state and without I/O, a function that changes it on a
//! message and says what is to be done, a function that draws it, and at the rim the terminal and
//! the threads that talk HTTP.

pub mod clipboard;
pub mod open;
pub mod qr;
pub mod reader;
pub mod safe;
pub mod save;
pub mod theme;
pub mod words;
