//! The token endpoint as a client sees it: codes, refresh, secrets that must be refused, and the end by revocation.

use reqwest::Client;

use super::browser::AtCallback;
use super::shape::{Authentication, Encoding, Shape};
use super::wire::{Answer, send};
use super::{Failure, HEADER, Rehearsal};
use crate::secret::{ClientSecret, OwnToken, PlaidAccessToken, PlaidPublicToken};

/// Kore.ai's token URL and refresh URL.
const TOKEN: &str = "/api/send_the_access_token_AUTH";
/// A code that nobody was given: with the right secret it is refused for itself, and not for the client.
const MADE_UP_CODE: &str = "rehearsal";

/// What a token request gave.
pub(super) struct Tokens {
    pub(super) access: PlaidAccessToken,
    pub(super) refresh: OwnToken,
}

impl Rehearsal {
    async fn ask(
        &self,
        http: &Client,
        shape: Shape,
        secret: &ClientSecret,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let request = http.post(format!("{}{path}", self.public_url));
        let request = shape.of(request, &self.client_id, secret, fields);
        let fix = "see that the tunnel or proxy lets POST requests through";
        send(request.header(HEADER, "1"), &self.public_url, fix).await
    }

    /// Whether the broker believes this client when it comes in this shape. Nothing is made for it.
    pub(super) async fn believed(&self, http: &Client, shape: Shape) -> Result<((), String), Failure> {
        let fields = [("grant_type", "authorization_code"), ("code", MADE_UP_CODE)];
        let answer = self.ask(http, shape, &self.client_secret, TOKEN, &fields).await?;
        match (answer.status, answer.text_of("error")) {
            (400, Some("invalid_grant")) => Ok(((), "the client is authenticated".to_owned())),
            _ => Err(refused(&answer)),
        }
    }

    /// Whether a wrong secret is refused.
    pub(super) async fn wrong_secret(&self, http: &Client) -> Result<((), String), Failure> {
        let wrong = ClientSecret::new("a-wrong-secret-of-the-rehearsal");
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("grant_type", "authorization_code"), ("code", MADE_UP_CODE)];
        let answer = self.ask(http, shape, &wrong, TOKEN, &fields).await?;
        match (answer.status, answer.text_of("error")) {
            (401, Some("invalid_client")) => Ok(((), "a wrong client secret is refused".to_owned())),
            _ => Err(Failure::new(
                format!(
                    "a wrong client secret was not refused as invalid_client ({})",
                    answer.outline()
                ),
                "whatever answers here is not this broker: see what PUBLIC_URL leads to, before any secret is entered",
            )),
        }
    }

    /// Redeems the code in this shape.
    pub(super) async fn redeem(
        &self,
        http: &Client,
        shape: Shape,
        at: &AtCallback,
    ) -> Result<(Tokens, String), Failure> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", at.code.expose()),
            ("redirect_uri", at.callback.as_str()),
        ];
        let answer = self.ask(http, shape, &self.client_secret, TOKEN, &fields).await?;
        tokens(&answer)
    }

    /// Brings a raw public token, as the endpoint of Kore.ai's guide took it.
    pub(super) async fn raw(
        &self,
        http: &Client,
        public_token: &PlaidPublicToken,
    ) -> Result<(Tokens, String), Failure> {
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("code", public_token.expose())];
        let answer = self.ask(http, shape, &self.client_secret, TOKEN, &fields).await?;
        tokens(&answer)
    }

    /// Refreshes in this shape: the same access token has to come.
    pub(super) async fn refresh(
        &self,
        http: &Client,
        shape: Shape,
        before: &Tokens,
    ) -> Result<((), String), Failure> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", before.refresh.expose()),
        ];
        let answer = self.ask(http, shape, &self.client_secret, TOKEN, &fields).await?;
        let (after, _) = tokens(&answer)?;
        if after.access.matches(before.access.expose()) {
            Ok(((), "the same access token".to_owned()))
        } else {
            Err(mistake("another access token than before came"))
        }
    }

    /// Ends the grant and, through the broker's queue, the Item.
    pub(super) async fn revoke(&self, http: &Client, tokens: &Tokens) -> Result<(), Failure> {
        let shape = Shape::new(Encoding::Form, Authentication::Body);
        let fields = [("token", tokens.refresh.expose())];
        let answer = self
            .ask(http, shape, &self.client_secret, "/oauth/revoke", &fields)
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
        return Err(mistake(
            "the answer lacks Plaid's access token or the refresh token",
        ));
    };
    for (holds, problem) in [
        (answer.is_json(), "the answer is not application/json"),
        (
            answer.is_not_stored(),
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
            return Err(mistake(problem));
        }
    }
    let made = Tokens {
        access: PlaidAccessToken::new(access),
        refresh: OwnToken::new(refresh),
    };
    Ok((made, "Plaid's access token and a refresh token".to_owned()))
}

fn mistake(found: &str) -> Failure {
    let fix = "something between here and the broker changes its answers, or it is another version: compare the versions, \
               and rehearse without the proxy";
    Failure::new(found, fix)
}

fn refused(answer: &Answer) -> Failure {
    let fix = match (answer.status, answer.text_of("error")) {
        (401, _) => {
            "set the same OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET for the running broker as here (without them Plaid's keys \
             count), restart it, and enter the same in Kore.ai's form"
        }
        (429, _) => "wait a minute and rehearse again",
        (503, _) => {
            "Plaid or the broker's store does not answer at the moment; try again, and see the broker's log"
        }
        (_, Some("invalid_grant")) => {
            "see the description; if Plaid refused, the running broker and this command differ in PLAID_ENV or PLAID_BASE_URL"
        }
        (500, _) => "see the broker's log at this moment; Plaid's keys or the store are the usual cause",
        _ => "see that PUBLIC_URL leads to this broker, and not to another program or version",
    };
    Failure::new(answer.outline(), fix)
}
