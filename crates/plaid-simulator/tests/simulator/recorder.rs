//! What the record of calls keeps, and above all what it does not.

use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::Plaid;
use plaid_simulator::{CLIENT_ID, SECRET};

/// Secrets, tokens and people's data, in the shapes that they have.
fn secret() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "(access|public|link|user|assets|processor|moon)-(sandbox|production|development)-[0-9a-f]{8}-[0-9a-f]{12}",
        "(ACCESS|Public)-SANDBOX-[0-9A-F]{12}",
        "[0-9a-f]{24}",
        "[0-9a-f]{30}",
        "[0-9]{9}",
        "[0-9]{3}-[0-9]{2}-[0-9]{4}",
        "[0-9]{16}",
        "[1-9][0-9]{3}-sandbox-1",
        "\\+1415555[0-9]{4}",
        "[a-z]{6,9}@[a-z]{6}\\.example",
        "GB[0-9]{2}NWBK[0-9]{14}",
        "eyJ[A-Za-z0-9]{20}\\.[A-Za-z0-9_-]{20}",
        "[A-Z][a-z]{6,9} [A-Z][a-z]{6,9}",
        "pass[a-z]{8}",
    ])
    .prop_flat_map(|shape| prop::string::string_regex(shape).unwrap())
}

/// Where one secret is put, by number; beyond the last place nowhere.
async fn put(plaid: &Plaid, place: usize, secret: &str) -> bool {
    let number = secret.parse::<u64>().map_or(json!(secret), Value::from);
    let body = match place {
        0..10 => json!({"client_id": CLIENT_ID, "secret": SECRET, "access_token": "x"}),
        10 => json!({"client_id": secret, "secret": CLIENT_ID}),
        11 => json!({"client_id": CLIENT_ID, "secret": secret, "Secret": secret, "SECRET": [secret]}),
        12 => json!(secret),
        13 => json!([secret, {"a": secret}]),
        14 => json!({secret: 1, "access_token": {secret: secret}}),
        15 => json!({"access_token": number, "options": {"account_ids": [secret, number]}}),
        16 => json!({"options": secret, "count": number, "cursor": secret}),
        17 => {
            // What an application says of itself stays, unless it looks like one of these.
            let is_word = secret.starts_with("pass") || secret.contains(' ');
            let own = if is_word { "x" } else { secret };
            json!({"user": {"client_user_id": secret, "ssn": secret, "legal_name": secret, "phone_number": secret,
            "id_number": {"value": secret, "type": secret}, "date_of_birth": secret, "address": {"city": secret}},
            "client_name": own, "products": [secret], "country_codes": [secret], "language": own,
            "webhook": format!("https://{}.example/{own}?t={secret}", own.replace([' ', '@', '+'], "")),
            "redirect_uri": format!("https://a.example/{own}#{secret}"), "link_customization_name": if is_word { json!(own) } else { number.clone() },
            "statements": {"start_date": secret, "end_date": secret}, "hosted_link": {"url_lifetime_seconds": number}})
        }
        18 => {
            json!({"client_user_id": secret, "identity": {"id_numbers": [{"value": secret, "type": "us_ssn"}],
            "name": {"given_name": secret, "family_name": secret}, "addresses": [{"country": secret}]},
            "consumer_report_user_identity": {"ssn_full": secret, "ssn_last_4": number, "first_name": secret}})
        }
        19 => json!({"institution_id": secret, "initial_products": [secret],
            "options": {"override_username": secret, "override_password": secret}}),
        20 => {
            json!({"recipient_id": secret, "reference": secret, "amount": {"currency": secret, "value": number},
            "options": {"iban": secret, "bacs": {"account": secret, "sort_code": number}}})
        }
        _ => return false,
    };
    let path = match place {
        17 => "/link/token/create",
        18 => "/user/create",
        19 => "/sandbox/public_token/create",
        20 => "/payment_initiation/payment/create",
        16 => "/transactions/sync",
        _ => "/accounts/get",
    };
    let mut url = reqwest::Url::parse(&plaid.url(path)).unwrap();
    let mut method = http::Method::POST;
    let mut headers = vec![("content-type", "application/json")];
    let mut text = body.to_string();
    match place {
        0 => url.set_path(&format!("/accounts/get/{secret}")),
        1 => url.set_path(&format!("/{secret}")),
        2 => url.set_query(Some(&format!("access_token={secret}"))),
        3 => headers.push(("plaid-client-id", secret)),
        4 => headers.push(("plaid-secret", secret)),
        5 => headers.push(("plaid-version", secret)),
        6 => headers = vec![("content-type", secret)],
        7 => {
            headers = vec![("content-type", "application/x-www-form-urlencoded")];
            text = format!("access_token={secret}");
        }
        8 => headers.push(("authorization", secret)),
        9 => {
            let word = secret.replace(['@', ' ', '+', '.'], "");
            method = http::Method::from_bytes(word.as_bytes()).unwrap();
        }
        _ => {}
    }
    let mut request = plaid.http.request(method, url).body(text);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap();
    true
}

