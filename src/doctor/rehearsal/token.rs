//! The token endpoint as a client sees it: codes, refresh, wrong secrets, and revocation.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};

use super::browser::AtCallback;
use super::shape::{Authentication, Encoding, Shape};
use super::{Answer, Failure, HEADER, Rehearsal, altered, send};
use crate::secret::{ClientSecret, OwnToken, PlaidAccessToken, PlaidPublicToken};

/// Kore.ai's token URL and refresh URL.
const TOKEN: &str = "/api/send_the_access_token_AUTH";
/// A code that was never issued: with the right secret the code is refused, and not the client.
const MADE_UP_CODE: &str = "rehearsal";

pub(super) struct Tokens {
    pub(super) access: PlaidAccessToken,
    pub(super) refresh: OwnToken,
}

impl Rehearsal {
    async fn ask(
        &self,
        shape: Shape,
        secret: &ClientSecret,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let request = self.broker.post(format!("{}{path}", self.public_url));
        let request = shape.of(request, &self.client_id, secret, fields);
        let fix = "see that the tunnel or proxy lets POST requests through";
        send(request.header(HEADER, "1"), &self.public_url, fix).await
    }

    /// Whether the broker authenticates this client in this shape. Nothing is made for it.
    pub(super) async fn authenticated(&self, shape: Shape) -> Result<((), String), Failure> {
        let fields = [("grant_type", "authorization_code"), ("code", MADE_UP_CODE)];
        let answer = self.ask(shape, &self.client_secret, TOKEN, &fields).await?;
        match (answer.status, answer.text_of("error")) {
            (400, Some("invalid_grant")) => Ok(((), "the client is authenticated".to_owned())),
            _ => Err(refused(&answer)),
        }
    }

    /// Whether a wrong secret is refused.
    pub(super) async fn wrong_secret(&self) -> Result<((), String), Failure> {
        let wrong = ClientSecret::new("a-wrong-secret-of-the-rehearsal");
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("grant_type", "authorization_code"), ("code", MADE_UP_CODE)];
        let answer = self.ask(shape, &wrong, TOKEN, &fields).await?;
        match (answer.status, answer.text_of("error")) {
            (401, Some("invalid_client")) => Ok(((), "a wrong client secret is refused".to_owned())),
            _ => Err(Failure::new(
                format!(
                    "a wrong client secret was not refused as invalid_client ({})",
                    answer.outline()
                ),
                "what answers is not this broker: see where PUBLIC_URL leads before you enter any secret",
            )),
        }
    }

    pub(super) async fn redeem(&self, shape: Shape, at: &AtCallback) -> Result<(Tokens, String), Failure> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", at.code.expose()),
            ("redirect_uri", at.callback.as_str()),
        ];
        let answer = self.ask(shape, &self.client_secret, TOKEN, &fields).await?;
        tokens(&answer)
    }

    /// Exchanges a raw public token, as the endpoint of Kore.ai's guide did.
    pub(super) async fn raw(&self, public_token: &PlaidPublicToken) -> Result<(Tokens, String), Failure> {
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("code", public_token.expose())];
        let answer = self.ask(shape, &self.client_secret, TOKEN, &fields).await?;
        tokens(&answer)
    }

    /// Refreshes in this shape: the same access token has to come.
    pub(super) async fn refresh(&self, shape: Shape, before: &Tokens) -> Result<((), String), Failure> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", before.refresh.expose()),
        ];
        let answer = self.ask(shape, &self.client_secret, TOKEN, &fields).await?;
        let (after, _) = tokens(&answer)?;
        if after.access.matches(before.access.expose()) {
            Ok(((), "the same access token".to_owned()))
        } else {
            Err(altered("the access token has changed"))
        }
    }

    /// Ends the grant and, through the broker's queue, the Item.
    pub(super) async fn revoke(&self, tokens: &Tokens) -> Result<(), Failure> {
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("token", tokens.refresh.expose())];
        let answer = self
            .ask(shape, &self.client_secret, "/oauth/revoke", &fields)
            .await?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(refused(&answer))
        }
    }
}

/// The tokens of an answer, if it is one by RFC 6749 5.1 and what Kore.ai's guide expects beside.
fn tokens(answer: &Answer) -> Result<(Tokens, String), Failure> {
    if answer.status != 200 {
        return Err(refused(answer));
    }
    let access = answer
        .text_of("access_token")
        .filter(|token| token.starts_with("access-"));
    let refresh = answer.text_of("refresh_token").filter(|token| !token.is_empty());
    let (Some(access), Some(refresh)) = (access, refresh) else {
        return Err(altered(
            "the answer lacks Plaid's access token or the refresh token",
        ));
    };
    let has = |name: HeaderName, part| {
        answer
            .header(name.as_str())
            .is_some_and(|value| value.contains(part))
    };
    for (holds, problem) in [
        (
            has(CONTENT_TYPE, "application/json"),
            "the answer is not application/json",
        ),
        (
            has(CACHE_CONTROL, "no-store"),
            "the answer may be cached (Cache-Control lacks no-store)",
        ),
        (
            answer.text_of("token_type") == Some("Bearer"),
            "token_type is not Bearer",
        ),
        (answer.text_of("item_id").is_some(), "there is no item_id"),
        (
            answer.json.get("closeWindow") == Some(&true.into()),
            "closeWindow is not true",
        ),
    ] {
        if !holds {
            return Err(altered(problem));
        }
    }
    let made = Tokens {
        access: PlaidAccessToken::new(access),
        refresh: OwnToken::new(refresh),
    };
    Ok((made, "Plaid's access token and a refresh token".to_owned()))
}

fn refused(answer: &Answer) -> Failure {
    let fix = match (answer.status, answer.text_of("error")) {
        (401, _) => {
            "set the same OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET for the running broker as here (without them Plaid's keys \
             are used), restart it, and enter the same in Kore.ai's form"
        }
        (429, _) => "wait a minute and rehearse again",
        (503, _) => "Plaid or the broker's store does not answer; try again, and see the broker's log",
        (_, Some("invalid_grant")) => {
            "see the description; if Plaid refused, the running broker and this command differ in PLAID_ENV or PLAID_BASE_URL"
        }
        (500, _) => "see the broker's log at this time; Plaid's keys or the store are the usual cause",
        _ => "see that PUBLIC_URL leads to this broker, and not to another program or version",
    };
    Failure::new(answer.outline(), fix)
}
