//! `/payment_initiation/…`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::link_support::Link;
use crate::receiver::Receiver;
use crate::support::{OTHER, Plaid, link_token_request, text};
use crate::validation::check_fields;

const PATH: &str = "/payment_initiation";

async fn call(plaid: &Plaid, path: &str, body: Value) -> crate::support::Answer {
    plaid.call(&format!("{PATH}{path}"), body).await
}

async fn recipient(plaid: &Plaid) -> String {
    let body = json!({"name": "Jo Doe", "bacs": {"account": "26207729", "sort_code": "560029"}});
    text(&call(plaid, "/recipient/create", body).await.ok(), "recipient_id")
}

fn consent_of(recipient_id: &str) -> Value {
    json!({"recipient_id": recipient_id, "reference": "savings", "constraints": {
        "max_payment_amount": {"currency": "GBP", "value": 15},
        "periodic_amounts": [{"amount": {"currency": "GBP", "value": 40}, "interval": "MONTH",
                              "alignment": "CALENDAR"}],
    }})
}

/// A person agrees in Link.
async fn agree(plaid: &Plaid, what: Value) {
    let link_token = plaid
        .link_token(
            json!({"products": ["payment_initiation"], "country_codes": ["GB"], "payment_initiation": what}),
        )
        .await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    assert!(success.public_token.is_none(), "there is no Item");
}

#[tokio::test]
async fn every_payment_path_checks_its_fields() {
    let plaid = Plaid::start().await;
    let recipient_id = recipient(&plaid).await;
    let payment =
        json!({"recipient_id": recipient_id, "reference": "rent", "amount": {"currency": "GBP", "value": 5}});
    let created = call(&plaid, "/payment/create", payment.clone()).await.ok();
    let of_payment = json!({"payment_id": created["payment_id"]});
    let consent = call(&plaid, "/consent/create", consent_of(&recipient_id))
        .await
        .ok();
    let of_consent = json!({"consent_id": consent["consent_id"]});
    agree(&plaid, of_payment.clone()).await;
    agree(&plaid, of_consent.clone()).await;
    let mut reverse = of_payment.clone();
    reverse["idempotency_key"] = json!("k");
    reverse["reference"] = json!("refund");
    let mut execute = of_consent.clone();
    execute["idempotency_key"] = json!("k");
    execute["amount"] = json!({"currency": "GBP", "value": 5});
    let rows = vec![
        (
            "/payment_initiation/recipient/get",
            json!({"recipient_id": recipient_id}),
        ),
        ("/payment_initiation/recipient/list", json!({})),
        ("/payment_initiation/payment/create", payment),
        ("/payment_initiation/payment/get", of_payment.clone()),
        ("/payment_initiation/payment/list", json!({})),
        ("/payment_initiation/payment/token/create", of_payment),
        ("/payment_initiation/payment/reverse", reverse),
        ("/payment_initiation/consent/create", consent_of(&recipient_id)),
        ("/payment_initiation/consent/get", of_consent.clone()),
        ("/payment_initiation/consent/payment/execute", execute),
        ("/payment_initiation/consent/revoke", of_consent),
    ];
    check_fields(&plaid, rows).await;
}

#[tokio::test]
async fn recipients_are_kept_and_listed() {
    let plaid = Plaid::start().await;
    let first = recipient(&plaid).await;
    let second = recipient(&plaid).await;
    let page = call(&plaid, "/recipient/list", json!({"count": 1})).await.ok();
    assert_eq!(page["recipients"][0]["recipient_id"], second.as_str());
    let next = call(
        &plaid,
        "/recipient/list",
        json!({"count": 1, "cursor": page["next_cursor"]}),
    )
    .await
    .ok();
    assert_eq!(next["recipients"][0]["recipient_id"], first.as_str());
    assert!(next.get("next_cursor").is_none());
    plaid
        .call_as(
            OTHER,
            &format!("{PATH}/recipient/get"),
            json!({"recipient_id": first}),
        )
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    for (body, kind, code) in [
        (
            json!({"name": "Jo"}),
            "PAYMENT_ERROR",
            "PAYMENT_INVALID_RECIPIENT",
        ),
        (
            json!({"name": "Jo", "iban": "short"}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"name": "Jo", "bacs": {"sort_code": "1"}}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"name": "Jo", "address": {}}),
            "INVALID_REQUEST",
            "MISSING_FIELDS",
        ),
    ] {
        call(&plaid, "/recipient/create", body)
            .await
            .refused(400, kind, code);
    }
}

