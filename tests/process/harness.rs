//! Starts the program, reads what it says, stops or kills it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take that a test waits for. A loaded machine is slow; nothing here takes a tenth of it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const BINARY: &str = env!("CARGO_BIN_EXE_plaid-token-broker");

/// An empty directory that vanishes with the value.
pub fn directory() -> TempDir {
    TempDir::new().unwrap()
}

/// How the program is to be started. Ports are the system's choice, as tests run side by side; nothing else is set.
pub struct Start {
    program: PathBuf,
    directory: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    user: Option<u32>,
}

impl Start {
    /// `serve`, in this directory.
    pub fn broker(directory: impl AsRef<Path>) -> Self {
        let mut start = Self::command(directory, &[]);
        for (name, value) in [
            ("APP_PORT", "0"),
            ("BROKER_OPS_BIND", "127.0.0.1:0"),
            ("BROKER_SIMULATOR_BIND", "127.0.0.1:0"),
        ] {
            start = start.set(name, value);
        }
        start
    }

    /// These arguments, and an empty environment.
    pub fn command(directory: impl AsRef<Path>, arguments: &[&str]) -> Self {
        Self {
            program: BINARY.into(),
            directory: directory.as_ref().to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: BTreeMap::new(),
            user: None,
        }
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Another command with the same settings.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self
    }

    /// In another directory.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        directory.as_ref().clone_into(&mut self.directory);
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Another program, which runs ours.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// A copy of the program run by another user.
    pub fn by_user(mut self, program: PathBuf, user: u32) -> Self {
        self.program = program;
        self.user = Some(user);
        self
    }

    /// The command, with both outputs piped.
    pub fn into_command(self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user);
        }
        command
    }

    pub fn spawn(self) -> Process {
        let mut child = self.into_command().spawn().expect("the program starts");
        Process {
            stdout: Output::of(child.stdout.take().unwrap()),
            stderr: Output::of(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Runs to the end, which must come by itself.
    pub fn run(self) -> Ended {
        let mut process = self.spawn();
        let status = process.wait();
        Ended {
            code: status.code(),
            stdout: process.stdout.text(),
            stderr: process.stderr.text(),
        }
    }
}

/// What a program left behind that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Absent when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// It ended with this code, and standard error holds all these words.
    #[track_caller]
    pub fn must_say(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in {self:?}");
        }
    }
}

/// A program that runs. It is killed when the value is dropped.
pub struct Process {
    child: Child,
    pub stdout: Output,
    pub stderr: Output,
}

impl Process {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, `TERM` or `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &self.id().to_string()])
            .status()
            .expect("sh is there");
        assert!(status.success(), "kill -s {name}");
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Waits for the end, which closes both outputs.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let ended = self.stdout.closes_by(deadline) && self.stderr.closes_by(deadline);
        assert!(
            ended,
            "still running\n{}\n{}",
            self.stdout.text(),
            self.stderr.text()
        );
        self.child.wait().unwrap()
    }

    /// Tells it to stop, and waits for its exit code.
    #[track_caller]
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it said belongs to the output of the tests: whoever searches that for secrets reads this too.
        let soon = Instant::now() + PATIENCE;
        self.stderr.closes_by(soon);
        println!(
            "--- {}\n{}\n{}",
            self.child.id(),
            without_links(&self.stdout.text(), ""),
            without_links(&self.stderr.text(), "On this machine also: ")
        );
    }
}

/// Standard output may hold single-use links, which is where they belong, and so may what `admin-link` says beside it; they
/// are not kept with what the tests said. `said`: how a line begins that may hold one.
fn without_links(text: &str, said: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("/setup/login/") {
        Some((before, _)) if line.starts_with(said) => format!("{before}/setup/login/…"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What arrives on a pipe.
#[derive(Clone, Default)]
pub struct Output(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    text: String,
    closed: bool,
}

impl Output {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let heard = output.clone();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                heard.change(|heard| heard.text.push_str(&String::from_utf8_lossy(&line)));
                line.clear();
            }
            heard.change(|heard| heard.closed = true);
        });
        output
    }

    fn change(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    pub fn text(&self) -> String {
        self.0.0.lock().unwrap().text.clone()
    }

    fn waits_until(&self, deadline: Instant, mut met: impl FnMut(&Heard) -> bool) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let heard = self.0.0.lock().unwrap();
        let (_heard, result) = self
            .0
            .1
            .wait_timeout_while(heard, left, |heard| !met(heard))
            .unwrap();
        !result.timed_out()
    }

    fn closes_by(&self, deadline: Instant) -> bool {
        self.waits_until(deadline, |heard| heard.closed)
    }

    /// The rest of the first line that begins so, once it is there.
    #[track_caller]
    pub fn line(&self, beginning: &str) -> String {
        let mut found = None;
        self.waits_until(Instant::now() + PATIENCE, |heard| {
            found = heard
                .text
                .lines()
                .find_map(|line| line.strip_prefix(beginning))
                .map(str::to_owned);
            found.is_some() || heard.closed
        });
        found.unwrap_or_else(|| panic!("no line `{beginning}…` in {:?}", self.text()))
    }

    /// Waits until these words are there.
    #[track_caller]
    pub fn says(&self, words: &str) {
        self.waits_until(Instant::now() + PATIENCE, |heard| {
            heard.closed || heard.text.contains(words)
        });
        assert!(self.text().contains(words), "no `{words}` in {:?}", self.text());
    }
}

/// The files below a directory with their modes, for messages and for checks.
pub fn mode(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Whether file modes do not bind this user.
pub fn is_root(directory: &TempDir) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(directory.path()).unwrap().uid() == 0
}

/// Writes a file of a test's directory.
pub fn write(directory: &TempDir, name: impl AsRef<OsStr>, text: &str) {
    std::fs::write(directory.path().join(Path::new(name.as_ref())), text).unwrap();
}
