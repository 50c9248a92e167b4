//! The ready file: tells whoever started gatepost where it listens, once it does.

use std::io;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::Pid;

/// A ready file that was written by this process; removed when dropped, if it is still ours.
pub struct ReadyFile {
    path: PathBuf,
    line: String,
}

impl ReadyFile {
    /// Removes one that a gatepost left behind which was killed, so that nobody takes it for the
    /// one that is about to start. One whose process is alive stays.
    pub fn remove_stale(path: &Path) {
        #[derive(serde::Deserialize)]
        struct Left {
            pid: i32,
        }
        let left = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| serde_json::from_str::<Left>(&text).ok());
        let Some(pid) = left.map(|left| left.pid).filter(|pid| *pid > 0) else {
            // There is none, or it is not ours.
            return;
        };
        // In a container every gatepost has the same number; this one has written none yet.
        let own = i32::try_from(std::process::id()) == Ok(pid);
        let alive = Pid::from_raw(pid)
            .is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH));
        if own || !alive {
            // If that fails, writing the new one will fail too, and say so.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Writes it under another name first, so that nobody reads half of it.
    pub fn write(path: &Path, http: SocketAddr, smtp: SocketAddr) -> io::Result<ReadyFile> {
        let pid = std::process::id();
        let line = format!("{{\"http\": \"{http}\", \"smtp\": \"{smtp}\", \"pid\": {pid}}}\n");
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{pid}.new"));
        let draft = PathBuf::from(draft);
        let written = std::fs::File::create(&draft)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .and_then(|()| std::fs::rename(&draft, path));
        if let Err(error) = written {
            // Whatever of it there is says nothing to anybody.
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
        Ok(ReadyFile {
            path: path.to_owned(),
            line,
        })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if std::fs::read_to_string(&self.path).is_ok_and(|found| found == self.line) {
            // One that stays behind names a process that is gone, which its reader can see.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_and_goes_when_it_is_still_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        let http: SocketAddr = "127.0.0.1:8000".parse().unwrap();
        let smtp: SocketAddr = "[::1]:1025".parse().unwrap();
        let ready = ReadyFile::write(&path, http, smtp).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["smtp"], "[::1]:1025");
        assert_eq!(json["pid"], std::process::id());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(ready);
        assert!(!path.exists());

        let ready = ReadyFile::write(&path, http, smtp).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(ready);
        assert!(path.exists());
    }

    #[test]
    fn one_that_was_left_behind_goes_unless_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        let stays = |text: &str| {
            std::fs::write(&path, text).unwrap();
            ReadyFile::remove_stale(&path);
            path.exists()
        };
        let of = |pid: u32| format!("{{\"http\": \"127.0.0.1:1\", \"pid\": {pid}}}\n");
        assert!(stays(&of(std::os::unix::process::parent_id())));
        assert!(stays("not ours"));
        assert!(!stays(&of(std::process::id())));
        // More than any system gives out.
        assert!(!stays(&of(2_000_000_000)));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert!(ReadyFile::write(&folder.path().join("a/b.json"), at, at).is_err());
    }
}
