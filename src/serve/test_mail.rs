//! `send-test-mail`: through the gatepost that runs on the data folder, or, when none does,
//! through one that is started for this one mail. What must not live here: telling the story.

use std::time::Duration;

use crate::address::EmailAddress;
use crate::client;
use crate::client::Client;
use crate::client::MailDetail;
use crate::config::MailMode;
use crate::config::Settings;
use crate::journal::Journal;
use crate::mail::trial;
use crate::world::World;

use super::Address;
use super::FindError;
use super::Folder;
use super::FolderError;
use super::Found;
use super::StartError;

/// How long the outcome is waited for: a slow relay may take most of it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of the test mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The mail, with what was tried.
    pub mail: MailDetail,
    /// Whether mail is captured here and does not go out.
    pub captured: bool,
    /// Whether a gatepost runs that will try it again.
    pub runs: bool,
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
    /// The gatepost that ran is gone.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The gatepost that was started for it does not answer.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The gatepost that runs did not answer as it should.
    #[error("the gatepost that runs (process {pid}): {problem}", pid = .running.pid)]
    Running {
        /// Who.
        running: Address,
        /// What went wrong.
        problem: client::Error,
    },
}

/// Sends the test mail to `to` and waits for its outcome.
///
/// # Errors
/// What kept it from being sent to the relay at all; a relay that refuses it is an outcome.
pub async fn send_test_mail(
    mut settings: Settings,
    world: World,
    to: EmailAddress,
) -> Result<Outcome, TestMailError> {
    let captured = settings.mail.mode == MailMode::Capture;
    let language = settings.site.language;
    let dir = settings.data.dir.clone();
    // Nobody connects to the service that lives for one mail; free ports cannot be taken.
    settings.http.listen = ([127, 0, 0, 1], 0).into();
    settings.smtp.listen = ([127, 0, 0, 1], 0).into();
    settings.smtp.listen_tls = None;
    let (running, parts) =
        match super::open(settings, world.clone(), Journal::default(), Some(&to)).await {
            Ok(opened) => opened,
            Err(StartError::InUse {
                running: Some(_), ..
            }) => {
                let found = super::find(&dir)?;
                let client = found.client()?.speaking(language);
                return ask(&found, client, to).await;
            }
            Err(error) => return Err(Box::new(error).into()),
        };
    let letter = parts
        .letter
        .expect("it was opened with somebody to write to");
    let (store, events, routes) = (&parts.store, &parts.events, &parts.routes);
    let world = &parts.world;
    let entry = trial::entry(world, &to, "operator");
    let trial = trial::follow(letter, entry, store, events, routes, world, PATIENCE).await;
    let told = match trial {
        Ok(trial) => {
            // It is asked as any other would be, so that the story is told once.
            let token = Folder::open(&dir)?.admin_token(world)?;
            let source = running.admin_token_file.display().to_string();
            let client = Client::new(&format!("http://{}", running.http), token, &source);
            let id = trial.id.to_string();
            blocking(move || client?.speaking(language).mail(&id))
                .await
                .map_err(TestMailError::from)
        }
        Err(error) => Err(trial::TrialError::from(error).into()),
    };
    running.stop().await;
    Ok(Outcome {
        mail: told?.value,
        captured,
        runs: false,
    })
}

/// Asks the gatepost that runs to do it.
async fn ask(found: &Found, client: Client, to: EmailAddress) -> Result<Outcome, TestMailError> {
    let told = blocking(move || {
        let sent = client.send_test_mail(to.as_str())?.value;
        Ok((client.mail(&sent.id)?.value, sent.captured))
    });
    let (mail, captured) = told.await.map_err(|problem| TestMailError::Running {
        running: found.address.clone(),
        problem,
    })?;
    Ok(Outcome {
        mail,
        captured,
        runs: true,
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, client::Error> + Send + 'static,
) -> Result<T, client::Error> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("a client does not panic, and nobody stops the threads while it is waited for")
}
