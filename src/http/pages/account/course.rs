//! Where somebody stands between asking for a code and using it, kept in a cookie of theirs: it
//! can only fool whoever forges it, since the domain looks at each part again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::Response;
use serde::{Deserialize, Serialize};

use crate::http::pages::cookies;
use crate::http::pages::cookies::Name;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::identity::Sent;
use crate::world::Timestamp;

/// What the code was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Making an account.
    Register,
    /// Getting back into one.
    Reset,
    /// Changing its address.
    Move,
}

/// Where somebody stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Course {
    /// What for.
    pub errand: Errand,
    /// Where the mail went.
    pub email: String,
    /// When another may be asked for.
    pub resend_at: i64,
    /// Where they want to go afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What the code was exchanged for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Longer than a code and the token after it are good.
const KEPT: Duration = Duration::from_secs(3600);

impl Course {
    /// Begins with a mail to `email`.
    pub fn begin(errand: Errand, email: &str, sent: &Sent, next: Option<String>) -> Course {
        Course {
            errand,
            email: email.trim().to_owned(),
            resend_at: sent.resend_at.as_millis(),
            next,
            token: None,
        }
    }

    /// The one of this errand that the browser remembers.
    pub fn of(visit: &Visit, errand: Errand) -> Option<Course> {
        let text = visit.cookie(Name::Course)?;
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let course: Course = serde_json::from_slice(&json).ok()?;
        (course.errand == errand).then_some(course)
    }

    /// Has the browser remember it.
    pub fn keep(&self, site: &Site, response: &mut Response) {
        let json = serde_json::to_vec(self).expect("plain data");
        let text = URL_SAFE_NO_PAD.encode(json);
        cookies::set(response, Name::Course, &text, Some(KEPT), site.https);
    }

    /// Has the browser forget any.
    pub fn end(site: &Site, response: &mut Response) {
        cookies::clear(response, Name::Course, site.https);
    }

    /// In how many seconds another mail may be asked for.
    pub fn resend_in(&self, site: &Site) -> u64 {
        let at = Timestamp::from_millis(self.resend_at);
        let wait = at.since(site.world.now());
        // A forged one at least does not look broken.
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).min(KEPT.as_secs())
    }
}
