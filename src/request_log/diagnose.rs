//! From the findings about a request to the cause, in words that name the mistake and hold no value.

use super::entry::Endpoint;
use crate::config::{ClientConfig, ClientKind, Clients};
use crate::oauth::client_auth::Method;
use crate::oauth::facts::Known;
use crate::oauth::findings::{Finding, Id, Secret, Token};

/// A cause, and what to do about it if that is not what is to be done about the refusal anyhow.
pub(super) type Suspicion = (String, Option<&'static str>);

/// Why the client was not authenticated: more precise than what the caller reads, and enough alone.
pub(super) fn cause(known: &Known, clients: &Clients) -> Option<(String, &'static str)> {
    known.findings.iter().find_map(|finding| match finding {
        Finding::UnknownId(id) => {
            let (words, fix) = unknown_id(*id);
            Some((words.to_owned(), fix))
        }
        Finding::WrongSecret(secret) => {
            let client = known.client.as_deref().and_then(|id| clients.find(id));
            Some(wrong_secret(*secret, known.method, client, clients.first()))
        }
        _ => None,
    })
}

/// What will have been the cause, should the request be refused for no other.
pub(super) fn suspicions(known: &Known) -> Vec<Suspicion> {
    let suspected = known.findings.iter().filter_map(|finding| match finding {
        Finding::Token(name, found) => {
            let expected = if *name == "code" {
                Token::Code
            } else {
                Token::RefreshToken
            };
            let words = format!("{name} is {} and not {}", token(*found), token(expected));
            Some((words, wrong_token(name, *found)))
        }
        Finding::SecretHasSpace => Some((
            "client_secret has a blank at its beginning or end".to_owned(),
            None,
        )),
        _ => None,
    });
    suspected.collect()
}

/// What is odd, whatever the outcome.
pub(super) fn remarks(known: &Known, endpoint: Endpoint, is_good: bool) -> Vec<String> {
    let odd = known.findings.iter().filter_map(|finding| match finding {
        Finding::Contradicts(header) => Some(format!(
            "the header {header} contradicts this broker's {}: it does not count here, but the client's own calls to Plaid \
             fail with it",
            header.replace('-', "_")
        )),
        Finding::HeaderIgnored => {
            Some("its Authorization header is empty or not Basic and was ignored".to_owned())
        }
        _ => None,
    });
    let lenient = (is_good && known.lenient && endpoint == Endpoint::Token)
        .then(|| "it came without the client secret, which production will refuse: fill it in".to_owned());
    odd.chain(lenient).collect()
}

fn token(token: Token) -> &'static str {
    match token {
        Token::Code => "a code of this broker",
        Token::RefreshToken => "a refresh token of this broker",
        Token::BrokenCode => "a code that is cut short, changed, or of a broker with another key",
        Token::BrokenRefreshToken => {
            "a refresh token that is cut short, changed, or of a broker with another key"
        }
        Token::OfPage => "a cookie or handle of a page",
        Token::PlaidAccess => "an access token of Plaid",
        Token::PlaidPublic => "a public token of Plaid",
        Token::PlaidLink => "a link token of Plaid",
        Token::Placeholder => "a placeholder that nobody filled in",
        Token::AuthorizationHeader => "an Authorization header",
        Token::Unknown => "something that this broker never made",
    }
}

/// What to do where the profile sends something else than a token of ours: a new authorization would not cure it.
fn wrong_token(name: &str, found: Token) -> Option<&'static str> {
    match (name, found) {
        (_, Token::BrokenCode | Token::BrokenRefreshToken) => None,
        (_, Token::Placeholder) => Some(
            "The profile sends the placeholder itself. Take the field out of its Additional Fields: the client fills in code \
             and refresh_token by itself.",
        ),
        ("refresh_token", _) => Some(
            "The profile has to send the refresh_token of the last token answer: take a field of that name out of its \
             Additional Fields, and authorize once more.",
        ),
        (
            "code",
            Token::PlaidAccess | Token::PlaidLink | Token::AuthorizationHeader | Token::RefreshToken,
        ) => Some(
            "The profile has to send the code that its callback got: take a field of that name out of its Additional Fields.",
        ),
        _ => None,
    }
}

/// The id itself is not repeated: people also paste secrets into this field.
pub(super) fn unknown_id(id: Id) -> (&'static str, &'static str) {
    let words = match id {
        Id::OwnPlaidSecret => {
            "the client_id is this broker's Plaid secret: id and secret are swapped or the secret stands in both fields"
        }
        Id::Spaced => "the client_id has a blank at its beginning or end",
        Id::OtherCase => "the client_id is written in other upper and lower case",
        Id::OwnPlaidClientId => {
            "the client_id is this broker's Plaid client id, but its OAuth client has an id of its own (OAUTH_CLIENT_ID)"
        }
        Id::LikePlaidClientId => {
            "the client_id is not one of this broker: it looks like the client id of another Plaid account"
        }
        Id::LikePlaidSecret => {
            "the client_id is not one of this broker: it looks like a Plaid secret, so id and secret may be swapped"
        }
        Id::Placeholder => "the client_id is a placeholder that nobody filled in",
        Id::Unknown => "the client_id is not one of this broker",
    };
    let fix = "Copy the Client ID of this page into the OAuth profile, or set OAUTH_CLIENT_ID to what the profile sends.";
    (words, fix)
}

fn wrong_secret(
    secret: Secret,
    method: Option<Method>,
    client: Option<&ClientConfig>,
    first: Option<&ClientConfig>,
) -> (String, &'static str) {
    if client.is_some_and(|client| matches!(client.kind, ClientKind::Public)) {
        return (
            "a secret was sent for a public client, which has none".to_owned(),
            "Leave the client secret empty, or use another client.",
        );
    }
    let field = match method {
        Some(Method::PlaidHeaders) => "the secret in the header PLAID-SECRET",
        _ => "the client secret",
    };
    let why = match secret {
        Secret::Spaced => " (it has a blank at its beginning or end)",
        Secret::ClientId => " (it is the client id)",
        Secret::OwnPlaidSecret => " (it is PLAID_SECRET, but this client has a secret of its own)",
        Secret::Placeholder => " (it is a placeholder that nobody filled in)",
        Secret::LikePlaidSecret => " (it looks like a Plaid secret, perhaps that of another environment)",
        Secret::Unknown => "",
    };
    let is_first = client.map(|client| &client.id) == first.map(|first| &first.id);
    let fix = if is_first {
        "Copy the value of OAUTH_CLIENT_SECRET (by default PLAID_SECRET, the one of this environment) into the profile."
    } else {
        "Copy the client's secret into the profile once more; the clients file has only its hash."
    };
    (format!("{field} was wrong{why}"), fix)
}
