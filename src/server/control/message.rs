//! What is asked and answered, as JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::doctor::Description;
use crate::secret::PlaidAccessToken;
use crate::store::model::{
    Account, AuditQuery, AuditRecord, ConnectionFilter, ConnectionKey, ConnectionSummary, EndTarget, Ended,
    KeysReport,
};

/// The line that a command writes on the control socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The Plaid account that the command is meant for.
    pub account: Account,
    /// The command.
    pub request: Request,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make a single-use link to the administration pages. Only a running broker can: the link lives in its memory.
    AdminLink {},
    /// Say what runs: for commands that look at the broker from outside. Only a running broker can.
    Describe {},
    /// List connections.
    Connections {
        /// Which.
        filter: ConnectionFilter,
    },
    /// Show one connection with its grants.
    Connection {
        /// Which.
        key: ConnectionKey,
        /// Also ask Plaid for its health now. Only a running broker can.
        check: bool,
    },
    /// End connections, and have them removed at Plaid.
    EndConnections {
        /// Which.
        target: EndTarget,
    },
    /// Tell the access token of a connection, in simulator and sandbox. Audited before it is told.
    RevealToken {
        /// Which.
        key: ConnectionKey,
    },
    /// Read the audit log.
    Audit {
        /// Which rows.
        query: AuditQuery,
    },
    /// Seal every value with the first key.
    RotateKeys {
        /// The id of the first key by the settings of the command: a broker that runs with another one must be restarted.
        first_key: String,
    },
    /// Write a copy of the store to a new file.
    Backup {
        /// Where, absolute: as the process that has the store open sees its files.
        path: PathBuf,
    },
}

impl Request {
    /// Names the command in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AdminLink {} => "admin_link",
            Self::Describe {} => "describe",
            Self::Connections { .. } => "connections",
            Self::Connection { .. } => "connection",
            Self::EndConnections { .. } => "end_connections",
            Self::RevealToken { .. } => "reveal_token",
            Self::Audit { .. } => "audit",
            Self::RotateKeys { .. } => "rotate_keys",
            Self::Backup { .. } => "backup",
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
    /// What runs.
    Description { description: Box<Description> },
    /// The connections, the newest first.
    Connections {
        /// They.
        connections: Vec<ConnectionSummary>,
    },
    /// One connection.
    Connection {
        /// It.
        connection: Box<ConnectionSummary>,
    },
    /// What was ended.
    Ended {
        /// How many.
        ended: Ended,
    },
    /// The access token of a connection.
    Token {
        /// Whose.
        item_id: String,
        /// The token.
        access_token: Revealed,
    },
    /// Rows of the audit log, the newest first.
    Audit {
        /// They.
        rows: Vec<AuditRecord>,
    },
    /// Every value that opens is sealed with the first key.
    KeysRotated {
        /// How many were sealed again now.
        resealed: u64,
        /// What the keys seal now.
        report: KeysReport,
    },
    /// The backup is on the disk.
    BackedUp {
        /// Where.
        path: PathBuf,
        /// How large it is.
        bytes: u64,
    },
    /// It was not done.
    Failed {
        /// What happened and what to do.
        message: String,
    },
}

/// An access token on its way to whoever asked for it: the one place where one is told to a command.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Revealed(PlaidAccessToken);

impl Revealed {
    /// To be told.
    #[must_use]
    pub fn new(token: PlaidAccessToken) -> Self {
        Self(token)
    }

    /// The token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Serialize for Revealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl PartialEq for Revealed {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(other.expose())
    }
}

impl Eq for Revealed {}

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
