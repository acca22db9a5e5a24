//! The list of connections, and the step before any is ended.

use super::{PageEnvironment, Template};

/// Which connections there are and how they stand. Never a token.
#[derive(Debug, Template)]
#[template(path = "connections.html")]
pub struct ConnectionsPage {
    /// Prefix of every URL: `../`.
    pub root: &'static str,
    /// Which world this is.
    pub environment: PageEnvironment,
    /// The admin session's proof, for the forms.
    pub proof: String,
    /// What was just done.
    pub notice: Option<String>,
    /// The clients to choose from.
    pub clients: Vec<Choice>,
    /// The states to choose from.
    pub states: Vec<Choice>,
    /// The id that was looked for; empty: none.
    pub search: String,
    /// One each; the newest first.
    pub rows: Vec<ConnectionRow>,
    /// Whether the rows begin with the newest.
    pub is_first: bool,
    /// The query of the next page, where there is one.
    pub older: Option<String>,
    /// The query of this page from its beginning.
    pub newest: String,
    /// The client whose connections are shown, and the query that asks to end them all.
    pub of_client: Option<(String, String)>,
}

/// A choice of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is the present one.
    pub chosen: bool,
}

/// A connection on the [`ConnectionsPage`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Our id.
    pub id: String,
    /// The bank's name.
    pub bank: String,
    /// Plaid's id.
    pub item_id: String,
    /// The granted products.
    pub products: Vec<String>,
    /// How it stands, in words.
    pub health: String,
    /// Plaid's word for it, or what else belongs to it.
    pub health_detail: Option<String>,
    /// Whether it works, as far as that is known.
    pub tone: Tone,
    /// The clients that have it.
    pub clients: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// When one of its refresh tokens was answered last.
    pub refreshed: Option<Moment>,
    /// Whether it can be ended (any more).
    pub is_live: bool,
}

/// What a mark says at a glance; the words beside it say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It works.
    Good,
    /// Nothing is known, or nothing is to be done.
    Quiet,
    /// Somebody has to do something.
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

/// A moment, for programs and for people.
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
    /// Prefix of every URL: `../../`.
    pub root: &'static str,
    /// Which world this is.
    pub environment: PageEnvironment,
    /// The admin session's proof, for the form.
    pub proof: String,
    /// What is asked.
    pub question: String,
    /// What it concerns, a line each.
    pub concerns: Vec<String>,
    /// What the form names: field and value.
    pub target: (&'static str, String),
    /// What has to be typed, where a button alone is too little.
    pub must_type: Option<&'static str>,
    /// Why the last try did nothing.
    pub problem: Option<&'static str>,
    /// The button's name.
    pub button: String,
}
