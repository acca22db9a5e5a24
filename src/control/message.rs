//! What is asked and answered, as JSON.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make a single-use link to the administration pages. Only a running broker can: the link lives in its memory.
    AdminLink {},
}

impl Request {
    /// Names the command in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AdminLink {} => "admin_link",
        }
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The link.
    AdminLink {
        /// By `PUBLIC_URL`.
        url: String,
        /// For this machine alone, where that is another address.
        local_url: Option<String>,
        /// When it stops working.
        expires_at: Timestamp,
    },
    /// It was not done.
    Failed {
        /// What happened and what to do.
        message: String,
    },
}

/// How far a long command has come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Progress {
    /// What is counted, in plural: "rows".
    pub what: String,
    /// How many are done.
    pub done: u64,
    /// Of how many; absent when nobody knows yet.
    pub total: Option<u64>,
}

/// A line of the answer: any number of progress lines, then one answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// It goes on.
    Progress(Progress),
    /// It is over.
    Answer(Answer),
}
