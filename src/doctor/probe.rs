//! One bounded request to a configured address, and what went wrong with it as a message that people can act on.

use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use rustls::CertificateError;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::config::is_loopback;

const CONNECT: Duration = Duration::from_secs(5);
/// For the whole answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The broker's answers, and Plaid's to the rehearsal, are far smaller.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// ngrok shows its warning page to browsers alone.
pub(super) const OWN_AGENT: &str = concat!("plaid-token-broker/", env!("CARGO_PKG_VERSION"));
pub(super) const BROWSER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    /// `null` when it is no JSON.
    pub(super) json: Value,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A text member of its JSON.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }
}

/// Why there was no answer. No text holds more of the address than its host.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("nothing listens there (the connection was refused)")]
    Refused,
    #[error("its name cannot be resolved")]
    Unresolved,
    #[error("its certificate is not valid: {0}")]
    Certificate(String),
    #[error("it does not speak TLS ({0})")]
    NoTls(String),
    #[error("there was no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("the answer is longer than any of the broker's")]
    TooLong,
    #[error("the connection failed ({0})")]
    Other(String),
}

/// A client for requests to `url` that follows no redirects.
pub(super) fn client(url: &str, agent: &str) -> Result<Client, Trouble> {
    // Ring is the one provider of this build; another that is installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(agent)
        .connect_timeout(CONNECT)
        .redirect(Policy::none());
    if Url::parse(url).is_ok_and(|url| is_near(&url)) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| trouble(&error, CONNECT))
}

/// `limit`: for the whole answer.
pub(super) async fn send(request: RequestBuilder, limit: Duration) -> Result<Answer, Trouble> {
    let failed = |error: reqwest::Error| trouble(&error, limit);
    let mut response = request.timeout(limit).send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Trouble::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        text: String::from_utf8_lossy(&body).into_owned(),
    })
}

pub(super) async fn get(url: &str, agent: &str, headers: &[(&'static str, &str)]) -> Result<Answer, Trouble> {
    let request = client(url, agent)?.get(url);
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    send(request, LIMIT).await
}

/// Where to ask for what listens on `bound`: "all addresses" can be listened on, and not connected to.
pub(crate) fn connectable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// A proxy from the environment is for what lies outside: not for this machine, nor for a container beside it.
fn is_near(url: &Url) -> bool {
    is_loopback(url) || url.domain().is_some_and(|name| !name.contains('.'))
}

fn trouble(error: &reqwest::Error, limit: Duration) -> Trouble {
    if error.is_timeout() {
        return Trouble::TimedOut(limit);
    }
    let mut innermost = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(tls) = tls_error(next) {
            return of_tls(tls);
        }
        if let Some(io) = next.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return Trouble::Refused;
        }
        innermost = next.to_string();
        if innermost.contains("failed to lookup address") || innermost.contains("dns error") {
            return Trouble::Unresolved;
        }
        cause = next.source();
    }
    Trouble::Other(innermost)
}

/// rustls' errors travel inside of I/O errors (of several, at times), which do not name what they hold as their source.
fn tls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

fn of_tls(error: &rustls::Error) -> Trouble {
    let reason = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired; renew it",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet; is the clock of this machine right?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name"
            }
            CertificateError::UnknownIssuer => {
                "this machine does not trust its issuer: it is self-signed, or the server does not send the intermediate \
                 certificates"
            }
            CertificateError::Revoked => "it was revoked; get another",
            other => return Trouble::Certificate(other.to_string()),
        },
        rustls::Error::InvalidMessage(_) => return Trouble::NoTls(error.to_string()),
        other => return Trouble::Certificate(other.to_string()),
    };
    Trouble::Certificate(reason.to_owned())
}
