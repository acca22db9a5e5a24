//! What the user's browser does: opens the authorization URL, connects a bank, is sent to the callback. That redirect is
//! read and not followed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::items::INSTITUTION;
use super::{Answer, Failure, HEADER, Identity, Rehearsal, altered, send};
use crate::doctor::identity_challenge::{self, Reply, Responder};
use crate::random;
use crate::secret::{OwnToken, PlaidPublicToken};

/// Characters that a proxy in between might change.
const AWKWARD_STATE: &str = " a+b%2B&c=d/?é😀";

/// A tab that shows the Link page.
pub(super) struct Tab {
    handle: OwnToken,
    /// The sealed request; a broker of an earlier version has none.
    request: Option<String>,
    cookies: OwnToken,
    /// Percent-encoded, as it was sent.
    state: String,
    callback: String,
}

/// What the browser brought to the callback.
pub(super) struct AtCallback {
    pub(super) code: OwnToken,
    pub(super) callback: String,
}

const REACH: &str = "start the broker; if it runs, correct PUBLIC_URL, and see that the tunnel or proxy there leads to the \
                     broker's port";

impl Rehearsal {
    /// Whether this broker answers at `PUBLIC_URL`, and not another one, which must be left alone.
    async fn recognise(&self) -> Result<String, Failure> {
        let url = &self.public_url;
        let tokens = match &self.identity {
            Identity::Store(tokens) => Some(tokens),
            Identity::Unknown(_) => None,
        };
        let unreachable = |trouble| Failure {
            unreachable: true,
            ..Failure::new(format!("could not reach {url}: {trouble}"), REACH)
        };
        match (
            identity_challenge::ask(url, tokens).await.map_err(unreachable)?,
            &self.identity,
        ) {
            (Responder::This(_), _) => Ok(format!("the broker answers at {url}")),
            (Responder::Broker(Reply { version, .. }), Identity::Unknown(why)) => Ok(format!(
                "a broker (version {version}) answers at {url}; it is not known whether it is the one of these settings: {why}"
            )),
            (Responder::Broker(Reply { version, .. }), Identity::Store(_)) => Err(Failure::new(
                format!(
                    "another broker answers at {url} (version {version}), with its own store; nothing was sent to it"
                ),
                "let PUBLIC_URL (or the tunnel or proxy behind it) lead to this broker; or, if the other one is meant, rehearse \
                 in its directory and with its settings",
            )),
            (Responder::NoBroker(answer), _) => Err(self.something_else(&answer)),
        }
    }

    fn something_else(&self, answer: &Answer) -> Failure {
        Failure::new(
            format!(
                "something other than the broker answers at {} ({})",
                self.public_url,
                answer.outline()
            ),
            REACH,
        )
    }

    /// Whether the broker answers at `PUBLIC_URL`, and reports the same address.
    pub(super) async fn reach(&self) -> Result<((), String), Failure> {
        let who = self.recognise().await?;
        let url = format!("{}/.well-known/oauth-authorization-server", self.public_url);
        let answer = send(self.broker.get(url), &self.public_url, REACH).await?;
        match answer.text_of("issuer") {
            Some(issuer) if answer.status == 200 && issuer == self.public_url => {
                let remark = self.remark.as_ref();
                let remark = remark.map_or_else(String::new, |remark| format!(" ({remark})"));
                Ok(((), format!("{who}{remark}")))
            }
            Some(issuer) if answer.status == 200 => Err(Failure::new(
                format!(
                    "a broker answers at {}, but reports that its address is {}",
                    self.public_url, issuer
                ),
                "set the same PUBLIC_URL for the running broker and this command, then restart the broker",
            )),
            _ => Err(self.something_else(&answer)),
        }
    }

    /// Opens the authorization URL as Kore.ai would, with this callback.
    pub(super) async fn authorize(&self, callback: &str) -> Result<(Tab, String), Failure> {
        let state: String = form_urlencoded::byte_serialize(
            format!("{}{AWKWARD_STATE}", URL_SAFE_NO_PAD.encode(random::bytes::<9>())).as_bytes(),
        )
        .collect();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", callback)
            .finish();
        let request = self
            .broker
            .get(format!("{}/?{query}&state={state}", self.public_url))
            .header("Accept", "text/html");
        let answer = send(request.header(HEADER, "1"), &self.public_url, REACH).await?;
        let handle = between(&answer.text, "data-handle=\"", "\"");
        match handle {
            Some(handle) if answer.status == 200 => {
                let tab = Tab {
                    handle: OwnToken::new(handle),
                    request: between(&answer.text, "data-request=\"", "\"").map(str::to_owned),
                    cookies: OwnToken::new(answer.cookies()),
                    state,
                    callback: callback.to_owned(),
                };
                Ok((tab, "the Link page opens".to_owned()))
            }
            _ => Err(self.page_refused(callback, &answer)),
        }
    }

