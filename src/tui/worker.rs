//! The threads that do what the model asks for: requests, files, the clipboard. Each job ends in
//! a message. What must not live here: deciding anything, and drawing.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use crate::client;
use crate::client::Answer as Told;
use crate::client::Client;
use crate::client::MailAction;
use crate::client::Query;
use crate::client::RouteAction;
use crate::client::UserAction;
use crate::world::World;

use super::clipboard;
use super::effect::Act;
use super::effect::Effect;
use super::effect::Load;
use super::model::View;
use super::model::rows;
use super::msg::Acted;
use super::msg::Answer;
use super::msg::Msg;
use super::msg::Note;
use super::msg::Problem;
use super::open;
use super::open::Platform;
use super::reader::html;
use super::reader::links::Link;
use super::safe;
use super::save;
use super::words::Words;

/// How long a program may take to put a text into the clipboard.
const CLIPBOARD: Duration = Duration::from_secs(2);

/// How many requests that only look run at once.
const THREADS: usize = 4;

/// What a worker needs beside the client.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Where attachments are saved.
    pub downloads: PathBuf,
    /// The programs that put a text into this machine's clipboard.
    pub clipboards: Vec<clipboard::Tool>,
    /// Whether there is a desktop with a browser here.
    pub desktop: bool,
    /// What is said.
    pub words: Words,
    /// Time.
    pub world: World,
}

/// The threads. They end when the last job is done after this was dropped.
pub struct Worker {
    loads: mpsc::Sender<Effect>,
    /// A queue of their own: a test mail may take two minutes, and what is looked at goes on.
    acts: mpsc::Sender<Effect>,
    pages: Pages,
}

/// The folder with the pages for the browser, once there is one.
type Pages = Arc<Mutex<Option<open::Folder>>>;

impl Worker {
    /// Starts the threads; what they find out is told to `tell`.
    pub fn start(
        client: &Client,
        tools: &Tools,
        tell: impl Fn(Msg) + Clone + Send + 'static,
    ) -> Worker {
        let pages = Pages::default();
        let hand = Hand {
            client: client.clone(),
            tools: tools.clone(),
            pages: pages.clone(),
        };
        Worker {
            loads: lane(THREADS, &hand, &tell),
            acts: lane(1, &hand, &tell),
            pages,
        }
    }

    /// Does `effect`, some time; what changes something, one after another.
    pub fn work(&self, effect: Effect) {
        let lane = match effect.writes() {
            true => &self.acts,
            false => &self.loads,
        };
        // Its threads live as long as this does.
        let _ = lane.send(effect);
    }
}

/// So many threads that take jobs from one queue.
fn lane(
    threads: usize,
    hand: &Hand,
    tell: &(impl Fn(Msg) + Clone + Send + 'static),
) -> mpsc::Sender<Effect> {
    let (jobs, queue) = mpsc::channel::<Effect>();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..threads {
        let (hand, queue, tell) = (hand.clone(), queue.clone(), tell.clone());
        let thread = std::thread::Builder::new().name("dashboard-work".to_owned());
        let spawned = thread.spawn(move || {
            loop {
                // A panic in a job poisons nothing that matters: the queue is as it was.
                let queue = queue
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                let Ok(job) = queue.recv() else {
                    return;
                };
                drop(queue);
                hand.survive(job, &tell);
            }
        });
        if let Err(error) = spawned {
            // The others do its work; without any, the dashboard says that it loads.
            tracing::error!(%error, "no thread for the dashboard's requests");
        }
    }
    jobs
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A browser has read its page by now; one that is reloaded later finds it gone, which is
        // better than mails that lie about. What cannot be removed stays.
        let pages = self.pages.lock().map(|mut pages| pages.take());
        if let Ok(Some(folder)) = pages {
            let _ = folder.remove();
        }
    }
}

/// One thread's.
#[derive(Clone)]
struct Hand {
    client: Client,
    tools: Tools,
    pages: Pages,
}

impl Hand {
    /// Works, and answers in any case: a defect below (the HTML of a mail is a stranger's) costs
    /// one answer, and neither the thread nor the picture.
    fn survive(&self, effect: Effect, tell: &impl Fn(Msg)) {
        let number = match &effect {
            Effect::Load(number, _) | Effect::Act(number, _, _) => Some(*number),
            Effect::LayOut { request, .. } => Some(*request),
            _ => None,
        };
        let work = std::panic::AssertUnwindSafe(|| self.work(effect, tell));
        if std::panic::catch_unwind(work).is_err() {
            let text = self.tools.words.say("note_defect").to_owned();
            tell(match number {
                Some(number) => Msg::Answer(
                    number,
                    Answer::Failed(Problem {
                        text,
                        ..Problem::default()
                    }),
                ),
                None => Msg::Note(Note::bad(text)),
            });
        }
    }

