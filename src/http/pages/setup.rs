//! The set-up page, as it is told.

use askama::Template;

use super::PageEnvironment;

/// Where the broker is set up: what to enter where, what is wrong, and what clients sent lately.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// Prefix of every URL: `./`.
    pub root: &'static str,
    /// Which world this is.
    pub environment: PageEnvironment,
    /// What the page's forms carry to show that they are of this session.
    pub proof: String,
    /// What an act on this page has just done.
    pub notice: Option<&'static str>,
    /// All clients, for the choice of one.
    pub clients: Vec<ClientChoice>,
    /// The chosen client.
    pub client_id: String,
    /// Whether the chosen client has no secret.
    pub public: bool,
    /// Its secret.
    pub secret: SecretHint,
    /// The products that it may request, separated by spaces, for a scope to paste.
    pub scope: String,
    /// The profile's form, in its order.
    pub rows: Vec<Row>,
    /// Its Authorization Fields.
    pub fields: Vec<Field>,
    /// What its Test asks for.
    pub test: Row,
    /// The broker's addresses.
    pub addresses: Addresses,
    /// Callbacks that were refused lately.
    pub refused: Vec<Refused>,
    /// Callbacks that are allowed.
    pub allowed: Vec<Allowed>,
    /// Whether requests are recorded.
    pub record: bool,
    /// The last requests, the latest first.
    pub entries: Vec<EntryRow>,
    /// What to do before production.
    pub going_live: Vec<Step>,
}

/// A client that can be chosen.
#[derive(Clone, Debug)]
pub struct ClientChoice {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whether it has no secret.
    pub public: bool,
}

/// A value of the profile's form.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the form calls it.
    pub field: &'static str,
    /// What to enter.
    pub value: String,
    /// Whether that is the value itself, to be copied, and not words about it.
    pub literal: bool,
    /// What to know about it.
    pub note: Option<String>,
}

/// One of the profile's Authorization Fields.
#[derive(Clone, Debug)]
pub struct Field {
    /// Header or payload.
    pub kind: &'static str,
    /// Its name.
    pub key: &'static str,
    /// Its value, or words about it.
    pub value: String,
    /// Whether that is the value itself.
    pub literal: bool,
    /// Whether to add a field or to edit one that the form has.
    pub step: &'static str,
}

/// A secret on a page.
#[derive(Clone, Copy, Debug)]
pub enum SecretHint {
    /// The simulator's, which is public, by its value.
    Public(&'static str),
    /// Any other, by where it is found.
    Described(&'static str),
}

impl SecretHint {
    /// The value, or where it is found.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Public(text) | Self::Described(text) => text,
        }
    }

    /// Whether the text is the value itself.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public(_))
    }

    /// Why it is shown or not.
    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::Public(_) => "The simulator's secret, which is public.",
            Self::Described(_) => "It is never shown here.",
        }
    }
}

/// The broker's addresses as OAuth clients need them.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// `PUBLIC_URL`.
    pub base: String,
    /// The authorization endpoint.
    pub authorization: String,
    /// The token endpoint.
    pub token: String,
    /// The revocation endpoint.
    pub revocation: String,
    /// The introspection endpoint.
    pub introspection: String,
    /// The metadata.
    pub metadata: String,
}

/// A callback that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Of which client.
    pub client: String,
    /// The callback.
    pub uri: String,
    /// Why.
    pub words: String,
}

/// A callback that is allowed.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// For which client.
    pub client: String,
    /// The callback.
    pub uri: String,
    /// Whether it was allowed here and can be taken back; the others stand in the settings.
    pub here: bool,
}

/// A request of the record.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// What the page knows it by.
    pub id: u64,
    /// When, by RFC 3339.
    pub at: String,
    /// What was asked.
    pub endpoint: &'static str,
    /// The client.
    pub client: String,
    /// `good`, `refused` or `given_up`.
    pub outcome: &'static str,
    /// Status and error code.
    pub status: String,
    /// The outcome in words.
    pub words: String,
    /// What to do.
    pub fix: String,
    /// What else is odd.
    pub remarks: Vec<String>,
    /// What was sent, in words.
    pub sent: String,
    /// The request id.
    pub request_id: String,
    /// How often.
    pub count: u32,
}

/// A step of going live.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whether it is done; `None`: only a person can tell.
    pub done: Option<bool>,
    /// What it is.
    pub text: String,
}
