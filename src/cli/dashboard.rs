//! `gatepost tui`, and the dashboard beside `gatepost dev`: from the settings and the environment
//! to a dashboard on this terminal. What must not live here: the dashboard.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::config::Look;
use crate::config::Mode;
use crate::config::Request;
use crate::config::Settings;
use crate::config::Surroundings;
use crate::config::settings;
use crate::language::Language;
use crate::operator::By;
use crate::tui;
use crate::tui::clipboard;
use crate::tui::clipboard::Tool;
use crate::tui::run::Dashboard;
use crate::tui::run::Setup;
use crate::tui::run::recall;
use crate::tui::theme::Scheme;
use crate::tui::words::Words;
use crate::tui::worker::Tools;
use crate::world::Timestamp;
use crate::world::World;

use super::Exit;
use super::MISUSED;
use super::output;
use super::run::block_on;
use super::screen;
use super::screen::Screen;
use super::server::Server;
use super::server::failed;
use super::signals::Asked;
use super::signals::Signals;

/// How long a terminal may take to say what its background is.
const COLOUR_PATIENCE: Duration = Duration::from_millis(200);

/// The flags of `gatepost tui`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    /// Change nothing: keys that would are switched off [dashboard.read_only]
    #[arg(long)]
    read_only: bool,
    /// Print the keys with the names by which gatepost.toml gives them others, and end
    #[arg(long)]
    keys: bool,
}

/// Opens it, and waits until it is closed.
pub fn run(args: &Args) -> Result<(), Exit> {
    if args.keys {
        return print_keys(args);
    }
    let (client, _) = args.server.open()?;
    let surroundings = Surroundings::of(&Request::of_process(Mode::Serve));
    let settings = super::settings(Mode::Serve, &args.server.common())?;
    if !is_possible(&surroundings) {
        return print_instead(&client);
    }
    let target = Target {
        url: client.url().to_owned(),
        flags: args.server.again(),
    };
    let setup = setup(&settings, &surroundings, &target, args.read_only)?;
    // A wrong token or address is told on a terminal that is still one.
    client.about().map_err(|error| failed(&error))?;
    let client = acting(client, &surroundings);
    block_on(until_closed(client, setup))?
}

/// The keys as they are set here, as a table in Markdown.
fn print_keys(args: &Args) -> Result<(), Exit> {
    let settings = super::settings(Mode::Serve, &args.server.common())?;
    let language = settings.site.language;
    let told = told(&settings, Scheme::Plain, false, language)?;
    output::print(told.keymap.documentation(Words(language)).trim_end())
}

/// Whether there is a terminal on which a dashboard can be drawn.
pub fn is_possible(surroundings: &Surroundings) -> bool {
    tui::terminal::is_there() && !surroundings.dumb
}

/// The client, which says who sits here, for the audit record.
pub fn acting(client: Client, surroundings: &Surroundings) -> Client {
    // Nobody is kept from acting by a name that could not stand in the record.
    let stands = |name: &&str| {
        let somebody = By::somebody(Ipv4Addr::LOCALHOST.into());
        somebody.called(name).is_ok()
    };
    match surroundings.user.as_deref().filter(stands) {
        Some(user) => client.acting_as(user),
        None => client,
    }
}

/// What the first page would say.
fn print_instead(client: &Client) -> Result<(), Exit> {
    let about = client.about().map_err(|error| failed(&error))?;
    let stats = client.stats().map_err(|error| failed(&error))?;
    let json = json!({"about": about.json, "stats": stats.json});
    let indented = matches!(Screen::new(false), Screen::Program { indented: true });
    screen::print_json(&json, indented)
}

/// The gatepost that is looked at.
pub struct Target {
    /// Where it is.
    pub url: String,
    /// The flags with which other commands find it.
    pub flags: String,
}

/// What the settings say of keys, columns and colours. Lists are written with commas.
fn raw(wanted: &settings::Dashboard) -> tui::settings::Raw {
    let lists = |pairs: &BTreeMap<String, String>| {
        let pairs = pairs.iter();
        pairs
            .map(|(name, list)| {
                let items = list.split(',').map(|item| item.trim().to_owned());
                (
                    name.clone(),
                    items.filter(|item| !item.is_empty()).collect(),
                )
            })
            .collect()
    };
    tui::settings::Raw {
        keys: lists(&wanted.keys),
        columns: lists(&wanted.columns),
        colours: wanted.colors.clone(),
    }
}

/// The settings of the dashboard itself, or their errors said.
fn told(
    settings: &Settings,
    scheme: Scheme,
    ascii: bool,
    language: Language,
) -> Result<tui::Settings, Exit> {
    let raw = raw(&settings.dashboard);
    tui::Settings::new(&raw, scheme, ascii, language).map_err(|errors| {
        let many = if errors.len() == 1 { "" } else { "s" };
        output::complain(&format!("error{many} in the settings of the dashboard:"));
        for error in &errors {
            // The table that it stands in, and where that was written.
            let mut origins = settings.origins.iter().filter(|origin| {
                let table = origin.name.strip_prefix("dashboard.");
                table.is_some_and(|table| error.starts_with(&format!("{table}.")))
            });
            let source = origins.next().map(|origin| format!(" ({})", origin.source));
            let source = source.unwrap_or_default();
            output::complain(&output::visible(&format!("  dashboard.{error}{source}")));
        }
        output::complain("  `gatepost tui --keys` prints the names of all actions");
        Exit(MISUSED)
    })
}