    fn work(&self, effect: Effect, tell: &impl Fn(Msg)) {
        match effect {
            Effect::Load(number, load) => {
                let start = self.tools.world.elapsed();
                let answer = self.load(load).unwrap_or_else(|error| failed(&error));
                if !matches!(answer, Answer::Failed(_)) {
                    let took = self.tools.world.elapsed().saturating_sub(start);
                    tell(Msg::Latency(took));
                }
                tell(Msg::Answer(number, answer));
            }
            Effect::Act(number, act, ids) => tell(Msg::Answer(number, self.act(act, &ids))),
            Effect::LayOut {
                request,
                html,
                width,
            } => {
                let rendered = Box::new(html::render(&html, width));
                tell(Msg::Answer(request, Answer::Html { width, rendered }));
            }
            Effect::Copy { text, what } => tell(Msg::Note(self.copy(&text, &what))),
            Effect::Browse { id } => tell(Msg::Note(self.browse(&id))),
            Effect::OpenUrl(url) => tell(Msg::Note(self.open_url(&url))),
            Effect::Save { id, index, name } => {
                let bytes = self.client.attachment(&id, index);
                let name = save::attachment_name(name.as_deref(), index);
                tell(Msg::Note(self.saved(bytes, &name)));
            }
            Effect::Export { id } => {
                let bytes = self.client.raw_message(&id);
                tell(Msg::Note(self.saved(bytes, &save::mail_name(None, &id))));
            }
            // Those are the terminal's and the loop's.
            Effect::Mouse(_)
            | Effect::Suspend
            | Effect::Reconnect
            | Effect::Remember(_)
            | Effect::Quit => {}
        }
    }

    fn load(&self, load: Load) -> Result<Answer, client::Error> {
        let client = &self.client;
        Ok(match load {
            Load::Page(view, query) => self.page(view, &query)?,
            Load::Stats => Answer::Stats(Box::new(client.stats()?.value)),
            Load::Mail(id) => Answer::Mail(Box::new(client.mail(&id)?.value)),
            Load::Message(id) => Answer::Message(Some(Box::new(client.message(&id)?.value))),
            Load::Newest(query) => {
                let query = Query {
                    limit: Some(1),
                    ..query
                };
                let newest = client.messages(&query)?.value.items.into_iter().next();
                let message = newest.map(|newest| client.message(&newest.id));
                Answer::Message(message.transpose()?.map(|message| Box::new(message.value)))
            }
            Load::Raw(id) => Answer::Raw(client.raw_message(&id)?),
        })
    }

    fn page(&self, view: View, query: &Query) -> Result<Answer, client::Error> {
        fn page<T: Into<super::model::Row>>(
            answer: Result<Told<client::Page<T>>, client::Error>,
        ) -> Result<Answer, client::Error> {
            Ok(Answer::Page(rows(answer?.value)))
        }
        let client = &self.client;
        match view {
            View::Mail => page(client.messages(query)),
            View::Overview | View::Outbox => page(client.mails(query)),
            View::Tokens => page(client.tokens(query)),
            View::Users => page(client.users(query)),
            View::Sessions => page(client.sessions(query)),
            View::Audit => page(client.audit(query)),
            View::Log => page(client.log(query)),
            View::Timeline => page(client.timeline(query)),
            View::Routes => {
                let routes = client.routes()?.value.items;
                let total = u64::try_from(routes.len()).ok();
                Ok(Answer::Page(client::Page {
                    items: routes.into_iter().map(Into::into).collect(),
                    next_cursor: None,
                    prev_cursor: None,
                    total,
                    counts: Default::default(),
                }))
            }
        }
    }

    fn act(&self, act: Act, ids: &[String]) -> Answer {
        if act == Act::Reveal {
            let id = ids.first().map(String::as_str).unwrap_or_default();
            return match self.client.reveal_token(id) {
                Ok(told) => Answer::Revealed(told.value.secret),
                Err(error) => failed(&error),
            };
        }
        let acted = ids.iter().map(|id| Acted {
            id: id.clone(),
            outcome: self.act_on(act, id).map_err(|error| problem(&error)),
        });
        Answer::Acted(acted.collect())
    }

