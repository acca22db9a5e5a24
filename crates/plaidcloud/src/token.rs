//! Tokens: used as they are configured, or obtained from Keycloak, kept, renewed before they expire, and renewed once
//! after a 401.

mod cache;
mod grants;
mod jwt;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use thiserror::Error;
use url::Url;

use crate::conf::{Connection, GrantType, Origin};
use crate::http::TransportError;
use crate::secret::Secret;
use cache::{Cache, Kept};
use grants::Grant;

pub use jwt::Claims;

/// For a whole request to the token endpoint.
pub(crate) const TOTAL: Duration = Duration::from_secs(30);

/// The current moment in seconds since 1970 (UTC): time enters as a value.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A token as it is sent.
#[derive(Clone, Debug)]
pub struct Token {
    /// The text.
    pub secret: Secret,
    /// Where it comes from.
    pub source: TokenSource,
    /// When it expires by its own claim, else by the server's response, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// Its scopes, separated by spaces.
    pub scope: Option<String>,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// Explicit arguments.
    Arguments,
    /// `__PLAID_RPC_AUTH_TOKEN__`.
    Environment,
    /// `auth_token` in `plaid.conf`.
    File,
    /// Obtained earlier.
    Cache,
    /// Obtained now.
    Granted,
}

impl TokenSource {
    /// The source in words.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Arguments => "the arguments",
            Self::Environment => "__PLAID_RPC_AUTH_TOKEN__ in the environment",
            Self::File => "auth_token in plaid.conf",
            Self::Cache => "the token cache",
            Self::Granted => "the token server, just now",
        }
    }
}

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The token server cannot be reached.
    #[error("the token server cannot be reached: {0}")]
    Transport(#[from] TransportError),
    /// An older file.
    #[error(
        "realm is missing in plaid.conf (files from before 2022-05 lack it), so no token can be requested: copy the \
         configuration text from the web app again"
    )]
    NoRealm,
    /// Only a file has the client's credentials.
    #[error("a token can be requested only with a plaid.conf")]
    NoClient,
    /// Needed for a login.
    #[error("redirect_uri is missing in plaid.conf: it must be the one that the registered system has")]
    NoRedirectUri,
    /// A person has to log in.
    #[error("there is no valid token, and grant_type `code` needs a login")]
    LoginRequired,
    /// Keycloak refused, with RFC 6749's error.
    #[error(
        "the token server refused: {error}{}{}",
        separated(description),
        advice(error)
    )]
    Refused {
        /// RFC 6749's error code, or Keycloak's text.
        error: String,
        /// More about it.
        description: String,
    },
    /// Something else answered.
    #[error(
        "the token server's response (status {status}) is not a token response. Are auth_uri and realm correct?"
    )]
    Answer {
        /// The HTTP status.
        status: u16,
    },
    /// The token cache cannot be used.
    #[error("the token cache {} cannot be used: {cause}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
}

fn separated(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(" ({description})")
    }
}

fn advice(error: &str) -> &'static str {
    match error {
        "invalid_client" | "unauthorized_client" => {
            ". Check client_id and client_secret, and whether the registered system allows this grant_type"
        }
        "invalid_grant" => {
            ". A code works once and for a short time, with the redirect_uri that it was requested with: log in again"
        }
        error if error.to_lowercase().contains("realm") => ". Check realm in plaid.conf",
        _ => "",
    }
}

/// The tokens of one connection.
pub(crate) struct Tokens {
    connection: Arc<Connection>,
    http: Client,
    cache: Option<Cache>,
    /// Instead of a cache on disk.
    memory: Mutex<Option<Kept>>,
    clock: Clock,
}

