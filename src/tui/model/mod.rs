//! All that the dashboard knows. What must not live here: I/O, the clock, drawing.

mod dialog;
mod link;
mod list;
mod place;
mod reading;
mod remembered;
mod row;
mod states;
mod ticks;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::About;
use crate::client::Query;
use crate::client::Stats;
use crate::world::Timestamp;

use super::effect::Act;
use super::effect::Effect;
use super::effect::Load;
use super::keymap;
use super::keymap::Places;
use super::msg::Note;
use super::settings::Settings;

pub use dialog::Ask;
pub use dialog::Confirm;
pub use dialog::Dialog;
pub use dialog::Pick;
pub use dialog::Purpose;
pub use link::Link;
pub use list::Fetch;
pub use list::List;
pub use list::Loading;
pub use list::PACE;
pub use list::PAGE;
pub use place::Looking;
pub use place::Place;
pub use reading::Reading;
pub use remembered::Looked;
pub use remembered::Remembered;
pub use row::Row;
pub use row::View;
pub use row::rows;
pub use states::states;

/// How long a note stays.
const NOTE: Duration = Duration::from_secs(6);

/// How long the server holds back a mail that was discarded.
pub const UNDO: Duration = Duration::from_secs(30);

/// What a request other than one for a list is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// The figures.
    Stats,
    /// A captured mail, by its number.
    Message(String),
    /// The newest captured mail, for its code.
    Newest,
    /// A captured mail's bytes.
    Raw(String),
    /// The attempts of a captured mail that is our own.
    Attempts(String),
    /// A captured mail's HTML, laid out.
    Html(String, u16),
    /// A mail of the outbox.
    Detail(String),
    /// Something is done to these.
    Act(Act, Vec<String>),
}

/// A discard that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The mails.
    pub ids: Vec<String>,
    /// Until when.
    pub until: Timestamp,
}

/// All that the dashboard knows.
#[derive(Debug)]
pub struct Model {
    /// How it is set up.
    pub settings: Settings,
    /// The last time that it was told.
    pub now: Timestamp,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// Who answers there.
    pub about: Option<About>,
    /// The figures.
    pub stats: Option<Stats>,
    /// Whether they are not those of now any more.
    pub stats_stale: bool,
    /// When they were last asked for.
    pub stats_asked: Option<Timestamp>,
    /// The connection.
    pub link: Link,
    /// Where the reader is, and how it came there: never empty.
    pub places: Vec<Place>,
    /// The views that are not open, as they were left.
    pub homes: BTreeMap<View, Place>,
    /// What takes the keys.
    pub dialog: Option<Dialog>,
    /// What is said at the foot, and until when.
    pub note: Option<(Note, Timestamp)>,
    /// What can be taken back, the last discard at the end.
    pub undo: Vec<Undo>,
    /// The name of a code or a link, and its secret.
    pub revealed: Option<(String, String)>,
    /// Whether the pane below the table is wanted.
    pub pane: bool,
    /// Whether the mouse is caught.
    pub mouse: bool,
    /// When the selected mail is asked for, unless the selection moves on.
    pub preview: Option<Timestamp>,
    /// The requests that are on their way.
    pub pending: BTreeMap<u64, Pending>,
    /// Whether something changed that is on the screen.
    pub dirty: bool,
    requests: u64,
}

impl Model {
    /// A dashboard of so many columns and rows, at `now`.
    pub fn new(settings: Settings, now: Timestamp, size: (u16, u16)) -> Model {
        let remembered = settings.remembered.clone();
        let view = remembered.view.unwrap_or_default();
        let mut model = Model {
            settings,
            now,
            size,
            about: None,
            stats: None,
            stats_stale: true,
            stats_asked: None,
            link: Link::Starting,
            places: Vec::new(),
            homes: BTreeMap::new(),
            dialog: None,
            note: None,
            undo: Vec::new(),
            revealed: None,
            pane: true,
            mouse: true,
            preview: None,
            pending: BTreeMap::new(),
            dirty: true,
            requests: 0,
        };
        for (view, looked) in &remembered.lists {
            let mut place = Place::new(*view);
            place.list = place.list.looked(looked);
            model.homes.insert(*view, place);
        }
        let view = match view {
            View::Timeline => View::Mail,
            view => view,
        };
        let home = model.homes.remove(&view);
        model.places.push(home.unwrap_or_else(|| Place::new(view)));
        model
    }

    /// What is to be done at the start.
    pub fn start(&mut self) -> Vec<Effect> {
        vec![Effect::Reconnect]
    }

    /// Where the reader is.
    pub fn place(&self) -> &Place {
        self.places.last().expect("there is always a place")
    }

    /// Where the reader is.
    pub fn place_mut(&mut self) -> &mut Place {
        self.places.last_mut().expect("there is always a place")
    }

    /// All places, those that are not open too.
    pub fn all_places(&mut self) -> impl Iterator<Item = &mut Place> {
        self.places.iter_mut().chain(self.homes.values_mut())
    }

    /// Where the keys go.
    pub fn spot(&self) -> Places {
        let place = self.place();
        if place.reads() {
            return keymap::READER;
        }
        if place.looks() {
            return keymap::DETAIL;
        }
        match place.view {
            View::Mail => keymap::MAIL,
            View::Overview | View::Outbox => keymap::OUTBOX,
            View::Tokens => keymap::TOKENS,
            View::Users => keymap::USERS,
            View::Sessions => keymap::SESSIONS,
            View::Audit => keymap::AUDIT,
            View::Routes => keymap::ROUTES,
            View::Log => keymap::LOG,
            View::Timeline => keymap::TIMELINE,
        }
    }

    /// Whether it is not development that is looked at.
    pub fn production(&self) -> bool {
        self.about.as_ref().is_some_and(|about| about.mode != "dev")
    }

    /// A number for a request.
    pub fn number(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// Asks for something that is no list.
    pub fn ask(&mut self, load: Load, pending: Pending) -> Effect {
        let request = self.number();
        self.pending.insert(request, pending);
        Effect::Load(request, load)
    }

    /// Asks for rows of the list of the place where the reader is.
    pub fn fetch(&mut self, fetch: Fetch) -> Effect {
        let (request, now) = (self.number(), self.now);
        let list = &mut self.place_mut().list;
        list.loading = Some(Loading { request, fetch });
        list.asked = Some(now);
        list.stale = false;
        let query: Query = list.query(fetch);
        Effect::Load(request, Load::Page(list.source, query))
    }

    /// Says something at the foot.
    pub fn say(&mut self, note: Note) {
        self.note = Some((note, self.now + NOTE));
        self.dirty = true;
    }

    /// Says the text called `key`, as it is.
    pub fn tell(&mut self, good: Option<bool>, key: &str) {
        let text = self.settings.words.say(key).to_owned();
        self.say(Note { good, text });
    }

    /// How it is to be found the next time.
    pub fn remembered(&self) -> Remembered {
        let mut remembered = Remembered {
            view: self.places.first().map(|place| place.view),
            ..Remembered::default()
        };
        let homes = self.homes.values().chain(self.places.first());
        for place in homes.filter(|place| place.view != View::Overview) {
            let look = place.list.look();
            if look != Looked::default() {
                remembered.lists.insert(place.view, look);
            }
        }
        remembered
    }
}
