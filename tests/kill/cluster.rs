//! A PostgreSQL cluster of its own, on a socket in a folder of its own: it can be killed and started
//! again without anybody else noticing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running cluster; it ends with the value.
pub(crate) struct Cluster {
    binaries: PathBuf,
    folder: tempfile::TempDir,
}

/// Where Debian keeps the newest server's programs.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

impl Cluster {
    /// Makes and starts one; `None`, with a line that says so, where no server is installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            println!("skipped: no initdb under /usr/lib/postgresql");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let cluster = Self { binaries, folder };
        if cluster.is_root() {
            let path = cluster.folder.path();
            let owned = Command::new("chown").arg("postgres").arg(path).status();
            assert!(owned.unwrap().success(), "the user postgres is there");
        }
        let data = cluster.data();
        cluster.run(
            "initdb",
            &["-D", &data, "-A", "trust", "-U", "postgres", "-N"],
        );
        cluster.control("start");
        Some(cluster)
    }

    /// Where its socket is.
    fn address(&self) -> String {
        let socket = self.folder.path().display().to_string();
        let socket = socket.replace('/', "%2F");
        format!("postgres://postgres@{socket}")
    }

    /// A fresh database.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("{}/{name}", self.address())
    }

    /// Runs SQL; whether it went through.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> bool {
        let socket = self.folder.path().display().to_string();
        let arguments = ["-h", &socket, "-U", "postgres", "-d", database, "-c", sql];
        let mut command = Command::new(self.binaries.join("psql"));
        let done = command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        done.status().unwrap().success()
    }

    /// Kills the server where it stands, and starts it again: it recovers from its log.
    pub(crate) fn crash(&self) {
        self.control("restart");
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn is_root(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let own = Path::new("/proc/self").metadata();
        own.is_ok_and(|own| own.uid() == 0)
    }

    fn control(&self, what: &str) {
        let socket = self.folder.path().display();
        // A small one: many tests run beside it.
        let options = format!("-k {socket} -c listen_addresses='' -c shared_buffers=16MB");
        let data = self.data();
        let log = self.folder.path().join("log").display().to_string();
        let mode = ["-m", "immediate", "-w", "-l", &log];
        let arguments = [&["-D", &data, "-o", &options][..], &mode, &[what]].concat();
        self.run("pg_ctl", &arguments);
    }

    /// Runs a program of the server, as another user than root: it refuses to run as that.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.binaries.join(program);
        let mut command = match self.is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
                command.arg(program);
                command
            }
            false => Command::new(program),
        };
        let done = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(done.unwrap().success(), "{arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Its log may say why.
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            println!("{}", log.unwrap_or_default());
        }
        self.control("stop");
    }
}