#[tokio::test]
async fn a_payment_is_agreed_to_and_reversed() {
    let plaid = Plaid::start().await;
    let recipient_id = recipient(&plaid).await;
    let of = |value: f64| {
        json!({"recipient_id": recipient_id, "reference": "rent", "amount": {"currency": "GBP", "value": value},
               "schedule": {"interval": "MONTHLY", "interval_execution_day": 1, "start_date": "2025-07-01"}})
    };
    call(&plaid, "/payment/create", of(0.0))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let created = call(&plaid, "/payment/create", of(20.5)).await.ok();
    assert_eq!(created["status"], "PAYMENT_STATUS_INPUT_NEEDED");
    let payment_id = text(&created, "payment_id");
    let reverse = |value: f64, key: &str| {
        let body = json!({"payment_id": payment_id, "idempotency_key": key, "reference": "refund",
                          "amount": {"currency": "GBP", "value": value}});
        call(&plaid, "/payment/reverse", body)
    };
    reverse(1.0, "a")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    plaid.clock.advance(Duration::from_secs(1));
    call(&plaid, "/payment/create", of(1.0)).await.ok();
    agree(&plaid, json!({"payment_id": payment_id})).await;
    let told = call(&plaid, "/payment/get", json!({"payment_id": payment_id}))
        .await
        .ok();
    assert_eq!(told["status"], "PAYMENT_STATUS_INITIATED");
    reverse(20.51, "b")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let refund = reverse(20.5, "c").await.ok();
    assert_eq!(reverse(20.5, "c").await.ok()["refund_id"], refund["refund_id"]);
    reverse(20.5, "d")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");

    let page = call(&plaid, "/payment/list", json!({"count": 1})).await.ok();
    assert_eq!(page["payments"].as_array().unwrap().len(), 1);
    assert!(page["next_cursor"].is_string());
}

#[tokio::test]
async fn a_consent_bounds_its_payments() {
    let plaid = Plaid::start().await;
    let recipient_id = recipient(&plaid).await;
    let mut bad = consent_of(&recipient_id);
    bad["constraints"]["periodic_amounts"] = json!([{"interval": "MONTH", "alignment": "CALENDAR"}]);
    call(&plaid, "/consent/create", bad)
        .await
        .refused(400, "INVALID_REQUEST", "MISSING_FIELDS");
    let mut bad = consent_of(&recipient_id);
    bad["constraints"]["max_payment_amount"]["value"] = json!(0);
    call(&plaid, "/consent/create", bad).await.refused(
        400,
        "PAYMENT_ERROR",
        "PAYMENT_CONSENT_INVALID_CONSTRAINTS",
    );
    let consent = call(&plaid, "/consent/create", consent_of(&recipient_id))
        .await
        .ok();
    assert_eq!(consent["status"], "UNAUTHORISED");
    let of_consent = json!({"consent_id": consent["consent_id"]});
    let pay = |value: f64, key: &str| {
        let body = json!({"consent_id": consent["consent_id"], "idempotency_key": key,
                          "amount": {"currency": "GBP", "value": value}});
        call(&plaid, "/consent/payment/execute", body)
    };
    pay(5.0, "a")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    agree(&plaid, of_consent.clone()).await;
    let first = pay(5.0, "b").await.ok();
    assert_eq!(pay(5.0, "b").await.ok()["payment_id"], first["payment_id"]);
    pay(15.01, "c")
        .await
        .refused(400, "PAYMENT_ERROR", "PAYMENT_CONSENT_INVALID_CONSTRAINTS");
    let listed = call(&plaid, "/payment/list", of_consent.clone()).await.ok();
    assert_eq!(listed["payments"].as_array().unwrap().len(), 1);
    call(&plaid, "/consent/revoke", of_consent.clone()).await.ok();
    assert_eq!(
        call(&plaid, "/consent/get", of_consent).await.ok()["status"],
        "REVOKED"
    );
    pay(5.0, "d")
        .await
        .refused(400, "PAYMENT_ERROR", "PAYMENT_CONSENT_CANCELLED");
}

