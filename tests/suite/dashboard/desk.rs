//! A dashboard with a server in its pocket, which answers at once.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost::client::Page;
use gatepost::client::Query;
use gatepost::language::Language;
use gatepost::tui;
use gatepost::tui::Model;
use gatepost::tui::Settings;
use gatepost::tui::effect::Effect;
use gatepost::tui::effect::Load;
use gatepost::tui::keymap::Key;
use gatepost::tui::model::Row;
use gatepost::tui::model::View;
use gatepost::tui::msg::Acted;
use gatepost::tui::msg::Answer;
use gatepost::tui::msg::Msg;
use gatepost::tui::reader::html;
use gatepost::tui::settings::Raw;
use gatepost::tui::theme::Scheme;
use gatepost::world::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::data;

/// The dashboard, the rows of its server, and what it wanted done.
pub struct Desk {
    pub model: Model,
    pub rows: BTreeMap<View, Vec<Row>>,
    pub effects: Vec<Effect>,
    /// Whether loads are answered.
    pub answers: bool,
}

/// Settings without anything special.
pub fn settings(scheme: Scheme, ascii: bool, language: Language) -> Settings {
    let mut settings = Settings::new(&Raw::default(), scheme, ascii, language).unwrap();
    settings.url = "http://localhost:8000".to_owned();
    settings
}

impl Desk {
    /// A dashboard of development in English, 100 by 30, connected.
    pub fn new() -> Desk {
        Desk::with(
            settings(Scheme::Dark, false, Language::En),
            "dev",
            (100, 30),
        )
    }

    /// A dashboard, connected.
    pub fn with(settings: Settings, mode: &str, size: (u16, u16)) -> Desk {
        let model = Model::new(settings, data::now(), size);
        let mut desk = Desk {
            model,
            rows: BTreeMap::new(),
            effects: Vec::new(),
            answers: true,
        };
        let started = desk.model.start();
        assert_eq!(started, [Effect::Reconnect]);
        desk.send(Msg::Connected {
            about: Box::new(data::about(mode)),
            latency: Duration::from_millis(38),
        });
        desk.pass(500);
        desk
    }

    /// Hands over a message; whatever is asked for is answered.
    pub fn send(&mut self, msg: Msg) {
        let mut queue = vec![msg];
        while let Some(msg) = queue.pop() {
            for effect in tui::update(&mut self.model, msg) {
                if self.answers {
                    queue.extend(self.answer(&effect));
                }
                self.effects.push(effect);
            }
        }
    }

    /// Presses keys, written as in settings, with spaces between them.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let key: Key = key.parse().unwrap();
            self.send(Msg::Key(key.event()));
        }
    }

    /// Types a text.
    pub fn typed(&mut self, text: &str) {
        for c in text.chars() {
            let code = ratatui::crossterm::event::KeyCode::Char(c);
            self.send(Msg::Key(code.into()));
        }
    }

    /// So many milliseconds pass.
    pub fn pass(&mut self, millis: i64) {
        let now = Timestamp::from_millis(self.model.now.as_millis() + millis);
        self.send(Msg::Tick(now));
    }

    /// What was wanted since the last time.
    pub fn wanted(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The rows of a view.
    pub fn server(&mut self, view: View) -> &mut Vec<Row> {
        self.rows.entry(view).or_insert_with(|| data::rows(view))
    }

    fn page(&mut self, view: View, query: &Query) -> Page<Row> {
        let wanted = query.q.clone().unwrap_or_default();
        let state = query.filters.iter().find(|(name, _)| name == "state");
        let state = state.map(|(_, value)| value.clone());
        let fits = |row: &&Row| {
            let failing = |row: &Row| match row {
                Row::Mail(mail) => mail.last_error.is_some(),
                _ => false,
            };
            let in_state = match state.as_deref() {
                None => true,
                Some("failing") => failing(row),
                Some(state) => row.state() == state,
            };
            in_state && format!("{row:?}").contains(&wanted)
        };
        let all: Vec<Row> = self.server(view).iter().filter(fits).cloned().collect();
        let limit = query.limit.unwrap_or(50) as usize;
        let find = |cursor: &str| all.iter().position(|row| row.id() == cursor);
        let at = query
            .cursor
            .as_deref()
            .map(|cursor| find(cursor).unwrap_or(0));
        let range = match (query.back, at) {
            (false, None) => 0..limit.min(all.len()),
            (false, Some(at)) => {
                // The row that the cursor was of may be gone, and all others with it.
                let start = (at + 1).min(all.len());
                start..(start + limit).min(all.len())
            }
            (true, None) => all.len().saturating_sub(limit)..all.len(),
            (true, Some(at)) => at.min(all.len()).saturating_sub(limit)..at.min(all.len()),
        };
        let last = range.end < all.len();
        let first = range.start > 0;
        let items = all[range].to_vec();
        Page {
            next_cursor: items.last().filter(|_| last).map(Row::id),
            prev_cursor: items.first().filter(|_| first).map(Row::id),
            total: Some(all.len() as u64),
            counts: BTreeMap::new(),
            items,
        }
    }

    /// What the server says to an effect.
    pub fn answer(&mut self, effect: &Effect) -> Option<Msg> {
        Some(match effect {
            Effect::Load(request, load) => {
                let answer = match load {
                    Load::Page(view, query) => Answer::Page(self.page(*view, query)),
                    Load::Stats => Answer::Stats(Box::new(data::stats())),
                    Load::Mail(id) => Answer::Mail(Box::new(data::detail(id))),
                    Load::Message(id) => Answer::Message(Some(Box::new(data::whole(id)))),
                    Load::Newest(query) => {
                        let page = self.page(View::Mail, query);
                        let first = page.items.first();
                        Answer::Message(first.map(|row| Box::new(data::whole(&row.id()))))
                    }
                    Load::Raw(_) => Answer::Raw(b"Subject: x\r\n\r\nHello\r\n".to_vec()),
                };
                Msg::Answer(*request, answer)
            }
            Effect::Act(request, gatepost::tui::effect::Act::Reveal, _) => {
                Msg::Answer(*request, Answer::Revealed("482913".to_owned()))
            }
            Effect::Act(request, _, ids) => {
                let acted = ids.iter().map(|id| Acted {
                    id: id.clone(),
                    outcome: Ok(String::new()),
                });
                Msg::Answer(*request, Answer::Acted(acted.collect()))
            }
            Effect::LayOut {
                request,
                html,
                width,
            } => {
                let rendered = Box::new(html::render(html, *width));
                let width = *width;
                Msg::Answer(*request, Answer::Html { width, rendered })
            }
            _ => return None,
        })
    }

    /// The screen.
    pub fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| tui::view(&self.model, frame))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as lines of text.
    pub fn screen(&self) -> String {
        text(&self.buffer())
    }

    /// The name of the selected row.
    pub fn selected(&self) -> String {
        self.model
            .place()
            .list
            .row()
            .map(Row::id)
            .unwrap_or_default()
    }
}

/// What stands in a buffer, without the blanks at the ends of lines.
pub fn text(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let area = buffer.area;
    let mut text = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in area.left()..area.right() {
            if covered > 0 {
                covered -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            covered = symbol.width().saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
