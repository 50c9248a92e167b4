//! What the environment says about the terminal and the person before it: not settings, but what
//! a program on a terminal looks at.

use std::path::PathBuf;

use super::Request;

/// What the environment says about the terminal and the person before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Whether colours are not wanted: <https://no-color.org>.
    pub no_color: bool,
    /// Whether the locale is UTF-8.
    pub utf8: bool,
    /// Whether the terminal cannot do anything but write lines.
    pub dumb: bool,
    /// Whether tmux stands between.
    pub tmux: bool,
    /// Whether GNU screen stands between.
    pub screen: bool,
    /// Whether it is a terminal of another machine: a clipboard of this one is somebody else's.
    pub remote: bool,
    /// Whether there is a Wayland desktop.
    pub wayland: bool,
    /// Whether there is an X11 desktop.
    pub x11: bool,
    /// Whether it is a Linux within Windows.
    pub wsl: bool,
    /// What the person is called here.
    pub user: Option<String>,
    /// Where programs remember what is convenient and no loss
    /// (<https://specifications.freedesktop.org/basedir-spec/>).
    pub state_folder: Option<PathBuf>,
}

impl Surroundings {
    /// What the environment of `request` says.
    pub fn of(request: &Request) -> Surroundings {
        let find = |name: &str| {
            let mut found = request
                .environment
                .iter()
                .filter(|(known, _)| known == name);
            found
                .next()
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let term = find("TERM").unwrap_or_default();
        // The first that is set counts (POSIX, 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(find);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let absolute = |path: &str| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let state = find("XDG_STATE_HOME").and_then(absolute);
        let home = || Some(find("HOME").and_then(absolute)?.join(".local/state"));
        Surroundings {
            no_color: find("NO_COLOR").is_some(),
            // macOS sets no locale for some terminals, all of which are UTF-8.
            utf8: locale.contains("utf-8") || locale.contains("utf8") || cfg!(target_os = "macos"),
            dumb: term == "dumb",
            tmux: find("TMUX").is_some(),
            screen: find("STY").is_some(),
            remote: find("SSH_CONNECTION").or_else(|| find("SSH_TTY")).is_some(),
            wayland: find("WAYLAND_DISPLAY").is_some(),
            x11: find("DISPLAY").is_some(),
            wsl: find("WSL_DISTRO_NAME").is_some(),
            user: find("USER").or_else(|| find("LOGNAME")).map(str::to_owned),
            state_folder: state.or_else(home).map(|folder| folder.join("gatepost")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;

    fn of(environment: &[(&str, &str)]) -> Surroundings {
        let pairs = environment.iter();
        Surroundings::of(&Request {
            mode: Mode::Serve,
            flags: Vec::new(),
            environment: pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            folder: PathBuf::new(),
            file: None,
        })
    }

    #[test]
    fn a_terminal_is_known_by_what_it_sets() {
        let bare = of(&[]);
        assert!(!bare.no_color && !bare.dumb && bare.state_folder.is_none());
        let rich = of(&[
            ("LC_ALL", "zh_TW.UTF-8"),
            ("LANG", "C"),
            ("NO_COLOR", "1"),
            ("TMUX", "/tmp/tmux-0/default,1,0"),
            ("SSH_TTY", "/dev/pts/1"),
            ("USER", "ann"),
            ("HOME", "/home/ann"),
        ]);
        assert!(rich.utf8 && rich.no_color && rich.tmux && rich.remote);
        assert_eq!(rich.user.as_deref(), Some("ann"));
        assert_eq!(
            rich.state_folder,
            Some(PathBuf::from("/home/ann/.local/state/gatepost"))
        );
        let own = of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/home/ann")]);
        assert_eq!(own.state_folder, Some(PathBuf::from("/s/gatepost")));
        assert!(of(&[("LANG", "C"), ("TERM", "dumb")]).dumb);
        assert!(!of(&[("NO_COLOR", "")]).no_color);
    }
}
