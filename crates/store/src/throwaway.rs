//! A PostgreSQL server of one's own for tests and measurements: made in a temporary folder from the installed programs,
//! reached through a socket in it, gone with whoever started it, even if that is killed.

use std::fs::Permissions;
use std::io::{self, Error, ErrorKind};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::db::{Connection, Location, Role};

/// Where Debian keeps each version's programs.
const INSTALLED: &str = "/usr/lib/postgresql";
/// The oldest version that is tested with.
const VERSION_MIN: u32 = 15;
/// A server refuses to run as root, so root runs it as one of these.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
const START_MAX: Duration = Duration::from_secs(60);
/// Keeps the server running, also after it was killed, until its input ends, which it does with its parent's life; then
/// ends the server and removes the folder.
const KEEPER: &str = r#"exec 3<&0
( while [ ! -e ended ]; do "$0" "$@" </dev/null; done ) &
read -r _ <&3
touch ended; kill -QUIT "$(head -n 1 data/postmaster.pid)"; wait; rm -rf "$FOLDER""#;

/// A server that runs until this is dropped or its process ends.
pub struct Throwaway {
    folder: PathBuf,
    programs: PathBuf,
    databases: AtomicU32,
    keeper: Child,
}

impl Throwaway {
    /// Makes and starts a server with `settings` beside the defaults, such as `("max_connections", "200")`. It keeps
    /// what it commits (`fsync=on`).
    ///
    /// # Errors
    /// PostgreSQL is not installed, or does not start; says what to do.
    pub fn start(settings: &[(&str, &str)]) -> io::Result<Self> {
        Self::start_with(&[], settings)
    }

    /// The same with `files`, name and text, in [`Self::folder`]: the data is in `data` beside them, and only the server
    /// may read them.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(files: &[(&str, &str)], settings: &[(&str, &str)]) -> io::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("handsel-pg").tempdir()?.keep();
        let owner = if rustix::process::geteuid().is_root() { Some(unprivileged()?) } else { None };
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group))?;
        }
        for (name, text) in files {
            std::fs::write(folder.join(name), text)?;
            std::fs::set_permissions(folder.join(name), Permissions::from_mode(0o600))?;
            if let Some((user, group)) = owner {
                chown(folder.join(name), Some(user), Some(group))?;
            }
        }
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            owner.map(|(user, group)| command.uid(user).gid(group));
            command
        };
        let made = as_owner(&programs.join("initdb"))
            .args(["--username=handsel", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata=data"])
            .output()?;
        if !made.status.success() {
            return Err(Error::other(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr))));
        }
        let mut server = as_owner(Path::new("/bin/sh"));
        server.env("FOLDER", &folder).arg("-c").arg(KEEPER).arg(programs.join("postgres"));
        server.args(["-D", "data", "-c", "listen_addresses=", "-c", "fsync=on"]).arg("-k").arg(&folder);
        for (name, value) in settings {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        let log = std::fs::File::create(folder.join("log"))?;
        let keeper = server.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).process_group(0).spawn()?;
        let server = Self { folder, programs, databases: AtomicU32::new(0), keeper };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// The server is gone.
    pub fn new_database(&self) -> io::Result<Location> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let connection = Connection::open(&self.location("postgres"), Role::Reader).map_err(Error::other)?;
        connection.batch(&format!("CREATE DATABASE {name}")).map_err(Error::other)?;
        Ok(self.location(&name))
    }

    /// Kills all of the server's processes at once; it starts again by itself, and what it had committed is there.
    ///
    /// # Errors
    /// It does not run.
    pub fn crash(&self) -> io::Result<()> {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        let first = file.lines().next().and_then(|line| line.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        for process in std::iter::once(first).chain(children) {
            // One that has just ended needs no killing.
            let _ = rustix::process::Pid::from_raw(process).map(|process| kill_process(process, Signal::KILL));
        }
        self.wait_until_ready()
    }

    /// Where the server's programs are, such as `pgbench`.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The folder of the server's socket; its port is 5432, its user `handsel`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn location(&self, database: &str) -> Location {
        let text = format!("postgres://handsel@/{database}?host={}", self.folder.display());
        text.parse().expect("an address of this form is sound")
    }

    #[expect(clippy::disallowed_methods, reason = "waits for another program, for tests and measurements")]
    fn wait_until_ready(&self) -> io::Result<()> {
        let begin = Instant::now();
        loop {
            match Connection::open(&self.location("postgres"), Role::Reader) {
                Ok(_) => return Ok(()),
                Err(error) if begin.elapsed() > START_MAX => {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    return Err(Error::other(format!("the server does not start: {error}\n{log}")));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Whether it ended well is nobody's concern any more.
        let _ = self.keeper.wait();
    }
}

/// The folder with the newest server's programs.
fn programs() -> io::Result<PathBuf> {
    let versions = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| *version >= VERSION_MIN && Path::new(INSTALLED).join(version.to_string()).join("bin/initdb").exists())
        .max();
    let newest =
        newest.ok_or_else(|| Error::new(ErrorKind::NotFound, "PostgreSQL 15 or later is not installed: run scripts/setup test"))?;
    Ok(Path::new(INSTALLED).join(newest.to_string()).join("bin"))
}

/// User and group to run a server as.
fn unprivileged() -> io::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let numbers = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    UNPRIVILEGED.into_iter().find_map(numbers).ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no user postgres or nobody"))
}
