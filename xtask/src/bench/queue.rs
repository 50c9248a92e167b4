//! A Postfix of its own, in a temporary folder: it takes a queue of mails in while its queue
//! manager is switched off, and delivers all of them at once when it is switched on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::postfix::{Mails, free_address};
use super::process::run;
use super::{Error, Result};

const POSTFIX: &str = "/usr/sbin/postfix";

/// A Postfix with a folder of its own. It is stopped when this is dropped.
pub struct Queue {
    folder: tempfile::TempDir,
    smtp: String,
}

impl Queue {
    /// Makes one that will send everything to `sink`, over as many connections as `connections`,
    /// and fills its queue with `mails`.
    pub fn fill(sink: &str, connections: usize, mails: Mails) -> Result<Queue> {
        if !rustix::process::getuid().is_root() {
            return Err("Postfix starts as root alone; run this bench as root".into());
        }
        let folder = tempfile::Builder::new()
            .prefix("gatepost-bench-")
            .tempdir()?;
        // Its daemons run under accounts of their own and have to get in.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        for name in ["conf", "queue", "data"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let owned = Command::new("chown")
            .arg("postfix")
            .arg(folder.path().join("data"))
            .status()?;
        if !owned.success() {
            return Err("there is no account postfix: is Postfix installed whole?".into());
        }
        let queue = Queue {
            folder,
            smtp: free_address()?,
        };
        let main = main_cf(queue.folder.path(), sink, connections)?;
        std::fs::write(queue.folder.path().join("conf/main.cf"), main)?;
        queue.services(false)?;
        queue.postfix("start")?;
        mails.send(&queue.smtp)?;
        let held = count_files(&queue.folder.path().join("queue/incoming"))?;
        if held != mails.count {
            let count = mails.count;
            return Err(format!("{count} mails were given to Postfix, {held} are queued").into());
        }
        queue.postfix("stop")?;
        Ok(queue)
    }

    /// Starts the delivery of everything.
    pub fn release(&self) -> Result<()> {
        self.services(true)?;
        self.postfix("start")
    }

    fn postfix(&self, what: &str) -> Result<()> {
        let mut command = Command::new(POSTFIX);
        command
            .arg("-c")
            .arg(self.folder.path().join("conf"))
            .arg(what);
        run(&mut command, Duration::from_secs(60)).map(drop)
    }

    fn services(&self, delivers: bool) -> Result<()> {
        let manager = if delivers { "" } else { "#" };
        let text = format!(
            "{smtp} inet n - n - - smtpd\n\
             cleanup unix n - n - 0 cleanup\n\
             {manager}qmgr unix n - n 300 1 qmgr\n\
             rewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\n\
             defer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\n\
             proxymap unix - - n - - proxymap\n\
             smtp unix - - n - - smtp\n\
             error unix - - n - - error\n\
             retry unix - - n - - error\n\
             anvil unix - - n - 1 anvil\n\
             scache unix - - n - 1 scache\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\n",
            smtp = self.smtp,
        );
        std::fs::write(self.folder.path().join("conf/master.cf"), text)?;
        Ok(())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // It may be stopped already, which is an error to it and right to us.
        let _ = self.postfix("stop");
    }
}

/// As Debian sets Postfix up, but for the folders, the road and the number of connections.
fn main_cf(folder: &Path, sink: &str, connections: usize) -> Result<String> {
    let (host, port) = sink.rsplit_once(':').ok_or("a sink has a port")?;
    let folder = folder.display();
    Ok(format!(
        "compatibility_level = 3.6\n\
         config_directory = {folder}/conf\n\
         queue_directory = {folder}/queue\n\
         data_directory = {folder}/data\n\
         mail_owner = postfix\n\
         setgid_group = postdrop\n\
         myhostname = bench.example.com\n\
         mydestination =\n\
         mynetworks = 127.0.0.0/8\n\
         inet_interfaces = loopback-only\n\
         inet_protocols = ipv4\n\
         relayhost = [{host}]:{port}\n\
         smtp_dns_support_level = disabled\n\
         alias_maps =\n\
         alias_database =\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\n\
         # Nothing leaves while the queue is filled: the pauses for that are in the way.\n\
         in_flow_delay = 0\n\
         default_destination_concurrency_limit = {connections}\n\
         initial_destination_concurrency = {connections}\n"
    ))
}

fn count_files(folder: &Path) -> Result<u64> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        files += match entry.file_type()?.is_dir() {
            true => count_files(&entry.path())?,
            false => 1,
        };
    }
    Ok::<_, Error>(files)
}