#[tokio::test]
async fn a_payment_ends_without_an_item() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let recipient_id = recipient(&plaid).await;
    let payment =
        json!({"recipient_id": recipient_id, "reference": "rent", "amount": {"currency": "GBP", "value": 5}});
    let payment = call(&plaid, "/payment/create", payment).await.ok();
    let of_payment = json!({"payment_id": payment["payment_id"]});
    let changes = json!({"products": ["payment_initiation"], "country_codes": ["GB"],
                         "payment_initiation": of_payment, "hosted_link": {}, "webhook": url});
    let created = plaid.call("/link/token/create", link_token_request(&changes));
    let link_token = text(&created.await.ok(), "link_token");
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    assert!(success.public_token.is_none());
    assert!(success.metadata["institution"].is_object());
    let got = plaid.call("/link/token/get", json!({"link_token": link_token}));
    let session = got.await.ok()["link_sessions"][0].clone();
    assert_eq!(session["results"]["item_add_results"], json!([]));
    assert!(!session.to_string().contains("public-sandbox"), "{session}");
    let finished = receiver.next().await.json();
    assert_eq!(
        (&finished["webhook_code"], &finished["status"]),
        (&json!("SESSION_FINISHED"), &json!("SUCCESS"))
    );
    assert!(finished.get("public_token").is_none() && finished.get("public_tokens").is_none());
    assert_eq!(receiver.next().await.json()["webhook_code"], "EVENTS");

    let changes = json!({"products": ["payment_initiation"], "country_codes": ["GB"],
                         "payment_initiation": of_payment});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(&plaid, &link_token).await;
    link.choose("ins_117650").await;
    let pane = link.login("pass_good").await;
    let finished = link.take_all(&pane).await;
    assert!(finished["public_token"].is_null(), "{finished}");
    assert!(finished["metadata"]["accounts"].is_array());
}

