//! The dashboard: every mail, token and failure of a gatepost, in a terminal. It is a client of
//! the HTTP API and of nothing else, so that the server in the same process and one far away are
//! looked at by the same road.
//!
//! It is built the Elm way: a model with all state and without I/O, a function that changes it on a
//! message and says what is to be done, a function that draws it, and at the rim the terminal and
//! the threads that talk HTTP.

pub mod ages;
pub mod clipboard;
pub mod columns;
pub mod effect;
pub mod keymap;
pub mod model;
pub mod msg;
pub mod open;
pub mod qr;
pub mod reader;
pub mod safe;
pub mod save;
pub mod settings;
pub mod theme;
pub mod twin;
pub mod update;
pub mod view;
pub mod words;

pub use model::Model;
pub use settings::Settings;
pub use update::update;
pub use view::view;
