//! What clients and browsers send: Basic, forms, JSON, redirect URIs, `state`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use plaid_token_broker::config::{
    ClientAuthPolicy, ClientConfig, Config, Environment, LoadOptions, RedirectUris,
};
use plaid_token_broker::oauth::client_auth;
use plaid_token_broker::oauth::params::{Params, raw_query_value};
use plaid_token_broker::oauth::redirect::RedirectTarget;
use proptest::prelude::*;
use proptest::sample::select;
use url::{Host, Url, form_urlencoded};

use crate::mutation::{cases, feed, mutated, mutated_text};

const ID: &str = "kore";
const SECRET: &str = "a secret+with%41 signs&=:";
const CALLBACK: &str = "https://idp.kore.com/workflows/callback?tenant=a";

fn client() -> Vec<ClientConfig> {
    let settings = [
        ("OAUTH_CLIENT_ID", ID),
        ("OAUTH_CLIENT_SECRET", SECRET),
        ("PLAID_REDIRECT_URI", CALLBACK),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::load(settings, None, LoadOptions::default())
        .unwrap()
        .oauth
        .clients
}

fn decoded(text: &str) -> String {
    let escaped = text.replace('=', "%3D").replace('&', "%26");
    let (name, _) = form_urlencoded::parse(escaped.as_bytes())
        .next()
        .unwrap_or_default();
    name.into_owned()
}

#[test]
fn the_basic_header_proves_a_client_by_the_right_secret_alone() {
    let clients = client();
    let pairs = [
        format!("{ID}:{SECRET}"),
        "kore:a+secret%2Bwith%2541+signs%26%3D%3A".to_owned(),
        format!("{ID}:"),
        ":".to_owned(),
    ];
    // Changed before it is encoded, after, or not at all.
    let plain = mutated(pairs.iter().map(|pair| pair.as_bytes().to_vec()).collect())
        .prop_map(|pair| format!("Basic {}", STANDARD.encode(pair)).into_bytes());
    let encoded = pairs
        .iter()
        .map(|pair| format!("Basic {}", STANDARD.encode(pair)).into_bytes());
    let header = prop_oneof![plain, mutated(encoded.collect())];
    let proven = std::cell::Cell::new(0);
    feed(cases(1), &header, |bytes| {
        let Ok(value) = HeaderValue::from_bytes(&bytes) else {
            return Ok(());
        };
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let Ok(credentials) = client_auth::credentials(&headers, &Params::default()) else {
            return Ok(());
        };
        let believed = client_auth::authenticate(
            &credentials,
            &clients,
            ClientAuthPolicy::Required,
            Environment::Production,
        );
        if believed.is_ok() {
            proven.set(proven.get() + 1);
            let text = String::from_utf8(bytes).unwrap();
            let pair = STANDARD.decode(text.split_once(' ').unwrap().1.trim()).unwrap();
            let pair = String::from_utf8(pair).unwrap();
            let (id, secret) = pair.split_once(':').unwrap();
            prop_assert!(id == ID || decoded(id) == ID, "{pair}");
            prop_assert!(secret == SECRET || decoded(secret) == SECRET, "{pair}");
        }
        Ok(())
    });
    assert!(proven.get() > 0, "some were left as they were");
}

#[test]
fn forms_and_json_are_read_alike() {
    let names = select(vec![
        "code",
        "grant_type",
        "client_secret",
        "refresh_token",
        "state",
        "unknown",
    ]);
    let value = prop_oneof![any::<String>(), Just("same".to_owned()), Just(String::new())];
    let pairs = proptest::collection::vec((names, value), 0..8);
    feed(cases(1), &pairs, |pairs| {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&pairs)
            .finish();
        let members: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("\"{name}\":{}", serde_json::json!(value)))
            .collect();
        let json = format!("{{{}}}", members.join(","));
        let none_doubled = |params: Params| params.none_doubled().map(|()| params);
        match (
            Params::from_form(form.as_bytes()).and_then(none_doubled),
            Params::from_json(json.as_bytes()).and_then(none_doubled),
        ) {
            (Ok(form), Ok(json)) => {
                for (name, value) in &pairs {
                    prop_assert_eq!(form.get(name), json.get(name));
                    if *name != "unknown" && !value.is_empty() {
                        prop_assert_eq!(form.get(name), Some(value.as_str()));
                    }
                }
            }
            (Err(form), Err(json)) => prop_assert_eq!(form, json),
            (form, json) => prop_assert!(false, "{form:?} {json:?}"),
        }
        Ok(())
    });
}

