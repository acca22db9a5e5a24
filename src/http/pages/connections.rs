//! The list of connections, and the step before any is ended.

use super::{PageEnvironment, Template};

/// Which connections there are and how they stand. Never a token.
#[derive(Debug, Template)]
#[template(path = "connections.html")]
pub struct ConnectionsPage {
    pub root: &'static str,
    pub environment: PageEnvironment,
    pub proof: String,
    pub notice: Option<String>,
    pub clients: Vec<Choice>,
    pub states: Vec<Choice>,
    pub search: String,
    pub rows: Vec<ConnectionRow>,
    pub is_first: bool,
    /// The query of the next page, where there is one.
    pub older: Option<String>,
    pub newest: String,
    /// The client whose connections are shown, and the query that asks to end them all.
    pub of_client: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    pub id: String,
    pub bank: String,
    pub item_id: String,
    pub products: Vec<String>,
    pub health: String,
    /// Plaid's word for it, or what else belongs to it.
    pub health_detail: Option<String>,
    pub tone: Tone,
    pub clients: Vec<String>,
    pub created: Moment,
    pub refreshed: Option<Moment>,
    pub is_live: bool,
}

/// The color of a mark; the text beside it says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Quiet,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Quiet => "quiet",
            Self::Bad => "bad",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As in RFC 3339.
    pub machine: String,
    /// To the minute, in UTC.
    pub human: String,
}

/// Asks once more before connections are ended, and says what that means.
#[derive(Debug, Template)]
#[template(path = "revoke.html")]
pub struct RevokePage {
    pub root: &'static str,
    pub environment: PageEnvironment,
    pub proof: String,
    pub question: String,
    pub concerns: Vec<String>,
    /// What the form names: field and value.
    pub target: (&'static str, String),
    /// What has to be typed, where a button alone is too little.
    pub must_type: Option<&'static str>,
    pub problem: Option<&'static str>,
    pub button: String,
}
