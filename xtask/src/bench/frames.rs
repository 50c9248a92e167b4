//! The rest of `bench dashboard`: one frame of it, from a key or an event to the bytes for the
//! terminal, in this process. The server is played: it has any number of rows and answers at once.

use std::io::Sink;
use std::time::{Duration, Instant};

use gatepost::client::{About, Mail, MessageSummary, Page, Stats};
use gatepost::language::Language;
use gatepost::tui::effect::{Effect, Load};
use gatepost::tui::model::{Row, View};
use gatepost::tui::msg::{Answer, Msg, Topic};
use gatepost::tui::settings::Raw;
use gatepost::tui::theme::Scheme;
use gatepost::tui::{Model, Settings, update, view};
use gatepost::world::Timestamp;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::report::{BUDGET, Cell, Report, Table, median};
use super::{Effort, Result};

/// Rows of each list.
const ROWS: u64 = 100_000;

/// Columns and rows of the terminal.
const SIZE: (u16, u16) = (120, 40);

/// Frames of each kind.
const FRAMES: u64 = 2_000;

/// Events that come between two frames, at 1 000 a second and 30 frames a second.
const EVENTS: u64 = 1_000 / 30;

/// What a frame costs.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        format!("One frame of 120×40 with {ROWS} rows in each list, to the bytes for the terminal"),
        &[
            "what",
            "median",
            "slowest of 100",
            "of an empty frame",
            BUDGET,
        ],
    );
    let frames = effort.scaled(FRAMES);
    report.progress(format_args!("{frames} frames of each kind"));
    let empty = figures(frames, |terminal| {
        terminal.draw(|_| {})?;
        Ok(())
    })?;
    let mut row = |what: &str, times: &[Duration]| {
        let middle = median(times);
        let mut sorted = times.to_vec();
        sorted.sort();
        let slow = sorted[sorted.len() * 99 / 100];
        let of_empty = middle.as_secs_f64() / median(&empty).as_secs_f64();
        let millis = slow.as_secs_f64() * 1e3;
        table.row([
            Cell::text(what),
            Cell::time(middle),
            Cell::time(slow),
            Cell::ratio(of_empty),
            Cell::at_most(millis, 5.0, "5 ms"),
        ]);
    };
    row("an empty frame", &empty);
    for (what, view) in [("captured mail", View::Mail), ("the outbox", View::Outbox)] {
        let mut played = Played::new(view)?;
        let moving = figures(frames, |terminal| {
            played.tell(Msg::Key(key('j')));
            played.draw(terminal)
        })?;
        row(&format!("{what}, moving down"), &moving);
        let mut played = Played::new(view)?;
        let storm = figures(frames, |terminal| {
            for _ in 0..EVENTS {
                played.tell(Msg::Event(Topic::Inbox));
                played.tell(Msg::Event(Topic::Outbox));
            }
            played.draw(terminal)
        })?;
        row(&format!("{what}, {EVENTS} events before each"), &storm);
    }
    report.add(&table);
    Ok(())
}

type Screen = Terminal<CrosstermBackend<Sink>>;

fn figures(frames: u64, mut frame: impl FnMut(&mut Screen) -> Result<()>) -> Result<Vec<Duration>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1));
    let backend = CrosstermBackend::new(std::io::sink());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
    let mut times = Vec::new();
    for _ in 0..frames {
        let start = Instant::now();
        frame(&mut terminal)?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn key(c: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
}

/// The dashboard's model before a played server.
struct Played {
    model: Model,
    now: Timestamp,
}

impl Played {
    fn new(view: View) -> Result<Played> {
        let settings = Settings::new(&Raw::default(), Scheme::Dark, false, Language::En);
        let settings = settings.map_err(|wrong| wrong.join("; "))?;
        let now = Timestamp::from_millis(1_767_225_600_000);
        let mut played = Played {
            model: Model::new(settings, now, SIZE),
            now,
        };
        let effects = played.model.start();
        played.perform(effects);
        played.tell(Msg::Connected {
            about: Box::new(About {
                mode: "serve".to_owned(),
                ..About::default()
            }),
            latency: Duration::from_millis(1),
        });
        let digit = if view == View::Mail { '1' } else { '2' };
        played.tell(Msg::Key(key(digit)));
        Ok(played)
    }

    fn draw(&mut self, terminal: &mut Screen) -> Result<()> {
        // A frame's time goes by.
        self.now = self.now + Duration::from_millis(34);
        self.tell(Msg::Tick(self.now));
        terminal.draw(|frame| view(&self.model, frame))?;
        self.model.dirty = false;
        Ok(())
    }

    fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Load(number, load) = effect else {
                continue;
            };
            let answer = match load {
                Load::Page(view, query) => {
                    let from = query.cursor.and_then(|cursor| cursor.parse().ok());
                    page(view, from.unwrap_or(0), query.back)
                }
                Load::Stats => Answer::Stats(Box::new(Stats {
                    inbox: ROWS,
                    ..Stats::default()
                })),
                _ => continue,
            };
            self.tell(Msg::Answer(number, answer));
        }
    }
}

/// A page of a hundred rows that begins at `from`, or ends there.
fn page(view: View, from: u64, back: bool) -> Answer {
    let first = if back { from.saturating_sub(100) } else { from };
    let last = (first + 100).min(ROWS);
    Answer::Page(Page {
        items: (first..last).map(|nth| row(view, nth)).collect(),
        next_cursor: (last < ROWS).then(|| last.to_string()),
        prev_cursor: (first > 0).then(|| first.to_string()),
        total: Some(ROWS),
        counts: Default::default(),
    })
}

fn row(view: View, nth: u64) -> Row {
    let at = "2025-12-31T23:59:00.000Z".to_owned();
    match view {
        View::Mail => {
            let mut summary = MessageSummary {
                id: nth.to_string(),
                received_at: at,
                size: 1843,
                from: Some("Example <accounts@example.com>".to_owned()),
                subject: Some(format!("Your code is {nth:06}")),
                ..MessageSummary::default()
            };
            summary.envelope.to = vec![format!("ann{nth}@example.org")];
            summary.into()
        }
        _ => Mail {
            id: format!("ob_{nth:026}"),
            kind: "registration_code".to_owned(),
            template: None,
            state: "queued".to_owned(),
            lane: "prompt".to_owned(),
            to: format!("ann{nth}@example.org"),
            language: "en".to_owned(),
            message_id: String::new(),
            size: 2400,
            created_at: at,
            next_at: Some("2026-01-01T00:01:00.000Z".to_owned()),
            expires_at: None,
            finished_at: None,
            tries: 3,
            doubtful: false,
            route: None,
            ordered_by: None,
            why: None,
            last_error: None,
        }
        .into(),
    }
}
