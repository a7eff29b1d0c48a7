//! `handsel up`: through the death of its parts, twice in one folder, with something missing, and who may read what.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::installation::{models_and_pictures, root};

#[test]
fn a_killed_part_is_started_again_and_a_second_start_keeps_the_data() {
    let Some((models, _)) = models_and_pictures() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut up = Up::start(folder.path(), &models);
    for part in ["party2", "platform", "till"] {
        let victim = up.process_of(part).expect("it runs");
        assert!(signal("KILL", victim));
        up.wait_for("it is started again", |up| up.process_of(part).is_some_and(|process| process != victim));
        up.wait_for("everything is ready again", |up| up.is_ready());
    }
    assert_only_the_owner_may_read(folder.path());
    for part in ["party1", "platform", "till"] {
        let process = up.process_of(part).expect("it runs");
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).expect("it runs");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the kernel lists it");
        assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{part} could leave a core dump");
    }
    let second = run(&["up", "--ephemeral-ports", "--dir"], folder.path(), &models);
    assert!(second.contains("another Handsel is running"), "{second}");
    let keys = fs::read(folder.path().join("party1/keys.toml")).expect("keys");
    drop(up);

    let mut again = Up::start(folder.path(), &models);
    again.wait_for("the second start is ready", |up| up.is_ready());
    assert_eq!(fs::read(folder.path().join("party1/keys.toml")).expect("keys"), keys, "keys are made once");
}

#[test]
fn what_is_missing_or_wrong_is_one_sentence_that_says_how_to_mend_it() {
    let Some((models, pictures)) = models_and_pictures() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let product = folder.path().join("product");
    fs::create_dir(&product).expect("a folder");
    fs::write(product.join("mode"), "product").expect("a file");
    let nowhere = folder.path().join("nowhere");
    let photos = pictures.to_str().expect("text");
    let absent = nowhere.to_str().expect("text");
    let rows: [(&[&str], &str); 5] = [
        (&["up", "--web", absent, "--dir"], "run `make web`"),
        (&["up", "--rules", absent, "--dir"], "give its place with --rules"),
        (&["demo", "--photos", absent, "--dir"], "nowhere"),
        (&["demo", "--photos", photos, "--dir"], "one folder of JPEG or PNG files per person"),
        (&["eval", "face", photos, "--pairs", absent, "--models"], "nowhere"),
    ];
    for (arguments, expected) in rows {
        let said = run(arguments, &product, &models);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{arguments:?}: {said}");
    }
    let person = folder.path().join("photos/Person");
    fs::create_dir_all(&person).expect("a folder");
    for file in ["obama.jpg", "obama2.jpg"] {
        fs::copy(pictures.join(file), person.join(file)).expect("a picture");
    }
    let said = run(&["demo", "--photos", folder.path().join("photos").to_str().expect("text"), "--dir"], &product, &models);
    assert!(said.contains("is an installation for product"), "{said}");
}

/// Runs the binary, which must fail with status 2, and returns what it said on standard error.
fn run(arguments: &[&str], last: &Path, models: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handsel"));
    command.current_dir(root()).args(arguments).arg(last);
    if arguments[0] != "eval" {
        command.arg("--models").arg(models);
    }
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two parties' folders together are every template: nobody else on the machine may look into any.
fn assert_only_the_owner_may_read(dir: &Path) {
    for folder in ["", "party1", "party1/data", "party2/data", "party3/data", "platform", "till"] {
        let mode = fs::metadata(dir.join(folder)).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{folder}: {mode:o}");
    }
}

pub struct Up {
    child: Child,
    pub dir: PathBuf,
    platform_port: u16,
}

impl Up {
    pub fn start(dir: &Path, models: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_handsel"))
            .current_dir(root())
            .args(["up", "--ephemeral-ports", "--json", "--dir"])
            .arg(dir)
            .arg("--models")
            .arg(models)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let addresses: Value = serde_json::from_str(&line).expect("one JSON object when ready");
        let url = addresses["platform_url"].as_str().expect("an address");
        let platform_port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { child, dir: dir.to_owned(), platform_port }
    }

    /// The process that runs with `part`'s configuration file.
    fn process_of(&self, part: &str) -> Option<u32> {
        process_with(&self.dir.join(part).join("node.toml"))
    }

    /// Whether all three parties are connected and in step: the status line of `/readyz`.
    pub fn is_ready(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut socket) = std::net::TcpStream::connect(("127.0.0.1", self.platform_port)) else { return false };
        let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
        let mut answer = [0; 12];
        socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").is_ok()
            && socket.read_exact(&mut answer).is_ok()
            && answer == *b"HTTP/1.1 200"
    }

    pub fn wait_for(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if condition(self) {
                return;
            }
            assert!(matches!(self.child.try_wait(), Ok(None)), "`handsel up` itself ended while waiting: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not within 30 seconds: {what}");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Terminated, not killed, so that it ends its parts.
        signal("TERM", self.child.id());
        let _ = self.child.wait();
    }
}

/// The process that was started with this configuration file.
pub fn process_with(config: &Path) -> Option<u32> {
    let config = config.to_string_lossy();
    fs::read_dir("/proc").expect("processes").flatten().find_map(|entry| {
        let process = entry.file_name().to_string_lossy().parse().ok()?;
        let command = fs::read_to_string(entry.path().join("cmdline")).ok()?;
        command.split('\0').any(|argument| argument == config).then_some(process)
    })
}

/// The shell's own `kill`: every machine has it.
pub fn signal(name: &str, process: u32) -> bool {
    Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().is_ok_and(|status| status.success())
}
