//! Findings of the checks and the rehearsal on the terminal: a sign, what was found, and the fix under what needs one.

use std::io::{IsTerminal as _, Write as _};

use super::{DONE, FAILED, UNREACHABLE, say};
use crate::doctor::checks::{ALL, place};
use crate::doctor::{Finding, Report, Status, Verdict};

pub(super) fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ok => DONE,
        Verdict::Failed => FAILED,
        Verdict::Unreachable => UNREACHABLE,
    }
}

pub(super) fn finding(finding: &Finding) {
    let (sign, color) = match finding.status {
        Status::Ok => ("✓", 32),
        Status::Warning => ("!", 33),
        Status::Failed => ("✗", 31),
        Status::Skipped => ("–", 2),
    };
    let Finding { title, found, .. } = finding;
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        say(&format!("\u{1b}[{color}m{sign}\u{1b}[0m {title}: {found}"));
    } else {
        say(&format!("{sign} {title}: {found}"));
    }
    if let Some(fix) = &finding.fix {
        say(&format!("  → {}", fix.replace('\n', "\n    ")));
    }
}

/// All findings of the checks under their headings, and how many there are.
pub(super) fn report(report: &Report) {
    let mut heading = "";
    for found in &report.findings {
        let check = place(found).and_then(|place| ALL.get(place));
        let group = check.map_or("", |check| check.group);
        if group != heading {
            heading = group;
            say(&format!("\n{heading}"));
        }
        finding(found);
    }
    let count = |status| {
        report
            .findings
            .iter()
            .filter(|finding| finding.status == status)
            .count()
    };
    let (failed, warnings, passed) = (count(Status::Failed), count(Status::Warning), count(Status::Ok));
    say(&format!(
        "\n{failed} failed, {warnings} warnings, {passed} passed"
    ));
}

/// A line on the terminal that shows how far the checks are; nothing where there is no terminal.
pub(super) struct Progress(usize);

impl Progress {
    pub(super) fn start() -> Self {
        show("");
        Self(0)
    }

    pub(super) fn found(&mut self, finding: &Finding) {
        self.0 += 1;
        show(&format!(
            "checking: {} of {}  {}",
            self.0,
            ALL.len(),
            finding.title
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        show("");
    }
}

fn show(line: &str) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        // Return, and erase the rest of the line (ECMA-48).
        let _ = write!(stderr, "\r\u{1b}[K{line}").and_then(|()| stderr.flush());
    }
}
