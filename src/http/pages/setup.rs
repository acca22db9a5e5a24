//! The contents of the setup page.

use askama::Template;

use super::PageEnvironment;

/// Where the broker is set up: what to enter where, what is wrong, and what clients sent lately.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    pub root: &'static str,
    pub environment: PageEnvironment,
    /// What the page's forms carry to show that they are of this session.
    pub proof: String,
    pub notice: Option<&'static str>,
    pub clients: Vec<ClientChoice>,
    pub client_id: String,
    pub public: bool,
    pub secret: SecretHint,
    /// The products that it may request, separated by spaces, for a scope to paste.
    pub scope: String,
    pub rows: Vec<Row>,
    pub fields: Vec<Field>,
    pub test: Row,
    pub addresses: Addresses,
    pub refused: Vec<Refused>,
    pub allowed: Vec<Allowed>,
    pub record: bool,
    pub entries: Vec<EntryRow>,
    pub going_live: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct ClientChoice {
    pub id: String,
    pub name: String,
    pub public: bool,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub field: &'static str,
    pub value: String,
    /// Whether `value` can be copied as it is, and is no description.
    pub literal: bool,
    pub note: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub kind: &'static str,
    pub key: &'static str,
    pub value: String,
    pub literal: bool,
    /// Whether to add a field or to edit one that the form has.
    pub step: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub enum SecretHint {
    /// The simulator's, which is public, by its value.
    Public(&'static str),
    /// Any other, by where it is found.
    Described(&'static str),
}

impl SecretHint {
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Public(text) | Self::Described(text) => text,
        }
    }

    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public(_))
    }

    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::Public(_) => "The simulator's secret, which is public.",
            Self::Described(_) => "It is never shown here.",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Addresses {
    /// `PUBLIC_URL`.
    pub base: String,
    pub authorization: String,
    pub token: String,
    pub revocation: String,
    pub introspection: String,
    pub metadata: String,
}

#[derive(Clone, Debug)]
pub struct Refused {
    pub client: String,
    pub uri: String,
    pub words: String,
}

#[derive(Clone, Debug)]
pub struct Allowed {
    pub client: String,
    pub uri: String,
    /// Whether it was allowed on this page and can be removed; the others are set in the settings.
    pub here: bool,
}

#[derive(Clone, Debug)]
pub struct EntryRow {
    pub id: u64,
    /// When, by RFC 3339.
    pub at: String,
    pub endpoint: &'static str,
    pub client: String,
    /// `good`, `refused` or `given_up`.
    pub outcome: &'static str,
    pub status: String,
    pub words: String,
    pub fix: String,
    pub remarks: Vec<String>,
    pub sent: String,
    pub request_id: String,
    pub count: u32,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// Whether it is done; `None`: the broker cannot check it.
    pub done: Option<bool>,
    pub text: String,
}
