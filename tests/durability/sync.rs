//! A kill spares the page cache, a power cut does not: here the sync itself is seen, and seen before the answer.
//!
//! A small library, preloaded into the child, stops each sync until it is let go. The same check on a store that
//! does not sync must come out the other way round, or the instrument would see nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::child::{Role, gate};
use crate::shim;

/// Until a child that says nothing counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// For how long a held child is watched for an answer that must not come.
const WATCH: Duration = Duration::from_millis(300);

struct Held {
    child: Child,
    lines: Receiver<String>,
}

impl Held {
    fn start(role: Role, directory: &Path) -> Self {
        let mut child = role
            .command(directory)
            .env("LD_PRELOAD", shim::build("hold_sync", directory))
            .env("HOLD_SYNC_WHILE", gate(directory))
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines() {
                if tell.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    fn let_one_sync_go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn end(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_completion_is_answered_only_after_its_sync() {
    let directory = tempfile::tempdir().unwrap();
    let mut held = Held::start(Role::CompleteSynced, directory.path());
    assert_eq!(held.next(), "holding");
    assert_eq!(held.next(), "sync held");
    assert_eq!(held.lines.recv_timeout(WATCH), Err(RecvTimeoutError::Timeout));
    held.let_one_sync_go();
    assert_eq!(held.next(), "sync done");
    // The first commit of a new log may sync its name too; whatever is held has to be let go before the answer.
    let mut line = held.next();
    while line == "sync held" {
        assert_eq!(held.lines.recv_timeout(WATCH), Err(RecvTimeoutError::Timeout));
        held.let_one_sync_go();
        assert_eq!(held.next(), "sync done");
        line = held.next();
    }
    assert_eq!(line, "answered");
    assert_eq!(held.next(), "closed");
    held.end();
}

#[test]
fn without_syncing_the_same_instrument_sees_the_answer_come_first() {
    let directory = tempfile::tempdir().unwrap();
    let held = Held::start(Role::CompleteUnsynced, directory.path());
    assert_eq!(held.next(), "holding");
    assert_eq!(held.next(), "answered");
    assert_eq!(held.next(), "closed");
    held.end();
}
