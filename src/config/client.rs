//! An OAuth client, and the set of them.

use std::time::Duration;

use crate::secret::StoredSecret;

/// What the profile form of Kore.ai takes, for the id and for the secret.
const CREDENTIAL_CHARS: usize = 255;
/// The bounds of `expires_in`, in seconds. The greatest is what also clients with 32-bit numbers understand.
pub(super) const EXPIRES_IN: std::ops::RangeInclusive<u64> = 60..=i32::MAX as u64;

/// Which redirect URIs a client may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectUris {
    /// Exactly these strings.
    Listed(Vec<String>),
    /// Exactly these strings; but where one is on loopback without a port, any port is accepted (RFC 8252, 7.3): a native
    /// app listens on what the system gives it.
    Native(Vec<String>),
    /// Any `http://` URL on loopback, any port and path: the simulator's default, so that it can be tried at once.
    AnyLoopback,
    /// The same, and exactly these strings: what an administrator allowed besides.
    AnyLoopbackAnd(Vec<String>),
}

impl RedirectUris {
    /// The strings that are listed.
    #[must_use]
    pub fn listed(&self) -> &[String] {
        match self {
            Self::Listed(list) | Self::Native(list) | Self::AnyLoopbackAnd(list) => list,
            Self::AnyLoopback => &[],
        }
    }

    /// Adds one that an administrator allowed; twice is once.
    fn allow(&mut self, uri: &str) {
        match self {
            Self::Listed(list) | Self::Native(list) | Self::AnyLoopbackAnd(list) => {
                if !list.iter().any(|listed| listed == uri) {
                    list.push(uri.to_owned());
                }
            }
            Self::AnyLoopback => *self = Self::AnyLoopbackAnd(vec![uri.to_owned()]),
        }
    }
}

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum ClientKind {
    /// Has a secret and must (see [`ClientAuthPolicy`](super::ClientAuthPolicy)) show it.
    Confidential(StoredSecret),
    /// Has none; PKCE is required of it.
    Public,
}

/// An OAuth client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// What the Link page calls it; `None`: `PLAID_CLIENT_NAME`.
    pub name: Option<String>,
    /// With or without a secret.
    pub kind: ClientKind,
    /// Where its browsers may be sent back to.
    pub redirect_uris: RedirectUris,
    /// The products it may ask for; `None`: all that are configured.
    pub products: Option<Vec<String>>,
    /// Whether it may bring raw Plaid public tokens to the token endpoint.
    pub raw_public_tokens: bool,
    /// Whether `iss` is added to its authorization responses (RFC 9207).
    pub send_iss: bool,
    /// How long after the person's consent it may refresh; `None`: as long as the connection lives.
    pub refresh_lifetime: Option<Duration>,
    /// `expires_in` of its token responses, in seconds; `None`: as `OAUTH_EXPIRES_IN` says.
    pub expires_in: Option<u64>,
}

/// All clients at one moment. Requests take one such snapshot, so that none sees half a change.
#[derive(Clone, Debug)]
pub struct Clients(Vec<ClientConfig>);

impl Clients {
    /// These, of which the first is the one of the settings.
    #[must_use]
    pub fn new(clients: Vec<ClientConfig>) -> Self {
        Self(clients)
    }

    /// The same clients, with the callbacks (client id and URI) that an administrator allowed. Those of clients that are
    /// not there any more are left out.
    #[must_use]
    pub fn allowing<'a>(mut self, allowed: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (client_id, uri) in allowed {
            if let Some(client) = self.0.iter_mut().find(|client| client.id == client_id) {
                client.redirect_uris.allow(uri);
            }
        }
        self
    }

    /// The client with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&ClientConfig> {
        self.0.iter().find(|client| client.id == id)
    }

    /// The one of the settings, which is meant where no id is sent.
    #[must_use]
    pub fn first(&self) -> Option<&ClientConfig> {
        self.0.first()
    }

    /// All, the first one first.
    #[must_use]
    pub fn as_slice(&self) -> &[ClientConfig] {
        &self.0
    }
}

pub(super) fn credential(text: &str) -> Result<String, String> {
    credential_error(text).map_or_else(|| Ok(text.to_owned()), Err)
}

/// What keeps this text from being a client's id or secret, as an instruction. RFC 6749, appendix A.1 and A.2: they are
/// printable ASCII.
#[must_use]
pub fn credential_error(text: &str) -> Option<String> {
    if text.len() > CREDENTIAL_CHARS {
        return Some(format!(
            "make it {CREDENTIAL_CHARS} characters or shorter, which is what profile forms take"
        ));
    }
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (!printable).then(|| "use letters, digits and signs of ASCII alone (RFC 6749, appendix A)".to_owned())
}
