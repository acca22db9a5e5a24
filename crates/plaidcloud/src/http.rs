//! One HTTP client with bounded time-outs and no redirects, and what goes wrong below HTTP, with what to do.

pub(crate) mod retry;

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::CertificateError;
use thiserror::Error;
use url::Url;

use crate::conf::is_loopback;

const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may arrive once a file has begun.
pub(crate) const SILENCE: Duration = Duration::from_secs(120);

/// Why there was no complete response. No text holds more of an address than its host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{host}: {cause}")]
pub struct TransportError {
    /// The server's name.
    pub host: String,
    /// What went wrong.
    pub cause: Cause,
    /// Whether the request certainly did not reach the server.
    pub not_sent: bool,
}

/// What went wrong below HTTP.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Cause {
    /// DNS.
    #[error("the name cannot be resolved (DNS). Is hostname spelled correctly, and is there a network?")]
    Unresolved,
    /// TCP.
    #[error("the connection was refused; nothing listens on that port")]
    Refused,
    /// TLS.
    #[error("TLS: {0}")]
    Tls(String),
    /// Too slow.
    #[error("there was no response in time")]
    TimedOut,
    /// The connection ended early.
    #[error("the connection was closed before the response was complete")]
    Interrupted,
    /// Something else.
    #[error("the connection failed ({0})")]
    Other(String),
}

/// `near`: an address on this machine, which a proxy from the environment must not see.
pub(crate) fn client(verify_tls: bool, near: &Url) -> Result<Client, TransportError> {
    // Another provider that is installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("plaidcloud-rust/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(Policy::none());
    if !verify_tls {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if is_loopback(near) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| classify(near, &error))
}

pub(crate) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the server".to_owned(),
    }
}

/// Reads a body of at most `most` bytes. `None`: it is longer.
pub(crate) async fn read(response: Response, most: usize) -> Result<Option<Vec<u8>>, TransportError> {
    let url = response.url().clone();
    let mut response = response;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&url, &error))? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

pub(crate) fn timed_out(url: &Url) -> TransportError {
    TransportError {
        host: host_of(url),
        cause: Cause::TimedOut,
        not_sent: false,
    }
}

pub(crate) fn classify(url: &Url, error: &reqwest::Error) -> TransportError {
    TransportError {
        host: host_of(url),
        cause: cause(error),
        not_sent: error.is_connect() || error.is_builder(),
    }
}

fn cause(error: &reqwest::Error) -> Cause {
    let mut innermost = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(tls) = tls_error(source) {
            return Cause::Tls(of_tls(tls));
        }
        if let Some(io) = source.downcast_ref::<std::io::Error>() {
            match io.kind() {
                ErrorKind::ConnectionRefused => return Cause::Refused,
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
                    return Cause::Interrupted;
                }
                _ => {}
            }
        }
        innermost = source.to_string();
        if innermost.contains("failed to lookup address") || innermost.contains("dns error") {
            return Cause::Unresolved;
        }
        next = source.source();
    }
    if error.is_timeout() {
        Cause::TimedOut
    } else if error.is_body() || error.is_decode() || innermost.contains("closed before") {
        Cause::Interrupted
    } else {
        Cause::Other(innermost)
    }
}

/// rustls' errors travel inside of I/O errors, which do not name them as their source.
fn tls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

fn of_tls(error: &rustls::Error) -> String {
    let text = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired, or the clock of this machine is wrong"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet, or the clock of this machine is wrong"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another name. Is hostname correct?"
            }
            CertificateError::UnknownIssuer => {
                "this machine does not trust the issuer of the server's certificate. Add the issuer to the system's \
                 certificates, or set verify_ssl: false in plaid.conf if you accept the risk"
            }
            other => return format!("the server's certificate is not valid ({other})"),
        },
        rustls::Error::InvalidMessage(_) => "the server does not use TLS on this port",
        other => return other.to_string(),
    };
    text.to_owned()
}
