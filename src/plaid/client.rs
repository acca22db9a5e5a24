//! The calls themselves: time-outs, no redirects, bounded answers, errors that keep Plaid's messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use url::Url;

use super::error::{ApiError, PlaidError};
use super::institutions::Counts;
use super::types::{
    Account, AccountsAnswer, Acknowledged, Exchanged, InstitutionsAnswer, ItemAnswer, LinkTokenCreated,
    LinkTokenRequest,
};
use crate::clock::Timestamp;
use crate::secret::{PlaidAccessToken, PlaidPublicToken, PlaidSecret};
use crate::telemetry::metrics::PlaidMetrics;

/// The API version whose shapes we speak (<https://plaid.com/docs/api/versioning/>).
const VERSION: &str = "2020-09-14";
/// Answers of the calls we make are a few kilobytes; what is larger is not one of them.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Concurrent calls, unless [`PlaidClient::bounded_to`] sets another number.
const MAX_CALLS: usize = 64;
/// Idle connections that are kept, and for how long. Each one is an open file.
const MAX_IDLE: usize = 64;
const IDLE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Until the whole answer is here.
    pub total: Duration,
    /// Until the whole answer of a health check is here: a refresh waits for it, and fails open.
    pub health: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(20),
            health: Duration::from_secs(5),
        }
    }
}

#[derive(Clone, Debug)]
pub struct PlaidOptions {
    /// `https://sandbox.plaid.com`, `https://production.plaid.com`, or a stand-in.
    pub base_url: Url,
    pub client_id: String,
    pub secret: PlaidSecret,
    pub timeouts: Timeouts,
}

#[derive(Debug, Error)]
pub enum ClientError {
    /// The keys hold bytes that no header can carry.
    #[error("PLAID_CLIENT_ID or PLAID_SECRET holds characters that cannot be sent")]
    Keys(#[from] InvalidHeaderValue),
    #[error("the HTTP client could not be made")]
    Http(#[from] reqwest::Error),
}

#[derive(Clone, Debug)]
pub struct PlaidClient {
    http: reqwest::Client,
    base_url: String,
    timeouts: Timeouts,
    metrics: Option<PlaidMetrics>,
    institutions: Counts,
    /// Calls over HTTP/1 have one socket each, so their number is bounded by the limit of open files.
    calls: Arc<Semaphore>,
}

impl PlaidClient {
    /// Makes the client; nothing is sent yet.
    pub fn new(options: &PlaidOptions) -> Result<Self, ClientError> {
        // Ring is the one provider of this build; another that is installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert("plaid-version", HeaderValue::from_static(VERSION));
        headers.insert("plaid-client-id", HeaderValue::from_str(&options.client_id)?);
        let mut secret = HeaderValue::from_str(options.secret.expose())?;
        secret.set_sensitive(true);
        headers.insert(HeaderName::from_static("plaid-secret"), secret);
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("plaid-token-broker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.timeouts.connect)
            .pool_max_idle_per_host(MAX_IDLE)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&options.base_url) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            base_url: options.base_url.as_str().trim_end_matches('/').to_owned(),
            timeouts: options.timeouts,
            metrics: None,
            institutions: Counts::default(),
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        })
    }

    /// Makes at most this number of concurrent calls from now on; further calls wait.
    #[must_use]
    pub fn bounded_to(self, calls: usize) -> Self {
        let calls = Arc::new(Semaphore::new(calls));
        Self { calls, ..self }
    }

    #[must_use]
    pub fn measured_by(self, metrics: PlaidMetrics) -> Self {
        let metrics = Some(metrics);
        Self { metrics, ..self }
    }

    pub async fn link_token_create(
        &self,
        request: &LinkTokenRequest<'_>,
    ) -> Result<LinkTokenCreated, PlaidError> {
        self.call("/link/token/create", request).await
    }

    /// Never repeated blindly: the token may be burnt by the first call.
    pub async fn exchange(&self, public_token: &PlaidPublicToken) -> Result<Exchanged, PlaidError> {
        let body = json!({ "public_token": public_token.expose() });
        self.call("/item/public_token/exchange", &body).await
    }

    /// The cheap health check. 200 with `item.error` set means that the Item needs its owner.
    pub async fn item_get(&self, access_token: &PlaidAccessToken) -> Result<ItemAnswer, PlaidError> {
        let body = with_access_token(access_token);
        self.call_within("/item/get", &body, self.timeouts.health).await
    }

    /// Ends the access token and its billing. Returns Plaid's request id.
    pub async fn item_remove(&self, access_token: &PlaidAccessToken) -> Result<String, PlaidError> {
        let body = with_access_token(access_token);
        let answer: Acknowledged = self.call("/item/remove", &body).await?;
        Ok(answer.request_id)
    }

    /// Cached data, free.
    pub async fn accounts_get(&self, access_token: &PlaidAccessToken) -> Result<Vec<Account>, PlaidError> {
        let body = with_access_token(access_token);
        let answer: AccountsAnswer = self.call("/accounts/get", &body).await?;
        Ok(answer.accounts)
    }

