//! One bounded request to an address of somebody's choice, and what went wrong with it in words that people can act on.

use std::error::Error as _;
use std::time::Duration;

use http::HeaderMap;
use reqwest::redirect::Policy;
use rustls::CertificateError;
use thiserror::Error;
use url::Url;

use crate::config::is_loopback;

const CONNECT: Duration = Duration::from_secs(5);
/// For the whole answer.
pub(super) const TOTAL: Duration = Duration::from_secs(10);
/// What is longer is not what we asked for.
const MAX_ANSWER: usize = 256 * 1024;
/// What our own requests call themselves; ngrok shows its warning page to browsers alone.
pub(super) const OWN_AGENT: &str = concat!("plaid-token-broker/", env!("CARGO_PKG_VERSION"));
/// What passes for a browser.
pub(super) const BROWSER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there was no answer. No text holds more of the address than its host.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("nothing listens there (the connection was refused)")]
    Refused,
    #[error("its name cannot be resolved")]
    Unresolved,
    #[error("its certificate is not good: {0}")]
    Certificate(String),
    #[error("it does not speak TLS ({0})")]
    NoTls(String),
    #[error("there was no answer within {} s", TOTAL.as_secs())]
    TimedOut,
    #[error("the answer is longer than any of ours")]
    TooLong,
    #[error("the connection failed ({0})")]
    Other(String),
}

/// GETs `url`, without following redirects. `agent`: who to be.
pub(super) async fn get(url: &str, agent: &str, headers: &[(&'static str, &str)]) -> Result<Answer, Trouble> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(agent)
        .connect_timeout(CONNECT)
        .timeout(TOTAL)
        .redirect(Policy::none());
    if Url::parse(url).is_ok_and(|url| is_near(&url)) {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| trouble(&error))?;
    let mut request = client.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send().await.map_err(|error| trouble(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Trouble::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// A proxy from the environment is for what lies outside: not for this machine, nor for a container beside it.
fn is_near(url: &Url) -> bool {
    is_loopback(url) || url.domain().is_some_and(|name| !name.contains('.'))
}

fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return Trouble::TimedOut;
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
    let words = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired; renew it",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet; is the clock of this machine right?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it was made out for another name"
            }
            CertificateError::UnknownIssuer => {
                "it is signed by nobody that this machine trusts: it signs itself, or the server does not send the \
                 certificates in between"
            }
            CertificateError::Revoked => "it was revoked; get another",
            other => return Trouble::Certificate(other.to_string()),
        },
        rustls::Error::InvalidMessage(_) => return Trouble::NoTls(error.to_string()),
        other => return Trouble::Certificate(other.to_string()),
    };
    Trouble::Certificate(words.to_owned())
}