/// How many seconds the clock on the wall here is ahead of UTC.
fn utc_offset(now: Timestamp) -> i32 {
    let now = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    jiff::tz::TimeZone::system().to_offset(now).seconds()
}

/// Everything that the dashboard is told.
pub fn setup(
    settings: &Settings,
    surroundings: &Surroundings,
    target: &Target,
    read_only: bool,
) -> Result<Setup, Exit> {
    let wanted = &settings.dashboard;
    let language = settings.site.language;
    let scheme = match wanted.theme {
        _ if surroundings.no_color => Scheme::Plain,
        Look::Plain => Scheme::Plain,
        Look::Light => Scheme::Light,
        Look::Dark => Scheme::Dark,
        Look::Auto => background(),
    };
    let ascii = wanted.ascii.unwrap_or(!surroundings.utf8);
    let told = told(settings, scheme, ascii, language)?;
    let state_file = surroundings.state_folder.as_ref();
    let state_file = state_file.map(|folder| folder.join("dashboard.json"));
    let world = World::system();
    Ok(Setup {
        settings: tui::Settings {
            read_only: read_only || wanted.read_only,
            url: target.url.clone(),
            twin: target.flags.trim().to_owned(),
            utc_offset: utc_offset(world.now()),
            remembered: recall(state_file.as_deref()),
            ..told
        },
        tools: Tools {
            downloads: wanted
                .downloads
                .clone()
                .unwrap_or_else(|| PathBuf::from(".")),
            clipboards: clipboards(surroundings),
            desktop: !surroundings.remote
                && (surroundings.wayland || surroundings.x11 || cfg!(target_os = "macos")),
            words: Words(language),
            world,
        },
        between: match (surroundings.tmux, surroundings.screen) {
            (true, _) => clipboard::Through::Tmux,
            (false, true) => clipboard::Through::Screen,
            (false, false) => clipboard::Through::Nothing,
        },
        mouse: wanted.mouse,
        state_file,
    })
}

/// The programs that reach the clipboard of whoever sits here, if they sit at this machine.
fn clipboards(surroundings: &Surroundings) -> Vec<Tool> {
    if surroundings.remote {
        return Vec::new();
    }
    let wayland = surroundings.wayland.then_some(Tool::WlCopy);
    let x11 = surroundings.x11.then_some([Tool::Xclip, Tool::Xsel]);
    let mac = cfg!(target_os = "macos").then_some(Tool::Pbcopy);
    let windows = surroundings.wsl.then_some(Tool::Clip);
    let found = wayland.into_iter().chain(x11.into_iter().flatten());
    found.chain(mac).chain(windows).collect()
}

/// The scheme that suits this terminal's background. One that does not say is taken to be dark.
fn background() -> Scheme {
    let mut options = terminal_colorsaurus::QueryOptions::default();
    options.timeout = COLOUR_PATIENCE;
    match terminal_colorsaurus::theme_mode(options) {
        Ok(terminal_colorsaurus::ThemeMode::Light) => Scheme::Light,
        Ok(terminal_colorsaurus::ThemeMode::Dark) | Err(_) => Scheme::Dark,
    }
}

async fn until_closed(client: Client, setup: Setup) -> Result<(), Exit> {
    let mut signals = Signals::new(true).map_err(|error| failed(&error))?;
    let (dashboard, mut closed) = open(client, setup)?;
    loop {
        tokio::select! {
            _ = &mut closed => break,
            signal = signals.next() => match signal {
                Asked::Stop => dashboard.quit(),
                Asked::Suspend => dashboard.suspend(),
                Asked::Continue => dashboard.go_on(),
            },
        }
    }
    close(dashboard).await.map_err(|error| failed(&error))
}

/// How long a dashboard may take to give its terminal back.
const CLOSING: Duration = Duration::from_secs(2);

/// Closes a dashboard. A terminal that takes nothing any more (a connection that hangs) is not
/// waited for: a server beside it has to stop all the same.
///
/// # Errors
/// The terminal failed, or could not be given back.
pub async fn close(dashboard: Dashboard) -> std::io::Result<()> {
    dashboard.quit();
    let joined = tokio::task::spawn_blocking(move || dashboard.join());
    match World::system().timeout(CLOSING, joined).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(defect)) => Err(std::io::Error::other(defect)),
        Err(_) => Err(std::io::Error::other(
            "the terminal takes nothing any more, and was not given back",
        )),
    }
}

/// Opens a dashboard; what comes second completes when it is closed.
pub fn open(client: Client, setup: Setup) -> Result<(Dashboard, oneshot::Receiver<()>), Exit> {
    let (told, closed) = oneshot::channel();
    let dashboard = Dashboard::open(client, setup, move || {
        // Nobody may wait for it any more.
        let _ = told.send(());
    });
    let dashboard = dashboard.map_err(|error| failed(&format_args!("the terminal: {error}")))?;
    Ok((dashboard, closed))
}
