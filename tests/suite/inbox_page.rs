//! The inbox in the browser, as a browser without JavaScript sees it.

mod door;
mod hostile;
mod list;
mod mail;