/// The secret as it was sent, and as it may look in an address.
fn is_in(record: &str, secret: &str) -> bool {
    let record = record.to_lowercase();
    let secret = secret.to_lowercase();
    let bare = secret.replace(['@', ' ', '+', '.'], "");
    record.contains(&secret) || record.contains(&bare) || record.contains(&secret.replace(' ', "%20"))
}

#[tokio::test]
async fn whatever_is_sent_anywhere_nothing_secret_or_personal_stays() {
    let plaid = Plaid::start().await;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..60 {
        let secret = secret().new_tree(&mut runner).unwrap().current();
        let mut place = 0;
        while put(&plaid, place, &secret).await {
            let record = plaid.http.get(plaid.url("/_simulator/requests"));
            let record = record.send().await.unwrap().text().await.unwrap();
            assert!(
                !is_in(&record, &secret),
                "{secret} at place {place}: {}",
                json!(plaid.simulator().requests().last())
            );
            place += 1;
        }
        assert_eq!(place, 21);
        plaid.simulator().reset();
    }
}

/// What helps to see why a call fails, and is public.
#[tokio::test]
async fn what_plaid_publishes_is_kept() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let body = json!({
        "client_name": "App", "language": "en", "country_codes": ["US", "GB"], "products": ["auth", "statements"],
        "statements": {"start_date": "2025-01-01", "end_date": "2025-03-01"},
        "user": {"client_user_id": "one", "date_of_birth": "1990-01-01"},
        "hosted_link": {"url_lifetime_seconds": 600}, "access_token": access_token, "webhook": null, "mistyped": "x",
        "redirect_uri": "",
    });
    plaid.call("/link/token/create", body).await;
    let call = plaid.simulator().requests().pop().unwrap();
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/link/token/create")
    );
    assert_eq!(call.headers.content_type.as_deref(), Some("application/json"));
    assert_eq!(
        call.body,
        json!({
            "client_id": CLIENT_ID, "secret": "***",
            "client_name": "App", "language": "en", "country_codes": ["US", "GB"], "products": ["auth", "statements"],
            "statements": {"start_date": "2025-01-01", "end_date": "2025-03-01"},
            "user": {"client_user_id": "***", "date_of_birth": "***"},
            "hosted_link": {"url_lifetime_seconds": 600}, "access_token": "access-sandbox-***", "webhook": null,
            "(unknown)": "***", "redirect_uri": "",
        })
    );
    let body = json!({"institution_id": "ins_109508", "initial_products": ["auth"]});
    plaid.call("/sandbox/public_token/create", body).await;
    let call = plaid.simulator().requests().pop().unwrap();
    assert_eq!(call.body["institution_id"], "ins_109508");

    plaid.call("/item/gett", json!({})).await;
    assert_eq!(
        plaid.simulator().requests().pop().unwrap().path,
        "(no path of Plaid's)"
    );
    assert_eq!(plaid.simulator().count("/item/gett"), 0);
}