    /// Its state afterwards.
    fn act_on(&self, act: Act, id: &str) -> Result<String, client::Error> {
        let client = &self.client;
        let mail = |action| Ok(client.act_on_mail(action, id)?.value.state);
        let user = |action| Ok(client.act_on_user(action, id)?.value.state);
        let route = |action| Ok(client.act_on_route(action, id)?.value.state);
        let done =
            |outcome: Result<serde_json::Value, client::Error>| outcome.map(|_| String::new());
        match act {
            Act::Retry => mail(MailAction::Retry),
            Act::Requeue => mail(MailAction::Requeue),
            Act::Discard => mail(MailAction::Discard),
            Act::Undo => mail(MailAction::Undo),
            Act::Lock => user(UserAction::Lock),
            Act::Unlock => user(UserAction::Unlock),
            Act::SendReset => user(UserAction::SendReset),
            Act::EndSessions => user(UserAction::EndSessions),
            Act::Pause => route(RouteAction::Pause),
            Act::Resume => route(RouteAction::Resume),
            Act::SendTest => Ok(client.send_test_mail(id)?.value.state),
            Act::Revoke => done(client.revoke_token(id)),
            Act::EndSession => done(client.end_session(id)),
            Act::Delete => done(client.delete_message(id)),
            Act::Reveal => Ok(String::new()),
        }
    }

    /// Through the terminal it was copied already; whether that works it does not tell, so a
    /// program of this machine is tried as well.
    fn copy(&self, text: &str, what: &str) -> Note {
        // Neither way may have worked where there is no program; the terminal is the likely one.
        let _ = clipboard::local(text, &self.tools.clipboards, CLIPBOARD);
        Note::good(self.tools.words.fill("note_copied", &[("what", what)]))
    }

    fn browse(&self, id: &str) -> Note {
        match self.client.message(id) {
            Ok(message) => self.opened(|| {
                let page = open::page(&message.value, message.value.html.as_deref());
                let path = self.page_file(id, &page)?;
                Ok(Some(open::page_command(Platform::here(), &path)))
            }),
            Err(error) => Note::bad(safe::line(&error.to_string())),
        }
    }

    fn open_url(&self, url: &str) -> Note {
        self.opened(|| Ok(open::link_command(Platform::here(), &Link::new(url))))
    }

    /// Starts the program that `prepare` says, and lets it be.
    fn opened(&self, prepare: impl FnOnce() -> io::Result<Option<Command>>) -> Note {
        let words = self.tools.words;
        if !self.tools.desktop {
            return Note::bad(words.say("note_no_browser"));
        }
        let started = match prepare() {
            Ok(None) => return Note::bad(words.say("note_no_web_link")),
            Ok(Some(mut command)) => command.spawn(),
            Err(error) => Err(error),
        };
        match started {
            Ok(mut child) => {
                // Somebody has to ask how it ended, or it stays in the table of processes.
                std::thread::spawn(move || drop(child.wait()));
                Note::good(words.say("note_opened"))
            }
            Err(error) => Note::bad(words.fill(
                "note_not_opened",
                &[("why", &safe::line(&error.to_string()))],
            )),
        }
    }

    /// A file with the page of a mail. It is another one each time: mails of one number differ
    /// where a server began anew.
    fn page_file(&self, id: &str, page: &str) -> io::Result<PathBuf> {
        let mut pages = self.pages.lock().map_err(|_| io::ErrorKind::Other)?;
        let world = &self.tools.world;
        if pages.is_none() {
            let unique = u128::from_be_bytes(world.bytes());
            *pages = Some(open::Folder::create(
                &std::env::temp_dir(),
                &format!("{unique:032x}"),
            )?);
        }
        let unique = u32::from_be_bytes(world.bytes());
        let number = id.parse::<u32>().unwrap_or(0);
        match pages.as_ref() {
            Some(folder) => folder.write(u64::from(number) << 32 | u64::from(unique), page),
            None => Err(io::ErrorKind::Other.into()),
        }
    }

    fn saved(&self, bytes: Result<Vec<u8>, client::Error>, name: &str) -> Note {
        let words = self.tools.words;
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return Note::bad(safe::line(&error.to_string())),
        };
        match save::save(&self.tools.downloads, name, &bytes) {
            Ok(path) => {
                let path = safe::line(&path.display().to_string());
                Note::good(words.fill("note_saved", &[("path", &path)]))
            }
            Err(error) => Note::bad(words.fill(
                "note_not_saved",
                &[("why", &safe::line(&error.to_string()))],
            )),
        }
    }
}

fn failed(error: &client::Error) -> Answer {
    Answer::Failed(problem(error))
}

/// What went wrong, for people.
pub fn problem(error: &client::Error) -> Problem {
    Problem {
        code: error.code().map(str::to_owned),
        unreachable: matches!(error, client::Error::Unreachable { .. }),
        text: safe::line(&error.to_string()),
    }
}
