//! `send-test-mail`: through the gatepost that runs on the data folder, or, when none does,
//! through one that is started for this one mail.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::address::EmailAddress;
use crate::config::MailMode;
use crate::config::Settings;
use crate::mail::outbox::State;
use crate::mail::trial;
use crate::world::World;

use super::Address;
use super::Folder;
use super::FolderError;
use super::StartError;

/// How long the outcome is waited for: a slow relay may take most of it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of the test mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Outcome {
    /// Its name in the outbox.
    pub id: String,
    /// `sent`, `queued`, `dead`, …: see [`State`].
    pub state: String,
    /// What kept it from being sent, with the relay's own words.
    #[serde(default)]
    pub setback: Option<String>,
    /// When it is tried again (RFC 3339).
    #[serde(default)]
    pub next_at: Option<String>,
    /// Whether mail is captured here and does not go out.
    pub captured: bool,
}

impl Outcome {
    /// Whether the relay took it.
    pub fn is_success(&self) -> bool {
        self.state == State::Sent.word()
    }
}

/// What happened, in sentences for the terminal.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match (self.is_success(), self.captured) {
            (true, true) => write!(
                f,
                "{id}: sent, and captured in gatepost's own inbox (mail.mode is capture): nothing left this machine"
            )?,
            (true, false) => write!(
                f,
                "{id}: sent; the relay took it. If it does not arrive, look into the spam folder"
            )?,
            (false, _) => write!(f, "{id}: not sent; it is {} now", self.state)?,
        }
        if let Some(setback) = &self.setback {
            write!(f, "\nreason: {}", setback.trim_end())?;
        }
        if let Some(next) = &self.next_at {
            write!(f, "\nnext try: {next}, if gatepost runs then")?;
        }
        Ok(())
    }
}

/// Why nothing can be told about the test mail.
#[derive(Debug, thiserror::Error)]
pub enum TestMailError {
    /// No gatepost ran, and none could be started.
    #[error(transparent)]
    Start(#[from] Box<StartError>),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It could not be put into the outbox.
    #[error(transparent)]
    Trial(#[from] trial::TrialError),
    /// The gatepost that runs did not answer as it should.
    #[error("the gatepost that runs (process {pid}, http://{http}): {problem}", pid = .running.pid, http = .running.http)]
    Running {
        /// Who.
        running: Address,
        /// What went wrong.
        problem: String,
    },
}

/// Sends the test mail to `to` and waits for its outcome.
pub async fn send_test_mail(
    mut settings: Settings,
    world: World,
    to: EmailAddress,
) -> Result<Outcome, TestMailError> {
    let captured = settings.mail.mode == MailMode::Capture;
    let dir = settings.data.dir.clone();
    // Nobody connects to the service that lives for one mail; free ports cannot be taken.
    settings.http.listen = ([127, 0, 0, 1], 0).into();
    settings.smtp.listen = ([127, 0, 0, 1], 0).into();
    settings.smtp.listen_tls = None;
    let (running, parts) = match super::open(settings, world.clone(), Some(&to)).await {
        Ok(opened) => opened,
        Err(StartError::InUse {
            running: Some(running),
            ..
        }) => {
            let token = Folder::open(&dir)?.admin_token(&world)?;
            return ask(running, token.expose().to_owned(), to).await;
        }
        Err(error) => return Err(Box::new(error).into()),
    };
    let letter = parts
        .letter
        .expect("it was opened with somebody to write to");
    let (store, events, routes) = (&parts.store, &parts.events, &parts.routes);
    let trial = trial::follow(letter, store, events, routes, &parts.world, PATIENCE).await;
    running.stop().await;
    let trial = trial.map_err(trial::TrialError::from)?;
    Ok(Outcome {
        id: trial.id.to_string(),
        state: trial.row.state.word().to_owned(),
        setback: trial.setback(),
        next_at: trial.row.due_at.map(|at| at.to_string()),
        captured,
    })
}

/// The gatepost that runs is certain (it holds the lock of the store), but not its address.
fn unreachable(error: ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "nobody answers at that address, although the data folder is in use: it is starting \
             or stopping, or its running.json is out of date; try again in a moment, or stop the \
             gatepost that uses the folder"
                .to_owned()
        }
        error => error.to_string(),
    }
}

/// Asks the gatepost that runs to do it.
async fn ask(running: Address, token: String, to: EmailAddress) -> Result<Outcome, TestMailError> {
    let url = format!("http://{}/api/v1/admin/test_mail", running.http);
    let body = serde_json::json!({ "email": to.as_str() }).to_string();
    let answered = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE + Duration::from_secs(10)))
            .build()
            .into();
        let mut answer = agent
            .post(url)
            .header("Authorization", format!("Bearer {token}"))
            .content_type("application/json")
            .send(body)
            .map_err(unreachable)?;
        let text = answer
            .body_mut()
            .read_to_string()
            .map_err(|error| error.to_string())?;
        if answer.status() == 200 {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            Err(format!("{} {text}", answer.status()))
        }
    })
    .await
    .unwrap_or_else(|panicked| Err(panicked.to_string()));
    answered.map_err(|problem| TestMailError::Running { running, problem })
}
