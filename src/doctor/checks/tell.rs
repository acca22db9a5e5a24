//! The one way out of a check: every text is made fit to be shown here.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::context::Context;
use super::finding::{Check, Finding};

/// Other sides' words are cut after so many characters.
const LONGEST: usize = 1_200;
/// Shorter secrets are too ordinary to be looked for.
const TELLING: usize = 6;

/// Where findings go.
pub(super) struct Tell<'c> {
    sender: UnboundedSender<Finding>,
    secrets: Vec<&'c str>,
}

impl<'c> Tell<'c> {
    pub(super) fn new(sender: UnboundedSender<Finding>, context: &'c Context) -> Self {
        let mut secrets = context.secrets();
        secrets.retain(|secret| secret.len() >= TELLING);
        Self { sender, secrets }
    }

    /// Hands a finding on.
    pub(super) fn say(&self, mut finding: Finding) {
        finding.found = self.fit(&finding.found);
        // A fix may have lines to copy.
        let fit_lines = |fix: String| {
            fix.lines()
                .map(|line| self.fit(line))
                .collect::<Vec<_>>()
                .join("\n")
        };
        finding.fix = finding.fix.map(fit_lines);
        // Whoever asked may be gone.
        let _ = self.sender.send(finding);
    }

    /// What `check` finds within `limit`, which is handed on and given back.
    pub(super) async fn within(
        &self,
        limit: Duration,
        check: Check,
        finding: impl Future<Output = Finding>,
    ) -> Finding {
        let found = tokio::time::timeout(limit, finding).await.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            check.failed(
                format!("This took longer than {seconds} s and was given up."),
                "Try again; when it happens again, look at the network and the load of this machine.",
            )
        });
        self.say(found.clone());
        found
    }

    /// Without secrets and control characters, and not too long.
    fn fit(&self, text: &str) -> String {
        let mut fit = text.to_owned();
        for secret in &self.secrets {
            fit = fit.replace(secret, "…");
        }
        let mut fit: String = fit
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if let Some((at, _)) = fit.char_indices().nth(LONGEST) {
            fit.truncate(at);
            fit.push('…');
        }
        fit
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
        let tell = Tell {
            sender: tokio::sync::mpsc::unbounded_channel().0,
            secrets: vec!["hush-hush"],
        };
        assert_eq!(tell.fit("a hush-hush\u{1b}[31m b"), "a … [31m b");
        assert_eq!(tell.fit(&"é".repeat(LONGEST + 1)).chars().count(), LONGEST + 1);
    }
}
