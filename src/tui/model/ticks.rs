//! When the model wants to be told the time next: at once where something waits for it, each
//! second while something on the screen counts in seconds, or else at the next minute.

use std::time::Duration;

use crate::world::Timestamp;

use super::Link;
use super::Looking;
use super::Model;
use super::PACE;
use super::Pending;

use crate::tui::ages;

const SECOND: Duration = Duration::from_secs(1);

impl Model {
    /// When the next tick is wanted; never before now.
    pub fn next_tick(&self) -> Option<Timestamp> {
        let mut wanted = vec![next(self.now, 60_000)];
        let second = next(self.now, 1000);
        wanted.extend(self.note.as_ref().map(|(_, until)| *until));
        if !self.undo.is_empty() || self.seconds_on_screen() {
            wanted.push(second);
        }
        match &self.link {
            Link::Lost {
                again: Some(again), ..
            } => wanted.extend([second, *again]),
            Link::Lost { again: None, .. } | Link::Starting => {}
            Link::Live { .. } => {
                let list = &self.place().list;
                wanted.extend(list.due);
                wanted.extend(self.preview);
                if list.stale && list.loading.is_none() {
                    wanted.extend(list.asked.map(|asked| asked + PACE));
                }
                let asked = |looking: &Looking| {
                    let pending = Pending::Detail(looking.id.clone());
                    self.pending.values().any(|known| *known == pending)
                };
                let looking = self.place().looking.as_ref();
                if let Some(looking) = looking.filter(|l| l.stale && !asked(l)) {
                    wanted.extend(looking.asked.map(|asked| asked + PACE));
                }
                if self.stats_stale {
                    wanted.extend(self.stats_asked.map(|asked| asked + SECOND));
                }
            }
        }
        wanted.into_iter().min().map(|at| at.max(self.now))
    }

    /// Whether something on the screen counts in seconds.
    pub fn seconds_on_screen(&self) -> bool {
        let place = self.place();
        if place.alone {
            return false;
        }
        let rows = place.list.rows.iter().skip(place.list.top);
        let seen = rows.take(usize::from(self.size.1));
        seen.flat_map(ages::moments).any(|at| {
            let away = self
                .now
                .as_millis()
                .saturating_sub(at.as_millis())
                .unsigned_abs();
            away < 60_000
        })
    }
}

/// The next multiple of so many milliseconds.
fn next(now: Timestamp, every: i64) -> Timestamp {
    let now = now.as_millis();
    Timestamp::from_millis((now.div_euclid(every) + 1).saturating_mul(every))
}
