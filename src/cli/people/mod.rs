//! `gatepost user`, `session`, `token` and `timeline`: accounts and what belongs to them, through
//! the API of the gatepost that runs. What must not live here: what may be done to them.

mod session;
mod timeline;
mod token;
mod user;

use crate::world::World;

use super::screen;
use super::words::Voice;

pub use session::Command as SessionCommand;
pub use session::run as session;
pub use timeline::Args as TimelineArgs;
pub use timeline::run as timeline;
pub use token::Command as TokenCommand;
pub use token::run as token;
pub use user::Command as UserCommand;
pub use user::run as user;

/// A moment, as far away as it is.
fn away(voice: Voice, at: &str) -> String {
    screen::away(voice, at, World::system().now())
}

/// The same where there may be none.
fn away_if(voice: Voice, at: Option<&String>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| away(voice, at))
}
