//! Django's `send_mail` in a loop, in a Python environment of its own under `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::run;
use super::{Result, sibling};

/// What is asked for by `pip`: the long-term version that the project's users run.
const PACKAGE: &str = "django>=5.2,<5.3";

/// Sends so many mails of so many bytes to a port, one `send_mail` a mail.
const LOOP: &str = r#"
import sys
from django.conf import settings
port, count, size = map(int, sys.argv[1:])
settings.configure(
    EMAIL_HOST="127.0.0.1", EMAIL_PORT=port,
    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
)
import django
django.setup()
from django.core.mail import send_mail
body = ("x" * 71 + "\n") * (max(size - 400, 0) // 72)
for n in range(count):
    send_mail("Measured", body, "bench@example.com", [f"u{n}@example.org"])
"#;

/// A Python that has Django.
pub struct Django {
    python: PathBuf,
}

impl Django {
    /// Makes the environment, or takes the one that an earlier run made.
    pub fn set_up() -> Result<Django> {
        let folder = sibling("../bench-django")?;
        let python = folder.join("bin/python3");
        if !has_django(&python) {
            let mut make = Command::new("python3");
            make.args(["-m", "venv"]).arg(&folder);
            run(&mut make, Duration::from_secs(120))?;
            let mut install = Command::new(&python);
            install
                .args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", PACKAGE]);
            run(&mut install, Duration::from_secs(300))?;
        }
        match has_django(&python) {
            true => Ok(Django { python }),
            false => Err("pip installed Django, and yet it is not there".into()),
        }
    }

    /// Sends `count` mails of `bytes` each to the server at `address`, and waits for the end.
    pub fn send(&self, address: &str, count: u64, bytes: u64) -> Result<()> {
        let (_, port) = address.rsplit_once(':').ok_or("an address has a port")?;
        let mut command = Command::new(&self.python);
        command
            .args(["-c", LOOP, port])
            .args([count.to_string(), bytes.to_string()]);
        run(&mut command, Duration::from_secs(600)).map(drop)
    }
}

fn has_django(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import django"]);
    run(&mut command, Duration::from_secs(60)).is_ok()
}
