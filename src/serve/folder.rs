//! The data folder: who may use it, what lies in it, and the two files of secrets that are made
//! on the first start.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use rustix::process::geteuid;
use serde::Deserialize;
use serde::Serialize;

use crate::secret::Keys;
use crate::secret::SecretText;
use crate::secret::Token;
use crate::secret::TokenKind;
use crate::world::World;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or the folder itself could not be made, read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and is not what gatepost writes.
    #[error("{path}: {problem}")]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
}

/// The addresses and the process of the gatepost that runs on a data folder: what another
/// command needs to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Where its HTTP service listens.
    pub http: SocketAddr,
    /// Where its SMTP inbox listens.
    pub smtp: SocketAddr,
    /// Its process.
    pub pid: u32,
}

/// A data folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made (0700) when it is not there.
    pub fn open(path: &Path) -> Result<Folder, FolderError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed(path))?;
        Ok(Folder {
            path: path.to_owned(),
        })
    }

    /// The folder at `path` for a reader, who makes and changes nothing in it.
    pub(super) fn of_another(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the store.
    pub fn store(&self) -> PathBuf {
        self.path.join("store.redb")
    }

    /// Makes the store's file, empty, or takes it away from everybody but its owner (0600): the
    /// folder may have been there before, open to all, and is not ours to close.
    pub fn guard_store(&self) -> Result<(), FolderError> {
        let path = self.store();
        let guarded = match std::fs::metadata(&path) {
            Ok(found) if found.mode() & 0o077 != 0 && found.uid() == geteuid().as_raw() => {
                let mode = found.mode() & 0o700;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map(drop),
            Err(error) => Err(error),
        };
        guarded.map_err(failed(&path))
    }

    /// The file of the operator's token.
    pub fn admin_token_file(&self) -> PathBuf {
        self.path.join("admin.token")
    }

    /// The installation's keys; drawn on the first start.
    pub fn keys(&self, world: &World) -> Result<Keys, FolderError> {
        let path = self.path.join("secret.key");
        let bytes = read_or_create(&path, || world.bytes::<32>().to_vec())?;
        let root: [u8; 32] = bytes.try_into().map_err(|_| FolderError::Malformed {
            path,
            problem: "not the 32 bytes that gatepost wrote; restore it from the backup of the store",
        })?;
        Ok(Keys::from_root(&root))
    }

    /// The operator's token; drawn on the first start, replaced by writing another one into it.
    pub fn admin_token(&self, world: &World) -> Result<SecretText, FolderError> {
        let path = self.admin_token_file();
        let draw = || {
            let token = Token::draw(world, TokenKind::Admin);
            format!("{}\n", token.expose()).into_bytes()
        };
        parse_token(read_or_create(&path, draw)?, path)
    }

    /// The operator's token as another gatepost wrote it.
    pub(super) fn written_token(&self) -> Result<SecretText, FolderError> {
        let path = self.admin_token_file();
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        parse_token(bytes, path)
    }

    fn address_file(&self) -> PathBuf {
        self.path.join("running.json")
    }

    /// Says who runs here, to [`Folder::running`].
    pub fn announce(&self, address: &Address) -> Result<(), FolderError> {
        let path = self.address_file();
        let json = serde_json::to_vec(address).expect("two addresses and a number are JSON");
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, json).map_err(failed(&draft))?;
        std::fs::rename(&draft, &path).map_err(failed(&path))
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        if let Err(error) = std::fs::remove_file(self.address_file()) {
            // A stale announcement only costs its reader one refused connection.
            tracing::debug!(%error, "running.json stays behind");
        }
    }

    /// Who announced itself here; it may have been killed since.
    pub fn running(&self) -> Option<Address> {
        let json = std::fs::read(self.address_file()).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

fn parse_token(bytes: Vec<u8>, path: PathBuf) -> Result<SecretText, FolderError> {
    let text = String::from_utf8(bytes).unwrap_or_default();
    let text = text.trim();
    if text.len() < 32 {
        return Err(FolderError::Malformed {
            path,
            problem: "a token has at least 32 characters; delete the file to get a new one",
        });
    }
    Ok(SecretText::from(text.to_owned()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

/// Reads the file, or makes it (0600, durable before anything relies on it) from `draw`.
fn read_or_create(path: &Path, draw: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, FolderError> {
    match File::open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed(path))?;
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = draw();
            // Under another name first: a crash in between must not leave half a secret behind.
            let draft = path.with_extension("new");
            let write = || {
                let mut file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&draft)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                std::fs::rename(&draft, path)?;
                File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
            };
            write().map_err(failed(path))?;
            Ok(bytes)
        }
        Err(error) => Err(failed(path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[test]
    fn secrets_are_made_once_for_their_owner_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(&temporary.path().join("a/data")).unwrap();
        let world = Simulated::new(1).world();
        let token = folder.admin_token(&world).unwrap();
        assert_eq!(folder.admin_token(&world).unwrap(), token);
        folder.keys(&world).unwrap();
        for name in ["admin.token", "secret.key"] {
            let mode = std::fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let mode = std::fs::metadata(folder.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_damaged_secret_is_named_and_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        let world = Simulated::new(1).world();
        std::fs::write(temporary.path().join("secret.key"), b"short").unwrap();
        let error = folder.keys(&world).unwrap_err().to_string();
        assert!(
            error.contains("secret.key") && error.contains("32 bytes"),
            "{error}"
        );
        assert_eq!(
            std::fs::read(temporary.path().join("secret.key")).unwrap(),
            b"short"
        );
    }

    #[test]
    fn the_one_who_runs_is_found_until_it_withdraws() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        assert_eq!(folder.running(), None);
        let address = Address {
            http: "127.0.0.1:8000".parse().unwrap(),
            smtp: "127.0.0.1:1025".parse().unwrap(),
            pid: 7,
        };
        folder.announce(&address).unwrap();
        assert_eq!(folder.running(), Some(address));
        folder.withdraw();
        folder.withdraw();
        assert_eq!(folder.running(), None);
    }
}
