//! Finding the gatepost that runs on a data folder, for a command that wants to talk to it.
//! Nothing is made or changed there. What must not live here: talking to it.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::client;
use crate::client::Client;
use crate::secret::SecretText;
use crate::text;

use super::Address;
use super::Folder;
use super::FolderError;

/// A gatepost that runs.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where.
    pub address: Address,
    /// What it knows its operator by.
    pub token: SecretText,
    /// Where that was read.
    pub token_file: PathBuf,
}

impl Found {
    /// A client of it. Nothing was asked yet.
    ///
    /// # Errors
    /// The token file holds none.
    pub fn client(&self) -> Result<Client, client::Error> {
        let url = format!("http://{}", self.address.http);
        let source = self.token_file.display().to_string();
        let client = Client::new(&url, self.token.clone(), &source)?;
        let folder = self.token_file.parent().unwrap_or(Path::new("."));
        Ok(client.absence_means(&format!(
            "yet a gatepost uses the data folder {}: it is starting or stopping, or listens \
             inside a container, or its running.json is out of date; try again in a moment, or \
             name its address with --url",
            folder.display()
        )))
    }
}

/// Why no gatepost was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// None runs on the folder, as far as the folder tells.
    #[error(
        "no gatepost runs on the data folder {folder}{traces}; start one with `gatepost serve --data {quoted}` or `gatepost dev --data {quoted}`, name another folder with --data, or a server elsewhere with --url and --token-file",
        folder = .folder.display(),
        quoted = text::quoted(&.folder.display().to_string()),
        traces = traces(.left.as_ref()),
    )]
    Nobody {
        /// The folder.
        folder: PathBuf,
        /// What one that was killed left behind.
        left: Option<Address>,
    },
    /// The folder cannot be read: it is another user's, mostly.
    #[error(
        "{0}; the data folder is for the user who runs gatepost: become that user, or name a copy of the token with --url and --token-file"
    )]
    Folder(#[from] FolderError),
}

fn traces(left: Option<&Address>) -> String {
    left.map_or_else(String::new, |left| {
        format!(
            " (the process {} at http://{} has ended without taking back its running.json)",
            left.pid, left.http
        )
    })
}

/// The gatepost that runs on the data folder `dir`.
///
/// One that was killed leaves its address behind, where anybody may listen by now, and the
/// operator's token is not for anybody: only whoever holds the lock of the store is asked.
///
/// # Errors
/// Nobody runs there, or the folder cannot be read.
pub fn find(dir: &Path) -> Result<Found, FindError> {
    let folder = Folder::of_another(dir);
    let nobody = |left| FindError::Nobody {
        folder: dir.to_owned(),
        left,
    };
    let Some(address) = folder.running() else {
        // Not to be seen is not the same as not there.
        return match std::fs::read_dir(dir) {
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                Err(FindError::Folder(FolderError::Io {
                    path: dir.to_owned(),
                    source,
                }))
            }
            _ => Err(nobody(None)),
        };
    };
    if !in_use(&folder.store()) {
        return Err(nobody(Some(address)));
    }
    Ok(Found {
        address,
        token: folder.written_token()?,
        token_file: folder.admin_token_file(),
    })
}

/// Whether a gatepost holds the lock of the store. It is asked for by taking a share of it for a
/// moment, which a gatepost that starts in this very moment waits for.
pub(super) fn in_use(store: &Path) -> bool {
    match File::open(store) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        // Then the token cannot be read either, and that is what is told.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_which_nobody_runs_says_how_to_start_one_and_is_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("data");
        let said = find(&dir).unwrap_err().to_string();
        assert!(said.contains("gatepost serve --data"), "{said}");
        assert!(said.contains("--url"), "{said}");
        assert!(!dir.exists());
    }

    #[test]
    fn an_address_that_was_left_behind_is_nobodys() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        folder.guard_store().unwrap();
        folder
            .announce(&Address {
                http: "127.0.0.1:8000".parse().unwrap(),
                smtp: "127.0.0.1:1025".parse().unwrap(),
                pid: 4711,
            })
            .unwrap();
        std::fs::write(folder.admin_token_file(), "gpa_".repeat(10)).unwrap();
        let said = find(temporary.path()).unwrap_err().to_string();
        assert!(said.contains("4711"), "{said}");

        // As long as somebody holds the store, it is believed.
        let held = File::open(folder.store()).unwrap();
        held.try_lock().unwrap();
        assert_eq!(find(temporary.path()).unwrap().address.pid, 4711);
    }
}
