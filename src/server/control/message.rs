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
    pub account: Account,
    pub request: Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make a single-use link to the administration pages. Only a running broker can: the link lives in its memory.
    AdminLink {},
    /// Say what runs: for commands that look at the broker from outside. Only a running broker can.
    Describe {},
    Connections {
        filter: ConnectionFilter,
    },
    Connection {
        key: ConnectionKey,
        /// Also ask Plaid for its health now. Only a running broker can.
        check: bool,
    },
    EndConnections {
        target: EndTarget,
    },
    /// Show the access token of a connection, in simulator and sandbox. Audited before it is shown.
    RevealToken {
        key: ConnectionKey,
    },
    Audit {
        query: AuditQuery,
    },
    /// Seal every value with the first key.
    RotateKeys {
        /// The id of the first key by the settings of the command: a broker that runs with another one must be restarted.
        first_key: String,
    },
    Backup {
        /// Where, absolute: as the process that has the store open sees its files.
        path: PathBuf,
    },
}

impl Request {
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

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    AdminLink {
        url: String,
        /// For this machine alone, where that is another address.
        local_url: Option<String>,
        expires_at: Timestamp,
    },
    Description {
        description: Box<Description>,
    },
    Connections {
        connections: Vec<ConnectionSummary>,
    },
    Connection {
        connection: Box<ConnectionSummary>,
    },
    Ended {
        ended: Ended,
    },
    Token {
        item_id: String,
        access_token: Revealed,
    },
    /// Rows of the audit log, the newest first.
    Audit {
        rows: Vec<AuditRecord>,
    },
    KeysRotated {
        resealed: u64,
        report: KeysReport,
    },
    BackedUp {
        path: PathBuf,
        bytes: u64,
    },
    Failed {
        message: String,
    },
}

/// An access token for the operator who asked for it: the one place where a command gets one.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Revealed(PlaidAccessToken);

impl Revealed {
    #[must_use]
    pub fn new(token: PlaidAccessToken) -> Self {
        Self(token)
    }

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

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Progress {
    /// What is counted, in plural: "rows".
    pub what: String,
    pub done: u64,
    /// Of how many; absent while it is unknown.
    pub total: Option<u64>,
}

/// A line of the answer: any number of progress lines, then one answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Progress(Progress),
    Answer(Answer),
}