    /// `/link/token/create` for finding out whether Plaid takes the request: a refusal is an answer like any other and
    /// leaves no line in the log. Also returns the time of Plaid's clock (the header `Date`, whole seconds).
    pub async fn link_token_probe(
        &self,
        request: &LinkTokenRequest<'_>,
    ) -> (Result<LinkTokenCreated, PlaidError>, Option<Timestamp>) {
        let mut date = None;
        let answer = self
            .send("/link/token/create", request, self.timeouts.total, &mut date)
            .await;
        (answer, date)
    }

    /// `/institutions/get`: how many institutions of these countries support all of these products.
    pub async fn institutions_total(
        &self,
        country_codes: &[String],
        products: &[String],
    ) -> Result<u64, PlaidError> {
        let mut body = json!({ "count": 1, "offset": 0, "country_codes": country_codes });
        if let (false, Some(body)) = (products.is_empty(), body.as_object_mut()) {
            body.insert("options".to_owned(), json!({ "products": products }));
        }
        let answer: InstitutionsAnswer = self.call("/institutions/get", &body).await?;
        Ok(answer.total)
    }

    /// As [`institutions_total`](Self::institutions_total), or what that gave within the last ten minutes.
    pub async fn institutions_total_lately(
        &self,
        country_codes: &[String],
        products: &[String],
    ) -> Result<u64, PlaidError> {
        if let Some(count) = self.institutions.lately(country_codes, products) {
            return Ok(count);
        }
        let count = self.institutions_total(country_codes, products).await?;
        self.institutions.remember(country_codes, products, count);
        Ok(count)
    }

    /// Where Plaid is, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    async fn call<B: Serialize + Sync + ?Sized, A: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &B,
    ) -> Result<A, PlaidError> {
        self.call_within(path, body, self.timeouts.total).await
    }

    /// Sends, logs and counts.
    async fn call_within<B: Serialize + Sync + ?Sized, A: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &B,
        total: Duration,
    ) -> Result<A, PlaidError> {
        let started = Instant::now();
        let answer = self.send(path, body, total, &mut None).await;
        let elapsed = started.elapsed();
        if let Some(metrics) = &self.metrics {
            let outcome = answer.as_ref().map_or_else(PlaidError::outcome, |_| "ok");
            metrics.ended(path, outcome, elapsed);
        }
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match &answer {
            Ok(_) => tracing::debug!(plaid.path = path, elapsed_ms, "Plaid answered"),
            Err(error) => tracing::warn!(plaid.path = path, elapsed_ms, %error, "call to Plaid failed"),
        }
        answer
    }

    /// `date` becomes the time of Plaid's clock.
    async fn send<B: Serialize + Sync + ?Sized, A: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &B,
        total: Duration,
        date: &mut Option<Timestamp>,
    ) -> Result<A, PlaidError> {
        let started = Instant::now();
        let _permit = self.permit(total / 2).await?;
        let url = format!("{}{path}", self.base_url);
        let mut response = self
            .http
            .post(url)
            .timeout(total.saturating_sub(started.elapsed()))
            .header(CONTENT_TYPE, "application/json")
            .json(body)
            .send()
            .await
            .map_err(|error| transport(&error, total))?;
        let status = response.status().as_u16();
        *date = response.headers().get(DATE).and_then(read_date);
        let retry_after = read_retry_after(response.headers());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error, total))? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(PlaidError::Malformed { status });
            }
            bytes.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) {
            return serde_json::from_slice(&bytes).map_err(|_| PlaidError::Malformed { status });
        }
        match serde_json::from_slice::<ApiError>(&bytes) {
            Ok(error) if !error.error_code.is_empty() => Err(PlaidError::Api(Box::new(ApiError {
                status,
                retry_after,
                ..error
            }))),
            _ => Err(PlaidError::Malformed { status }),
        }
    }

    /// Waits for its turn, but leaves at least half of a call's time for Plaid. Nothing was sent when it fails.
    async fn permit(&self, at_most: Duration) -> Result<SemaphorePermit<'_>, PlaidError> {
        match timeout(at_most, self.calls.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(PlaidError::Unreachable(
                "too many calls to Plaid are under way".to_owned(),
            )),
        }
    }
}

/// An HTTP date (RFC 9110 5.6.7) is one of RFC 2822.
fn read_date(value: &HeaderValue) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

/// Seconds, or a date, which is compared with the server's own clock (RFC 9110 10.2.3).
fn read_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?;
    if let Ok(seconds) = value.to_str().ok()?.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = headers.get(DATE).and_then(read_date)?;
    Some(read_date(value)?.since(now))
}

fn with_access_token(access_token: &PlaidAccessToken) -> serde_json::Value {
    json!({ "access_token": access_token.expose() })
}

/// A proxy from the environment must not see what stays on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn transport(error: &reqwest::Error, total: Duration) -> PlaidError {
    if error.is_connect() {
        return PlaidError::Unreachable(innermost(error));
    }
    if error.is_timeout() {
        return PlaidError::TimedOut(total);
    }
    PlaidError::Broken
}

/// The innermost cause says most ("connection refused") and names no URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
