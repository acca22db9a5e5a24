//! The one way out for findings: every text is made safe to show here.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::finding::{Check, Finding, Report};

/// Longer texts of other programs are cut.
const MAX_CHARS: usize = 1_200;
/// Shorter secrets are too ordinary to be looked for.
const MIN_SECRET_BYTES: usize = 6;

/// Hands each finding of `work` to `on_finding` as soon as it is there, and returns all of them. `secrets` appear in none,
/// whatever other programs answer.
pub(super) async fn run<'s, Work: Future<Output = ()>>(
    mut secrets: Vec<&'s str>,
    work: impl FnOnce(Reporter<'s>) -> Work,
    mut on_finding: impl FnMut(&Finding),
) -> Report {
    secrets.retain(|secret| secret.len() >= MIN_SECRET_BYTES);
    let (sender, mut receiver) = unbounded_channel();
    let mut findings: Vec<Finding> = Vec::new();
    let receiving = async {
        while let Some(finding) = receiver.recv().await {
            on_finding(&finding);
            findings.push(finding);
        }
    };
    tokio::join!(work(Reporter { sender, secrets }), receiving);
    Report { findings }
}

pub(super) struct Reporter<'s> {
    sender: UnboundedSender<Finding>,
    secrets: Vec<&'s str>,
}

impl Reporter<'_> {
    pub(super) fn report(&self, mut finding: Finding) {
        finding.title = self.redact(&finding.title).into();
        finding.found = self.redact(&finding.found);
        // A fix may have lines to copy.
        let redact_lines = |fix: String| {
            fix.lines()
                .map(|line| self.redact(line))
                .collect::<Vec<_>>()
                .join("\n")
        };
        finding.fix = finding.fix.map(redact_lines);
        // The receiver may have stopped listening.
        let _ = self.sender.send(finding);
    }

    /// Reports and returns what `check` finds within `limit`.
    pub(super) async fn within(
        &self,
        limit: Duration,
        check: Check,
        finding: impl Future<Output = Finding>,
    ) -> Finding {
        let found = tokio::time::timeout(limit, finding).await.unwrap_or_else(|_| {
            check.failed(
                format!("This took longer than {} s and was given up.", limit.as_secs()),
                "Try again; if it happens again, look at the network and the load of this machine.",
            )
        });
        self.report(found.clone());
        found
    }

    /// Without secrets and control characters, and not too long.
    fn redact(&self, text: &str) -> String {
        let mut safe = text.to_owned();
        for secret in &self.secrets {
            safe = safe.replace(secret, "…");
        }
        let mut safe = safe.replace(char::is_control, " ");
        if let Some((at, _)) = safe.char_indices().nth(MAX_CHARS) {
            safe.truncate(at);
            safe.push('…');
        }
        safe
    }
}

/// Names for people: "a", "a and b", "a, b and c".
pub(super) fn names<'n>(all: impl IntoIterator<Item = &'n str>) -> String {
    let all: Vec<&str> = all.into_iter().collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_as_people_do() {
        assert_eq!(names([]), "");
        assert_eq!(names(["a"]), "a");
        assert_eq!(names(["a", "b"]), "a and b");
        assert_eq!(names(["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn no_secret_and_no_control_character_gets_out() {
        let reporter = Reporter {
            sender: unbounded_channel().0,
            secrets: vec!["hush-hush"],
        };
        assert_eq!(reporter.redact("a hush-hush\u{1b}[31m b"), "a … [31m b");
        assert_eq!(
            reporter.redact(&"é".repeat(MAX_CHARS + 1)).chars().count(),
            MAX_CHARS + 1
        );
    }
}
