//! What a check or a step of the rehearsal found, for the command line, the set-up page and programs.

use std::borrow::Cow;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Ok,
    /// It works, with a consequence that users may not expect.
    Warning,
    Failed,
    /// It was not tried; the finding says why.
    Skipped,
}

/// How a whole run ended: by the worst of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    Failed,
    /// The broker or Plaid could not be reached, so what depends on it is not known.
    Unreachable,
}

impl Verdict {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// No text in it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable: programs and the documents name it.
    pub id: &'static str,
    /// What should be true, or what was tried.
    pub title: Cow<'static, str>,
    pub status: Status,
    /// In a sentence or two.
    pub found: String,
    /// Every failure and warning has one. It may have lines to copy.
    pub fix: Option<String>,
    /// It failed because the broker or Plaid could not be reached.
    #[serde(skip)]
    pub unreachable: bool,
}

impl Finding {
    fn verdict(&self) -> Verdict {
        match (self.status, self.unreachable) {
            (Status::Failed, true) => Verdict::Unreachable,
            (Status::Failed, false) => Verdict::Failed,
            _ => Verdict::Ok,
        }
    }

    /// One line of JSON, of the rehearsal and of the set-up page. `place`: where it belongs in the list of checks, which
    /// come in any order.
    pub(crate) fn line(&self, place: Option<usize>) -> String {
        #[derive(Serialize)]
        struct Line<'f> {
            #[serde(flatten)]
            finding: &'f Finding,
            // What title and status were called in the rehearsal's lines before.
            name: &'f str,
            outcome: Status,
            #[serde(skip_serializing_if = "Option::is_none")]
            place: Option<usize>,
        }
        let line = Line {
            finding: self,
            name: &self.title,
            outcome: self.status,
            place,
        };
        // A struct of strings is always JSON.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(Finding::verdict);
        verdicts.max().unwrap_or(Verdict::Ok)
    }
}

/// One check, before it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    pub id: &'static str,
    /// The heading that it is listed under.
    pub group: &'static str,
    /// What should be true.
    pub title: &'static str,
}

impl Check {
    fn finding(self, status: Status, found: String, fix: Option<String>) -> Finding {
        Finding {
            id: self.id,
            title: self.title.into(),
            status,
            found,
            fix,
            unreachable: false,
        }
    }

    pub(super) fn ok(self, found: impl Into<String>) -> Finding {
        self.finding(Status::Ok, found.into(), None)
    }

    pub(super) fn skipped(self, why: impl Into<String>) -> Finding {
        self.finding(Status::Skipped, why.into(), None)
    }

    pub(super) fn warning(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Status::Warning, found.into(), Some(fix.into()))
    }

    pub(super) fn failed(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Status::Failed, found.into(), Some(fix.into()))
    }
}