    fn page_refused(&self, callback: &str, answer: &Answer) -> Failure {
        let heading = between(&answer.text, "<h1>", "</h1>");
        let found = match &heading {
            Some(heading) => format!("the page says: {heading}"),
            None => format!("the answer is not the Link page ({})", answer.outline()),
        };
        let heading = heading.unwrap_or_default();
        let fix = match answer.status {
            400 if heading.contains("return address is not registered") => {
                format!(
                    "allow {callback} on the set-up page, exactly as Kore.ai shows it, or put it into PLAID_REDIRECT_URI of the \
                     running broker and restart it"
                )
            }
            400 if heading.contains("not known") => format!(
                "set the same OAUTH_CLIENT_ID (here {}) for the running broker and this command, and restart the broker",
                self.client_id
            ),
            429 => {
                "wait a minute and rehearse again: too many pages were opened from this network".to_owned()
            }
            _ => "see the broker's log at this time; it names the cause".to_owned(),
        };
        Failure::new(found, fix)
    }

    /// One of the page's own calls.
    async fn call(&self, tab: &Tab, path: &str, body: &serde_json::Value) -> Result<Answer, Failure> {
        let request = self
            .broker
            .post(format!("{}{path}", self.public_url))
            .header("X-Broker-Handle", tab.handle.expose())
            .header("Cookie", tab.cookies.expose())
            .header("Sec-Fetch-Site", "same-origin")
            .json(body);
        send(request.header(HEADER, "1"), &self.public_url, REACH).await
    }

    /// Asks for a link token, as the page does on the person's click: Plaid checks keys, products and countries with it.
    pub(super) async fn link_token(&self, tab: &Tab) -> Result<((), String), Failure> {
        let body = json!({ "request": tab.request });
        let answer = self.call(tab, "/api/create_link_token", &body).await?;
        if answer.status == 200 && answer.text_of("link_token").is_some() {
            return Ok(((), "Plaid makes a link token".to_owned()));
        }
        let fix = match answer.status {
            403 => {
                "the page's cookie did not come back: a proxy drops cookies, or hides that browsers use https \
                 (it must send X-Forwarded-Proto, and BROKER_TRUSTED_PROXIES must contain its network)"
            }
            503 => {
                "Plaid does not answer the broker: try again, or see status.plaid.com and the network of the broker"
            }
            _ => {
                "Plaid refuses the broker's keys or products: run plaid-token-broker check, which names the setting"
            }
        };
        Err(Failure {
            unreachable: answer.status == 503,
            ..Failure::new(answer.outline(), fix)
        })
    }

    /// Opens Link and hands over the public token as Link's success does, and reads where the browser is sent.
    pub(super) async fn complete(
        &self,
        tab: Tab,
        public_token: &PlaidPublicToken,
    ) -> Result<(AtCallback, String), Failure> {
        let body = json!({
            "public_token": public_token.expose(),
            "metadata": { "institution": { "name": INSTITUTION.1,
                "institution_id": INSTITUTION.0 } },
        });
        self.link_token(&tab).await?;
        let answer = self.call(&tab, "/api/set_access_token", &body).await?;
        let Some(redirect_to) = answer.text_of("redirect_to").filter(|_| answer.status == 200) else {
            let fix = if answer.status == 503 {
                "Plaid or the broker's store does not answer at the moment; try again, and see the broker's log"
            } else {
                "see that the running broker and this command have the same PLAID_ENV, PLAID_CLIENT_ID and PLAID_BASE_URL"
            };
            return Err(Failure::new(answer.outline(), fix));
        };
        self.at_callback(tab, redirect_to)
    }

    fn at_callback(&self, tab: Tab, redirect_to: &str) -> Result<(AtCallback, String), Failure> {
        let url =
            Url::parse(redirect_to).map_err(|_| altered("the browser is sent to an invalid address"))?;
        if !redirect_to.starts_with(&tab.callback) {
            return Err(altered(
                "the browser is sent to another address than the callback",
            ));
        }
        let raw = |name: &str| {
            let query = url.query().unwrap_or_default().split('&');
            let mut values = query.filter_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            values.next().map(|(_, value)| value)
        };
        let parameter = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if raw("state") != Some(tab.state.as_str()) {
            return Err(altered("state does not come back unchanged"));
        }
        if parameter("iss").is_some_and(|issuer| issuer != self.public_url) {
            return Err(altered("iss is not PUBLIC_URL"));
        }
        let code = parameter("code").ok_or_else(|| altered("the callback gets no code"))?;
        let made = AtCallback {
            code: OwnToken::new(code),
            callback: tab.callback,
        };
        Ok((
            made,
            "the browser is sent to the callback with a code and the same state".to_owned(),
        ))
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
