//! One request, as it is remembered.

use std::net::IpAddr;

use http::StatusCode;
use serde::Serialize;

use crate::clock::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    #[default]
    Authorization,
    /// Link is to be started (only failures are remembered).
    LinkToken,
    /// Link has succeeded: the browser brings its result.
    Completion,
    Cancel,
    /// The Token request URL and Refresh Token URL.
    Token,
    Revocation,
    Introspection,
}

impl Endpoint {
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Some(match path {
            "/" | "/oauth/authorize" => Self::Authorization,
            "/api/create_link_token" => Self::LinkToken,
            "/api/set_access_token" => Self::Completion,
            "/api/link_exit" => Self::Cancel,
            "/oauth/token" | "/api/send_the_access_token_AUTH" => Self::Token,
            "/oauth/revoke" => Self::Revocation,
            "/oauth/introspect" => Self::Introspection,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Good,
    Refused,
    /// The caller was gone, or had no answer in time.
    #[default]
    GivenUp,
}

/// How often the same was refused; what is refused again and again takes one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Count(pub u32);

/// A request. None of its texts holds a value that was sent, but for `redirect_uri`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// Its place in the record: grows with each entry and each repeat.
    pub number: u64,
    /// The number it got first: what a page knows it by.
    pub id: u64,
    /// When it came (the last time), in milliseconds since the Unix epoch.
    pub at: Timestamp,
    pub endpoint: Endpoint,
    /// The client, when it is one of ours.
    pub client: Option<String>,
    /// Whether that is proven, by its secret or by a token that it had.
    pub proven: bool,
    /// The names of the parameters that are known.
    pub parameters: Vec<&'static str>,
    /// How many others there were.
    pub others: usize,
    pub content_type: Option<&'static str>,
    /// How the client authenticated, or tried to.
    pub authentication: Option<&'static str>,
    /// The grant that was asked for.
    pub grant_type: Option<&'static str>,
    pub outcome: Outcome,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The RFC's error code.
    pub error: Option<&'static str>,
    /// The outcome in words, naming the cause.
    pub words: String,
    /// What to do about it.
    pub fix: Option<&'static str>,
    /// What is odd and did not decide.
    pub remarks: Vec<String>,
    /// The callback that was refused and could be allowed.
    pub redirect_uri: Option<String>,
    /// The header of our own rehearsal was sent. Anybody can send it, so it hides nothing.
    pub rehearsal: bool,
    /// The network of a browser: an IPv4 address, or the /48 of an IPv6 address. It is not shown.
    #[serde(skip)]
    pub(super) network: Option<IpAddr>,
    /// The id under which the log knows it (the last time).
    pub request_id: String,
    pub count: Count,
}

impl Entry {
    /// A request that nothing is known of but where it went; until it is answered it counts as given up.
    pub(super) fn new(endpoint: Endpoint, at: Timestamp) -> Self {
        Self {
            endpoint,
            at,
            words: "the caller went away before there was an answer".to_owned(),
            count: Count(1),
            ..Self::default()
        }
    }

    pub(super) fn good(&mut self, status: StatusCode, words: &str) {
        self.outcome = Outcome::Good;
        self.status = Some(status.as_u16());
        words.clone_into(&mut self.words);
    }

    pub(super) fn refused(
        &mut self,
        status: StatusCode,
        error: &'static str,
        words: impl Into<String>,
        fix: Option<&'static str>,
    ) {
        self.outcome = Outcome::Refused;
        self.status = Some(status.as_u16());
        self.error = Some(error);
        self.words = words.into();
        self.fix = fix;
    }

    /// Whether this is the same mishap as `other`, another time.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        self.outcome == Outcome::Refused
            && (self.endpoint, &self.words, &self.redirect_uri, &self.remarks)
                == (other.endpoint, &other.words, &other.redirect_uri, &other.remarks)
            && (&self.parameters, self.others, self.content_type)
                == (&other.parameters, other.others, other.content_type)
            && (self.authentication, self.grant_type, self.status)
                == (other.authentication, other.grant_type, other.status)
    }
}