#[tokio::test]
async fn link_is_for_a_payment_or_consent_of_the_same_client() {
    let plaid = Plaid::start().await;
    let recipient_id = recipient(&plaid).await;
    let consent = call(&plaid, "/consent/create", consent_of(&recipient_id))
        .await
        .ok();
    let of = |what: Value| {
        link_token_request(
            &json!({"products": ["payment_initiation"], "country_codes": ["GB"],
                                   "payment_initiation": what}),
        )
    };
    let good = of(json!({"consent_id": consent["consent_id"]}));
    plaid.call("/link/token/create", good.clone()).await.ok();
    for request in [
        of(json!({"consent_id": "consent-id-sandbox-made-up"})),
        of(json!({"payment_id": consent["consent_id"]})),
    ] {
        let answer = plaid.call("/link/token/create", request).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let answer = plaid.call_as(OTHER, "/link/token/create", good).await;
    answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    for neither_or_both in [
        json!({}),
        json!({"payment_id": "a", "consent_id": consent["consent_id"]}),
    ] {
        let answer = plaid.call("/link/token/create", of(neither_or_both)).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_CONFIGURATION");
    }
}

/// The refusal of each body, and what its reason says.
async fn refused_because(plaid: &Plaid, path: &str, rows: Vec<(Value, &str)>) {
    for (body, says) in rows {
        let answer = call(plaid, path, body.clone()).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
        let message = text(&answer.body, "error_message");
        assert!(message.contains(says), "{body}: {message}");
    }
}

async fn payment_with(plaid: &Plaid) -> impl Fn(Value) -> Value {
    let recipient_id = recipient(plaid).await;
    move |changes: Value| {
        let mut body = json!({"recipient_id": recipient_id, "reference": "rent 7",
                              "amount": {"currency": "GBP", "value": 5}});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }
}

#[tokio::test]
async fn amounts_and_references_are_such_as_banks_take() {
    let plaid = Plaid::start().await;
    let payment = payment_with(&plaid).await;
    let amount = |value: f64| payment(json!({"amount": {"currency": "GBP", "value": value}}));
    let rows = vec![
        (payment(json!({"reference": "a@#!"})), "letters, digits"),
        (amount(1.234), "two decimals"),
        (amount(0.001), "two decimals"),
        (amount(1e15), "less than"),
        (amount(0.0), "more than nothing"),
        (amount(-1.0), "more than nothing"),
    ];
    refused_because(&plaid, "/payment/create", rows).await;
    for good in [amount(0.01), amount(1234.56), amount(1e9)] {
        call(&plaid, "/payment/create", good).await.ok();
    }
    let recipient_id = recipient(&plaid).await;
    let mut consent = consent_of(&recipient_id);
    consent["constraints"]["max_payment_amount"]["value"] = json!(1.234);
    call(&plaid, "/consent/create", consent).await.refused(
        400,
        "PAYMENT_ERROR",
        "PAYMENT_CONSENT_INVALID_CONSTRAINTS",
    );
    let mut consent = consent_of(&recipient_id);
    consent["reference"] = json!("a@b");
    refused_because(&plaid, "/consent/create", vec![(consent, "letters, digits")]).await;
}

/// The clock stands at 2025-06-15.
#[tokio::test]
async fn a_standing_order_lies_ahead_and_ends_after_it_starts() {
    let plaid = Plaid::start().await;
    let payment = payment_with(&plaid).await;
    let schedule = |interval: &str, day: i64, start: &str, end: Option<&str>| {
        let schedule = json!({"interval": interval, "interval_execution_day": day, "start_date": start,
                              "end_date": end});
        payment(json!({"schedule": schedule}))
    };
    let rows = vec![
        (schedule("MONTHLY", 1, "2025-06-14", None), "past"),
        (
            schedule("MONTHLY", 1, "2027-03-01", Some("2027-01-01")),
            "end_date must not be before",
        ),
        (
            schedule("MONTHLY", 0, "2027-03-01", None),
            "interval_execution_day",
        ),
        (schedule("WEEKLY", 8, "2027-03-01", None), "7 for WEEKLY"),
        (schedule("WEEKLY", -1, "2027-03-01", None), "7 for WEEKLY"),
    ];
    refused_because(&plaid, "/payment/create", rows).await;
    for good in [
        schedule("MONTHLY", -1, "2025-06-15", Some("2025-06-15")),
        schedule("WEEKLY", 7, "2025-06-16", None),
    ] {
        call(&plaid, "/payment/create", good).await.ok();
    }
}

#[tokio::test]
async fn accounts_have_numbers_that_exist() {
    let plaid = Plaid::start().await;
    let payment = payment_with(&plaid).await;
    let bacs = |account: &str, sort_code: &str| json!({"bacs": {"account": account, "sort_code": sort_code}});
    let iban = |iban: &str| json!({"iban": iban});
    let named = |mut body: Value| {
        body["name"] = json!("Jo");
        body
    };
    let rows = vec![
        (named(iban("ZZ00 not an iban!!")), "iban is not one"),
        (named(iban("GB00NWBK60161331926819")), "iban is not one"),
        (named(iban("GB29NWBK601613")), "at least 15 characters"),
        (named(bacs("12345678", "abcdef")), "bacs.sort_code"),
        (named(bacs("1234567a", "601613")), "bacs.account"),
    ];
    refused_because(&plaid, "/recipient/create", rows).await;
    let rows = vec![
        (
            payment(json!({"options": iban("ZZ00 not an iban!!")})),
            "iban is not one",
        ),
        (payment(json!({"options": bacs("abc", "560029")})), "digits only"),
    ];
    refused_because(&plaid, "/payment/create", rows).await;
    let mut consent = consent_of(&recipient(&plaid).await);
    consent["payer_details"] = json!({"name": "Jo", "numbers": iban("GB00NWBK60161331926819")});
    refused_because(&plaid, "/consent/create", vec![(consent, "iban is not one")]).await;
    let good = named(iban("GB29NWBK60161331926819"));
    call(&plaid, "/recipient/create", good).await.ok();
}