impl Tokens {
    /// `directory`: where tokens are kept. Without one they are kept in memory.
    pub(crate) fn new(
        connection: Arc<Connection>,
        http: Client,
        directory: Option<&Path>,
        clock: Clock,
    ) -> Self {
        let conf = connection.conf.as_ref();
        let cache = directory
            .zip(conf)
            .map(|(directory, conf)| Cache::of(directory, &connection.origin, conf));
        Self {
            connection,
            http,
            cache,
            memory: Mutex::new(None),
            clock,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// A token that is good for a while.
    pub(crate) async fn current(&self) -> Result<Token, TokenError> {
        if let Some(token) = self.fixed() {
            return Ok(token);
        }
        let fresh = |kept: &Kept| kept.is_fresh(self.now());
        if let Some(kept) = self.load()?.filter(fresh) {
            return Ok(token_of(kept, TokenSource::Cache));
        }
        let _lock = self.lock().await?;
        // Another process may have been faster.
        match self.load()? {
            Some(kept) if fresh(&kept) => Ok(token_of(kept, TokenSource::Cache)),
            kept => self.obtain(kept).await,
        }
    }

    /// Another token than the one that a server refused. `None`: there is none to be had.
    pub(crate) async fn instead_of(&self, refused: &Token) -> Result<Option<Token>, TokenError> {
        if self.fixed().is_some() {
            return Ok(None);
        }
        let _lock = self.lock().await?;
        match self.load()? {
            Some(kept) if !kept.access_token.is_same(&refused.secret) => {
                Ok(Some(token_of(kept, TokenSource::Cache)))
            }
            kept => self.obtain(kept).await.map(Some),
        }
    }

    /// A new token, whatever is kept.
    pub(crate) async fn renew(&self) -> Result<Token, TokenError> {
        if let Some(token) = self.fixed() {
            return Ok(token);
        }
        let _lock = self.lock().await?;
        let kept = self.load()?;
        self.obtain(kept).await
    }

    pub(crate) fn forget(&self) -> Result<(), TokenError> {
        match &self.cache {
            Some(cache) => cache.remove().map_err(|error| self.unusable(&error)),
            None => Ok(()),
        }
    }

    pub(crate) fn authorization_url(&self, state: &str, verifier: &Secret) -> Result<Url, TokenError> {
        grants::authorization_url(&self.connection, state, verifier)
    }

    pub(crate) async fn redeem(&self, code: &Secret, verifier: &Secret) -> Result<Token, TokenError> {
        let _lock = self.lock().await?;
        let verifier = Some(verifier);
        self.request(Grant::Code { code, verifier }).await
    }

    fn fixed(&self) -> Option<Token> {
        let secret = self.connection.fixed_token.clone()?;
        let claims = Claims::of(secret.expose()).unwrap_or_default();
        Some(Token {
            source: match self.connection.origin {
                Origin::Arguments => TokenSource::Arguments,
                Origin::Environment => TokenSource::Environment,
                Origin::File(_) => TokenSource::File,
            },
            expires_at: claims.expires_at(),
            scope: claims.scope,
            secret,
        })
    }

    /// With the refresh token, when there is one that still works; else anew.
    async fn obtain(&self, kept: Option<Kept>) -> Result<Token, TokenError> {
        let conf = self.connection.conf.as_ref().ok_or(TokenError::NoClient)?;
        let had_one = kept.is_some();
        if let Some(token) = kept.and_then(|kept| kept.refresh_token) {
            match self.request(Grant::Refresh(&token)).await {
                Err(TokenError::Refused { error, .. }) if error == "invalid_grant" => {}
                outcome => return outcome,
            }
        }
        match (conf.grant_type, &conf.auth_code) {
            (GrantType::ClientCredentials, _) => self.request(Grant::ClientCredentials).await,
            // A code works once: what is kept came from it.
            (GrantType::Code, Some(code)) if !had_one => {
                let verifier = None;
                self.request(Grant::Code { code, verifier }).await
            }
            (GrantType::Code, _) => Err(TokenError::LoginRequired),
        }
    }

    async fn request(&self, grant: Grant<'_>) -> Result<Token, TokenError> {
        let mut kept = grants::request(&self.http, &self.connection, grant, self.now()).await?;
        // A refresh token that the server does not replace stays valid (RFC 6749, 6).
        if let (Grant::Refresh(token), None) = (grant, &kept.refresh_token) {
            kept.refresh_token = Some(token.clone());
        }
        self.save(&kept)?;
        Ok(token_of(kept, TokenSource::Granted))
    }

    async fn lock(&self) -> Result<Option<cache::Lock>, TokenError> {
        match &self.cache {
            Some(cache) => cache
                .lock()
                .await
                .map(Some)
                .map_err(|error| self.unusable(&error)),
            None => Ok(None),
        }
    }

    fn load(&self) -> Result<Option<Kept>, TokenError> {
        match &self.cache {
            Some(cache) => cache.read().map_err(|error| self.unusable(&error)),
            None => Ok(self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    fn save(&self, kept: &Kept) -> Result<(), TokenError> {
        if let Some(cache) = &self.cache {
            return cache.write(kept).map_err(|error| self.unusable(&error));
        }
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        Ok(())
    }

    fn unusable(&self, error: &io::Error) -> TokenError {
        TokenError::Cache {
            path: self
                .cache
                .as_ref()
                .map_or_else(PathBuf::new, |cache| cache.path().to_owned()),
            cause: error.to_string(),
        }
    }
}

fn token_of(kept: Kept, source: TokenSource) -> Token {
    let claims = Claims::of(kept.access_token.expose()).unwrap_or_default();
    Token {
        expires_at: claims.expires_at().or(kept.expires_at),
        scope: kept.scope.or(claims.scope),
        secret: kept.access_token,
        source,
    }
}
