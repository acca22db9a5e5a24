//! Calls to PlaidCloud: JSON-RPC methods, downloads, and the REST interface, with one token.

mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::{Client as Http, Response, StatusCode};
use serde_json::value::RawValue;
use url::Url;

use crate::answer::{self, ServerError};
use crate::conf::Connection;
use crate::error::Error;
use crate::http::{self, TransportError, retry};
use crate::request::{Call, HttpMethod, Prepared, RestRequest, place};
use crate::secret::Secret;
use crate::text::printable;
use crate::token::{Clock, Token, TokenError, Tokens};

/// Larger results belong into a file.
const LARGEST_RESULT: usize = 256 * 1024 * 1024;
const LARGEST_ERROR: usize = 64 * 1024;
/// Less is not worth a remark.
const CLOCK_MATTERS: i64 = 60;

/// What a client needs from its surroundings.
pub struct Options {
    /// Where tokens are kept; `None`: in memory.
    pub cache: Option<PathBuf>,
    /// The current moment.
    pub clock: Clock,
    /// Begins the ids of this client's calls; random, so that a server's log can tell clients apart.
    pub call_id_prefix: String,
    /// For one whole call. For a download until its first byte; then it may take longer as long as bytes arrive.
    pub timeout: Duration,
}

/// One connection to PlaidCloud.
pub struct Client {
    connection: Arc<Connection>,
    http: Http,
    tokens: Tokens,
    ids: AtomicU64,
    call_id_prefix: String,
    timeout: Duration,
}

impl Client {
    /// Nothing is sent yet.
    pub fn new(connection: Connection, options: Options) -> Result<Self, Error> {
        let connection = Arc::new(connection);
        let http = http::client(connection.verify_tls, &connection.rpc_uri)?;
        let for_tokens = match &connection.auth_uri {
            Some(auth_uri) => http::client(connection.verify_tls, auth_uri)?,
            None => http.clone(),
        };
        let cache = options.cache.as_deref();
        Ok(Self {
            tokens: Tokens::new(Arc::clone(&connection), for_tokens, cache, options.clock),
            connection,
            http,
            ids: AtomicU64::new(1),
            call_id_prefix: options.call_id_prefix,
            timeout: options.timeout,
        })
    }

    /// The configuration in use.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A token that is good for a while: the configured one, the kept one, or a new one.
    pub async fn token(&self) -> Result<Token, Error> {
        Ok(self.tokens.current().await?)
    }

    /// A new token, even though the kept one may still be good.
    pub async fn renew_token(&self) -> Result<Token, Error> {
        Ok(self.tokens.renew().await?)
    }

    /// Removes the kept token.
    pub fn forget_token(&self) -> Result<(), Error> {
        Ok(self.tokens.forget()?)
    }

    /// Where a person's browser is sent to log in. `state` and `verifier` are random and must be kept for
    /// [`redeem`](Self::redeem).
    pub fn authorization_url(&self, state: &str, verifier: &Secret) -> Result<Url, Error> {
        Ok(self.tokens.authorization_url(state, verifier)?)
    }

    /// Exchanges the code of a login for a token, which is kept.
    pub async fn redeem(&self, code: &Secret, verifier: &Secret) -> Result<Token, Error> {
        Ok(self.tokens.redeem(code, verifier).await?)
    }

    /// The HTTP request of a call.
    pub fn prepare(&self, call: &Call) -> Result<Prepared, Error> {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", self.call_id_prefix);
        Ok(call.prepare(&self.connection.rpc_uri, &id)?)
    }

    /// The HTTP request of a REST request.
    pub fn prepare_rest(&self, request: &RestRequest) -> Result<Prepared, Error> {
        Ok(request.prepare(&self.connection.rpc_uri)?)
    }

    /// Calls a method. Returns its result as the server wrote it.
    pub async fn call(&self, call: &Call) -> Result<Box<RawValue>, Error> {
        let sent = Sending::of(self.prepare(call)?, call.reads());
        let (response, token) = self.send(&sent, Extent::Whole).await?;
        let body = self.read(response, LARGEST_RESULT).await?;
        Ok(answer::interpret(&body, &self.secrets(&token))?)
    }

