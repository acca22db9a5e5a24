//! The command's side: asks the running broker, and believes only what proves to be its answer.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use thiserror::Error;

use super::proof::Proof;
use super::{Answer, Keys, Line, Progress, Request};
use crate::clock::SharedClock;
use crate::random;

/// It is on this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long nothing may come: a long command tells its progress.
const SILENCE: Duration = Duration::from_secs(60);
/// Longer than any line of ours.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A running broker, as a command reaches it.
pub struct Remote {
    /// Its operations address.
    pub address: SocketAddr,
    /// The keys of this channel (see [`super::proof`]).
    pub keys: Keys,
    /// Which broker is meant (see [`super::account_text`]).
    pub account: String,
    /// Where "now" comes from.
    pub clock: SharedClock,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// Nobody listens there, or they do not answer.
    #[error("http://{address}/control cannot be reached ({cause})")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        cause: String,
    },
    /// The broker refuses.
    #[error("{0}")]
    Refused(String),
    /// Whoever answered does not have the broker's keys.
    #[error(
        "what answers on http://{0} is not this broker: another program took its address (BROKER_OPS_BIND)"
    )]
    NotGenuine(SocketAddr),
    /// The answer ended in the middle; what was begun goes on as far as the broker lives.
    #[error("the broker's answer broke off: look into its log for how the command ended")]
    BrokenOff,
}

#[derive(Deserialize)]
struct Told {
    message: String,
}

impl Remote {
    /// Asks, tells progress as it comes, and gives the answer.
    pub async fn ask(
        &self,
        request: &Request,
        mut progress: impl FnMut(Progress),
    ) -> Result<Answer, AskError> {
        let body = serde_json::to_vec(request).map_err(|error| AskError::Refused(error.to_string()))?;
        let client = client().map_err(|error| self.unreachable(&error))?;
        let mut refused = AskError::Refused("there is no key to prove the command with".to_owned());
        // The broker may still run with the keys of before: each of ours is tried, the newest first.
        for key in self.keys.each() {
            let proof = Proof::make(key, self.clock.now(), random::bytes(), &self.account, &body);
            let sent = client
                .post(format!("http://{}/control", self.address))
                .bearer_auth(proof.text().expose())
                .header("content-type", "application/json")
                .body(body.clone())
                .send();
            let response = sent.await.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            if status.is_success() {
                return self.read(response, &proof, key, &mut progress).await;
            }
            let told = response.json::<Told>().await.map(|told| told.message);
            let message = told.unwrap_or_else(|_| format!("http://{} answers {status}", self.address));
            refused = AskError::Refused(message);
            if status != http::StatusCode::UNAUTHORIZED {
                break;
            }
        }
        Err(refused)
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        proof: &Proof,
        key: &[u8; 32],
        progress: &mut impl FnMut(Progress),
    ) -> Result<Answer, AskError> {
        let mut buffer = Vec::new();
        let mut number = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            buffer.extend_from_slice(&chunk);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                match self.genuine(&line, proof, key, number)? {
                    Line::Progress(told) => progress(told),
                    Line::Answer(answer) => return Ok(answer),
                }
                number += 1;
            }
            if buffer.len() > MOST_BYTES {
                return Err(AskError::NotGenuine(self.address));
            }
        }
        Err(AskError::BrokenOff)
    }

    fn genuine(&self, line: &[u8], proof: &Proof, key: &[u8; 32], number: u32) -> Result<Line, AskError> {
        let read = || {
            let (mac, json) = std::str::from_utf8(line).ok()?.trim_end().split_once(' ')?;
            proof
                .line_is_genuine(key, number, json.as_bytes(), mac)
                .then(|| serde_json::from_str(json).ok())?
        };
        read().ok_or(AskError::NotGenuine(self.address))
    }

    fn unreachable(&self, error: &reqwest::Error) -> AskError {
        let mut cause: &dyn std::error::Error = error;
        // The last cause is the system's own word: "Connection refused".
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        AskError::Unreachable {
            address: self.address,
            cause: cause.to_string(),
        }
    }
}

fn client() -> reqwest::Result<Client> {
    // The client wants to know its provider of TLS, also where all goes over loopback in the clear.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE)
        .build()
}
