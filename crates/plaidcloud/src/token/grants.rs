//! Requests to Keycloak: the authorization address, and the three grants as form POSTs.

use reqwest::Client;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::TokenError;
use super::cache::Kept;
use super::jwt::Claims;
use crate::conf::{Conf, Connection};
use crate::http::retry;
use crate::http::{classify, read};
use crate::secret::Secret;
use crate::text::printable;

/// Longer than any token response.
const MOST_BYTES: usize = 1024 * 1024;
/// What PlaidCloud's own client asks for.
const SCOPE: &str = "analyze document identity";

/// What is presented for a token.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    ClientCredentials,
    Code {
        code: &'a Secret,
        verifier: Option<&'a Secret>,
    },
    Refresh(&'a Secret),
}

#[derive(Deserialize)]
struct Granted {
    access_token: zeroize::Zeroizing<String>,
    refresh_token: Option<zeroize::Zeroizing<String>>,
    expires_in: Option<i64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

/// Where a person's browser is sent. `verifier`: for PKCE (RFC 7636), kept until the code is redeemed.
pub(super) fn authorization_url(
    connection: &Connection,
    state: &str,
    verifier: &Secret,
) -> Result<Url, TokenError> {
    let conf = connection.conf.as_ref().ok_or(TokenError::NoClient)?;
    if conf.redirect_uri.is_empty() {
        return Err(TokenError::NoRedirectUri);
    }
    let mut url = connection.authorization_uri().ok_or(TokenError::NoRealm)?;
    let challenge = {
        use base64::Engine as _;
        let digest = Sha256::digest(verifier.expose().as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
    };
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &conf.client_id)
        .append_pair("redirect_uri", &conf.redirect_uri)
        .append_pair("scope", SCOPE)
        .append_pair("state", state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    Ok(url)
}

/// Requests a token. A request is repeated only when it did not reach the server.
pub(super) async fn request(
    http: &Client,
    connection: &Connection,
    grant: Grant<'_>,
    now: i64,
) -> Result<Kept, TokenError> {
    let conf = connection.conf.as_ref().ok_or(TokenError::NoClient)?;
    let url = connection.token_uri().ok_or(TokenError::NoRealm)?;
    let body = form(conf, grant);
    let mut attempt = 1;
    let response = loop {
        let sent = http
            .post(url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .timeout(super::TOTAL)
            .body(body.expose().to_owned())
            .send();
        let error = match sent.await {
            Ok(response) => break response,
            Err(error) => classify(&url, &error),
        };
        match retry::after_error(&error, false, attempt) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(error.into()),
        }
        attempt += 1;
    };
    let status = response.status();
    let body = read(response, MOST_BYTES).await?.unwrap_or_default();
    if status.is_success() {
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| TokenError::Answer {
            status: status.as_u16(),
        })?;
        return Ok(kept(granted, now));
    }
    let Ok(refused) = serde_json::from_slice::<Refused>(&body) else {
        return Err(TokenError::Answer {
            status: status.as_u16(),
        });
    };
    let secrets = [Some(&conf.client_secret), presented(grant)];
    let clean = |text: &str| printable(text, secrets.iter().copied().flatten());
    Err(TokenError::Refused {
        error: clean(&refused.error),
        description: clean(refused.error_description.as_deref().unwrap_or_default()),
    })
}

fn presented(grant: Grant<'_>) -> Option<&Secret> {
    match grant {
        Grant::ClientCredentials => None,
        Grant::Code { code, .. } => Some(code),
        Grant::Refresh(token) => Some(token),
    }
}

fn form(conf: &Conf, grant: Grant<'_>) -> Secret {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let name = match grant {
        Grant::ClientCredentials => "client_credentials",
        Grant::Code { .. } => "authorization_code",
        Grant::Refresh(_) => "refresh_token",
    };
    form.append_pair("grant_type", name)
        .append_pair("client_id", &conf.client_id)
        .append_pair("client_secret", conf.client_secret.expose());
    match grant {
        Grant::ClientCredentials => {}
        Grant::Code { code, verifier } => {
            form.append_pair("code", code.expose());
            // RFC 6749, 4.1.3: the same value as in the authorization request.
            if !conf.redirect_uri.is_empty() {
                form.append_pair("redirect_uri", &conf.redirect_uri);
            }
            if let Some(verifier) = verifier {
                form.append_pair("code_verifier", verifier.expose());
            }
        }
        Grant::Refresh(token) => {
            form.append_pair("refresh_token", token.expose());
        }
    }
    Secret::new(form.finish())
}

/// The life that the server names counts from now, so a wrong clock does no harm; else the token's own claim counts.
fn kept(mut granted: Granted, now: i64) -> Kept {
    let access_token = Secret::new(std::mem::take(&mut *granted.access_token));
    let claims = Claims::of(access_token.expose()).unwrap_or_default();
    let life = granted.expires_in.map(|life| now.saturating_add(life));
    Kept {
        refresh_token: granted
            .refresh_token
            .map(|mut text| Secret::new(std::mem::take(&mut *text))),
        obtained_at: now,
        expires_at: life.or(claims.expires_at()),
        scope: granted.scope.or(claims.scope),
        access_token,
    }
}