    /// Calls a method that responds with a file, and writes it to `path`, whole or not at all. `progress` gets the bytes
    /// received and, where the server says it, their final number. Returns the number.
    pub async fn download(
        &self,
        call: &Call,
        path: &Path,
        progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<u64, Error> {
        let sent = Sending::of(self.prepare(call)?, call.reads());
        self.save(&sent, path, true, progress).await
    }

    /// Sends a REST request. Returns the body as it came; it is empty or JSON.
    pub async fn rest(&self, request: &RestRequest) -> Result<Vec<u8>, Error> {
        let sent = Sending::of(self.prepare_rest(request)?, request.reads());
        let (response, _) = self.send(&sent, Extent::Whole).await?;
        let body = self.read(response, LARGEST_RESULT).await?;
        if answer::is_html(&body) {
            return Err(ServerError::Html.into());
        }
        if !body.trim_ascii().is_empty() {
            serde_json::from_slice::<&RawValue>(&body)
                .map_err(|error| ServerError::NotJson(place(&error)))?;
        }
        Ok(body)
    }

    /// Sends a REST request, and writes the body to `path`, whole or not at all.
    pub async fn rest_to_file(
        &self,
        request: &RestRequest,
        path: &Path,
        progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<u64, Error> {
        let sent = Sending::of(self.prepare_rest(request)?, request.reads());
        self.save(&sent, path, false, progress).await
    }

    async fn save(
        &self,
        sent: &Sending,
        path: &Path,
        may_be_answer: bool,
        progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<u64, Error> {
        stream::check_target(path)?;
        let (response, token) = self.send(sent, Extent::UntilFirstByte).await?;
        stream::save(response, path, may_be_answer, &self.secrets(&token), progress).await
    }

    async fn read(&self, response: Response, most: usize) -> Result<Vec<u8>, Error> {
        let body = http::read(response, most).await?;
        Ok(body.ok_or(ServerError::TooLarge(most))?)
    }

    /// What no message may contain.
    fn secrets<'a>(&'a self, token: &'a Token) -> Vec<&'a Secret> {
        let conf = self.connection.conf.as_ref();
        let of_client = conf.map(|conf| &conf.client_secret);
        std::iter::once(&token.secret).chain(of_client).collect()
    }

    /// The successful response, with one new token after a 401 and as many attempts as are safe.
    async fn send(&self, sent: &Sending, extent: Extent) -> Result<(Response, Token), Error> {
        let mut token = self.tokens.current().await?;
        let mut is_renewed = false;
        let mut attempt = 1;
        loop {
            let wait = match self.once(sent, &token, extent).await {
                Ok(response) if response.status().is_success() => return Ok((response, token)),
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !is_renewed => {
                    is_renewed = true;
                    match self.tokens.instead_of(&token).await {
                        Ok(Some(other)) => token = other,
                        Ok(None) | Err(TokenError::LoginRequired) => {
                            return Err(self.refusal(response, &token).await);
                        }
                        Err(error) => return Err(error.into()),
                    }
                    continue;
                }
                Ok(response) => {
                    let (status, after) = (response.status(), retry_after(&response));
                    match retry::after_status(status, after, sent.reads, attempt) {
                        Some(wait) => wait,
                        None => return Err(self.refusal(response, &token).await),
                    }
                }
                Err(error) => match retry::after_error(&error, sent.reads, attempt) {
                    Some(wait) => wait,
                    None => return Err(error.into()),
                },
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, sent: &Sending, token: &Token, extent: Extent) -> Result<Response, TransportError> {
        let Prepared { method, url, body } = &sent.prepared;
        let mut request = match method {
            HttpMethod::Get => self.http.get(url.clone()),
            HttpMethod::Post => self.http.post(url.clone()),
        };
        request = request.bearer_auth(token.secret.expose());
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.clone());
        }
        if extent == Extent::Whole {
            request = request.timeout(self.timeout);
        }
        match tokio::time::timeout(self.timeout, request.send()).await {
            Ok(outcome) => outcome.map_err(|error| http::classify(url, &error)),
            Err(_) => Err(http::timed_out(url)),
        }
    }

    /// What a response that is no success means.
    async fn refusal(&self, response: Response, token: &Token) -> Error {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            let now = self.tokens.now();
            let server = date_of(&response);
            return Error::Server(ServerError::Unauthorized {
                token_source: token.source,
                expired_since: token.expires_at.filter(|at| *at <= now).map(|at| now - at),
                clock_differs: server
                    .map(|server| now - server)
                    .filter(|seconds| seconds.abs() > CLOCK_MATTERS),
            });
        }
        if status.is_redirection() {
            let location = response
                .headers()
                .get("location")
                .and_then(|value| value.to_str().ok());
            let target = location.and_then(|location| response.url().join(location).ok());
            return Error::Server(ServerError::Redirect {
                status: status.as_u16(),
                to: target.map_or_else(|| "an unknown address".to_owned(), |url| http::host_of(&url)),
            });
        }
        let body = match http::read(response, LARGEST_ERROR).await {
            Ok(body) => body.unwrap_or_default(),
            Err(error) => return error.into(),
        };
        let secrets = self.secrets(token);
        if let Err(error @ (ServerError::Method { .. } | ServerError::Warning(_))) =
            answer::interpret(&body, &secrets)
        {
            return error.into();
        }
        let detail = match detail(&body) {
            Some(text) => format!(": {}", printable(&text, secrets)),
            None => String::new(),
        };
        Error::Server(ServerError::Status {
            status: status.as_u16(),
            detail,
        })
    }
}

/// What the time-out is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    UntilFirstByte,
}

struct Sending {
    prepared: Prepared,
    reads: bool,
}

impl Sending {
    fn of(prepared: Prepared, reads: bool) -> Self {
        Self { prepared, reads }
    }
}

/// The text of an error response: REST's `detail`, or a short plain text.
fn detail(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.is_empty() || answer::is_html(body) {
        return None;
    }
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let detail = json.as_ref().and_then(|json| json.get("detail"));
    match detail {
        Some(serde_json::Value::String(detail)) => Some(detail.clone()),
        Some(other) => Some(other.to_string()),
        None => Some(text.to_owned()),
    }
}

fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get("retry-after")?.to_str().ok()?.parse().ok()
}

/// The server's clock.
fn date_of(response: &Response) -> Option<i64> {
    let text = response.headers().get("date")?.to_str().ok()?;
    let since = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_secs()).ok()
}
