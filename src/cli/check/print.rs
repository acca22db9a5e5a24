//! Findings for people: a sign, what was found, and the fix under what needs one.

use std::io::{IsTerminal as _, Write as _};

use crate::cli::say;
use crate::doctor::checks::{ALL, Finding, Report, Status};

/// Columns of a line, with its indent.
const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// A line on the terminal that says how far it is; nothing where there is none.
pub(super) struct Progress {
    shown: bool,
    done: usize,
}

impl Progress {
    pub(super) fn start() -> Self {
        let mut progress = Self {
            shown: std::io::stderr().is_terminal(),
            done: 0,
        };
        progress.show("");
        progress
    }

    pub(super) fn heard(&mut self, finding: &Finding) {
        self.done += 1;
        self.show(finding.title);
    }

    fn show(&mut self, title: &str) {
        if self.shown {
            // Return, and erase the rest of the line (ECMA-48).
            let line = format!("\r\u{1b}[Kchecking: {} of {}  {title}", self.done, ALL.len());
            let mut out = std::io::stderr().lock();
            self.shown = write!(out, "{line}").and_then(|()| out.flush()).is_ok();
        }
    }

    pub(super) fn end(&self) {
        if self.shown {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\u{1b}[K").and_then(|()| out.flush());
        }
    }
}

/// All of them under their headings, and how it went.
pub(super) fn findings(environment: &str, report: &Report) {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    say(&format!(
        "plaid-token-broker {}, {environment}",
        env!("CARGO_PKG_VERSION")
    ));
    let mut group = "";
    for finding in &report.findings {
        let own = ALL
            .iter()
            .find(|check| check.id == finding.id)
            .map_or("", |check| check.group);
        if own != group {
            group = own;
            say(&format!("\n{group}"));
        }
        say(&format!("  {} {}", sign(finding.status, colours), finding.title));
        paragraph("", &finding.found);
        if let Some(fix) = &finding.fix {
            for (number, line) in fix.lines().enumerate() {
                paragraph(if number == 0 { "Fix: " } else { "" }, line);
            }
        }
    }
    let count = |status| {
        report
            .findings
            .iter()
            .filter(|finding| finding.status == status)
            .count()
    };
    let (failed, warnings) = (count(Status::Failed), count(Status::Warning));
    say(&format!(
        "\n{failed} failed, {warnings} warnings, {} passed",
        count(Status::Ok)
    ));
}

fn sign(status: Status, colours: bool) -> String {
    let (sign, colour) = match status {
        Status::Ok => ("✓", 32),
        Status::Warning => ("!", 33),
        Status::Failed => ("✗", 31),
        Status::Skipped => ("–", 2),
    };
    if colours {
        format!("\u{1b}[{colour}m{sign}\u{1b}[0m")
    } else {
        sign.to_owned()
    }
}

fn paragraph(label: &str, text: &str) {
    let mut line = format!("{INDENT}{label}");
    let mut begun = false;
    for word in text.split_whitespace() {
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            say(&line);
            INDENT.clone_into(&mut line);
            begun = false;
        }
        if begun {
            line.push(' ');
        }
        line.push_str(word);
        begun = true;
    }
    if begun {
        say(&line);
    }
}