#[test]
fn broken_forms_and_json_are_taken_without_panic() {
    let corpus = [
        "grant_type=authorization_code&code=ptb_ac_x&redirect_uri=https%3A%2F%2Fa.example&client_id=kore",
        r#"{"grant_type":"refresh_token","refresh_token":"ptb_rt_x","client_secret":null,"n":[1,{"a":2e308}]}"#,
        "code=%zz%&=&&code=",
        r#"{"code":"\ud800","code":"a"}"#,
    ];
    let body = mutated(corpus.iter().map(|text| text.as_bytes().to_vec()).collect());
    feed(cases(1), &body, |body| {
        for read in [
            Params::from_form(&body),
            Params::from_json(&body),
            Params::from_query(&body),
        ] {
            match read {
                // Values are never shown.
                Ok(params) => {
                    let shown = format!("{params:?}");
                    prop_assert!(!shown.contains("ptb_"));
                }
                Err(error) => {
                    let text = error.to_string();
                    prop_assert!(text.len() < 200 && !text.contains("ptb_"), "{text}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_redirect_uri_is_taken_when_it_is_listed_byte_for_byte() {
    let list = [CALLBACK, "http://127.0.0.1:9/callback"];
    let listed = RedirectUris::Listed(list.map(str::to_owned).to_vec());
    let taken = std::cell::Cell::new(0);
    feed(cases(1), &mutated_text(&list), |sent| {
        let checked = RedirectTarget::check(&listed, Some(&sent), None);
        prop_assert_eq!(checked.is_ok(), list.contains(&sent.as_str()), "{}", sent);
        taken.set(taken.get() + u32::from(checked.is_ok()));
        Ok(())
    });
    assert!(taken.get() > 0);
}

#[test]
fn a_native_apps_redirect_uri_may_differ_in_its_port_alone() {
    let parts = [
        ("http://127.0.0.1", "/callback"),
        ("http://[::1]", "/cb?x=1"),
        ("http://localhost", "/callback"),
    ];
    let list = parts.map(|(host, path)| format!("{host}{path}"));
    let native = RedirectUris::Native(list.to_vec());
    let corpus = [
        &list[0],
        &list[1],
        &list[2],
        "http://localhost:49152/callback",
        "http://localhost:1@evil.example/callback",
        "http://127.0.0.1:49152/callback",
        "http://[::1]:8/cb?x=1",
        "http://127.0.0.1:1@evil.example/callback",
        "http://127.0.0.1:49152:/callback",
    ];
    let with_port = std::cell::Cell::new(0);
    feed(cases(1), &mutated_text(&corpus), |sent| {
        let listed = list.contains(&sent);
        let port_alone = parts.iter().any(|(host, path)| {
            let rest = sent.strip_prefix(host).and_then(|rest| rest.strip_suffix(path));
            let port = rest.and_then(|rest| rest.strip_prefix(':'));
            port.is_some_and(|port| {
                port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
            })
        });
        let taken = RedirectTarget::check(&native, Some(&sent), None).is_ok();
        prop_assert!(!taken || listed || port_alone, "{sent}");
        prop_assert!(taken || !listed, "{sent}");
        with_port.set(with_port.get() + u32::from(taken && !listed));
        Ok(())
    });
    assert!(with_port.get() > 0);
}

#[test]
fn unlisted_loopback_is_loopback_for_every_reader() {
    let corpus = [
        "http://127.0.0.1:8123/cb?x=1",
        "http://localhost/cb",
        "https://[::1]:9/cb",
        "http://localhost@evil.example/",
        "http://evil.example\\@localhost/",
    ];
    let taken = std::cell::Cell::new(0);
    feed(cases(1), &mutated_text(&corpus), |sent| {
        let Ok(target) = RedirectTarget::check(&RedirectUris::AnyLoopback, Some(&sent), None) else {
            return Ok(());
        };
        taken.set(taken.get() + 1);
        let url = Url::parse(&sent).unwrap();
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        prop_assert!(loopback && !sent.contains(['\\', '#', ' ']), "{sent}");
        prop_assert!(url.username().is_empty() && url.password().is_none(), "{sent}");
        let sent_on = target.with_code("code", Some("https://b.example"));
        prop_assert!(HeaderValue::from_str(&sent_on).is_ok(), "{sent_on}");
        let same = Url::parse(&sent_on).unwrap();
        prop_assert_eq!(same.origin(), url.origin());
        Ok(())
    });
    assert!(taken.get() > 0);
}

#[test]
fn state_keeps_its_bytes_and_cannot_leave_its_place() {
    let corpus = [
        "state=a%2Bb+c&redirect_uri=x",
        "x=1&state=%ff%FE%0d%0aX:y",
        "state=&%73tate=later",
        "state=a=b==&state=c",
    ];
    feed(cases(1), &mutated_text(&corpus), |query| {
        let sent = query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let named = form_urlencoded::parse(name.as_bytes())
                .next()
                .is_some_and(|(name, _)| name == "state");
            (named && !value.is_empty()).then_some(value)
        });
        let state = raw_query_value(&query, "state");
        prop_assert_eq!(state.is_some(), sent.is_some());
        let (Some(state), Some(sent)) = (state, sent) else {
            return Ok(());
        };
        prop_assert!(
            state
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"&#\"<>".contains(&byte)),
            "{state}"
        );
        // Decoded it is what was sent.
        let read = |raw: &str| {
            form_urlencoded::parse(format!("s={raw}").as_bytes())
                .next()
                .unwrap()
                .1
                .into_owned()
        };
        prop_assert_eq!(read(&state), read(sent));
        let uris = RedirectUris::Listed(vec![CALLBACK.to_owned()]);
        let target = RedirectTarget::check(&uris, None, Some(state.clone())).unwrap();
        let url = target.with_error("access_denied", "x", None);
        let end = format!("&state={state}");
        prop_assert!(url.ends_with(&end) && HeaderValue::from_str(&url).is_ok());
        Ok(())
    });
}
