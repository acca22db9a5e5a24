//! The simulator's own calls, and the switches.

use std::time::Duration;

use plaid_simulator::{CLIENT_ID, Fault, Options, PublicTokenReuse, Simulator};
use serde_json::{Value, json};

use crate::support::{OTHER, Plaid, client, text};

impl Plaid {
    async fn control(&self, method: http::Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.http.request(method, self.url(&format!("/_simulator{path}")));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn post_control(&self, path: &str, body: Value) -> (u16, Value) {
        self.control(http::Method::POST, path, Some(&body)).await
    }
}

#[tokio::test]
async fn the_clock_moves_by_order() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    let before = plaid.simulator().time();
    let (status, answer) = plaid
        .post_control("/clock", json!({"advance_seconds": 1800}))
        .await;
    assert_eq!(status, 200);
    assert_ne!(answer["now"], before);
    assert_eq!(answer["now"], plaid.simulator().time());
    plaid
        .exchange(&public_token)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    let (status, _) = plaid.post_control("/clock", json!({"advance_seconds": -1})).await;
    assert_eq!(status, 422, "time does not go back");
}

#[tokio::test]
async fn state_is_listed_and_forgotten() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid.simulator().enqueue("/item/get", Fault::Reset);
    let (_, state) = plaid.control(http::Method::GET, "/state", None).await;
    assert_eq!(state["items"].as_array().unwrap().len(), 1);
    assert_eq!(state["items"][0]["institution_id"], "ins_109508");
    assert!(!state.to_string().contains("access-sandbox"));
    let (status, _) = plaid.control(http::Method::DELETE, "/state", None).await;
    assert_eq!(status, 204);
    plaid
        .of_item("/item/get", &access_token)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN");
    assert_eq!(plaid.simulator().items(), []);
}

#[tokio::test]
async fn a_snapshot_goes_from_one_simulator_to_another() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let public_token = plaid.public_token().await;
    let link_token = plaid.link_token(json!({})).await;
    plaid
        .call("/user/create", json!({"client_user_id": "one"}))
        .await
        .ok();
    plaid.simulator().advance(Duration::from_secs(60));
    let before = plaid.of_item("/accounts/get", &access_token).await.ok();
    let (status, snapshot) = plaid.control(http::Method::GET, "/snapshot", None).await;
    assert_eq!(status, 200);

    let other = Plaid::start().await;
    let (status, error) = other
        .control(http::Method::PUT, "/snapshot", Some(&snapshot))
        .await;
    assert_eq!(status, 204, "{error}");
    let after = other.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(before["accounts"], after["accounts"]);
    assert_eq!(plaid.simulator().items(), other.simulator().items());
    assert_eq!(plaid.simulator().time(), other.simulator().time());
    other.exchange(&public_token).await.ok();
    assert!(other.simulator().complete_link(&link_token).is_some());

    let mut spoilt = snapshot.clone();
    spoilt["version"] = 99.into();
    let (status, error) = other.control(http::Method::PUT, "/snapshot", Some(&spoilt)).await;
    assert_eq!(status, 422);
    assert!(text(&error, "error").contains("take it again"));
    let mut spoilt = snapshot;
    spoilt["state"]["items"][0][1]["draft"]["institution"] = "ins_0".into();
    assert!(other.simulator().restore(&spoilt).is_err());
    other.of_item("/item/get", &access_token).await.ok();
}

#[tokio::test]
async fn reuse_is_a_switch_that_can_be_thrown_while_it_runs() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    let first = plaid.exchange(&public_token).await.ok();
    plaid
        .exchange(&public_token)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    let (status, switches) = plaid
        .post_control("/switches", json!({"public_token_reuse": "same_token"}))
        .await;
    assert_eq!((status, &switches["rate_limits"]), (200, &json!(false)));
    let again = plaid.exchange(&public_token).await.ok();
    assert_eq!(first["access_token"], again["access_token"]);
    assert_eq!(
        plaid.simulator().switches().public_token_reuse,
        PublicTokenReuse::SameToken
    );
    let (status, _) = plaid.post_control("/switches", json!({"rate_limit": true})).await;
    assert_eq!(status, 422, "an unknown switch is refused");
}

#[tokio::test]
async fn limits_are_off_until_switched_on() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    for _ in 0..60 {
        plaid.of_item("/item/get", &access_token).await.ok();
    }
    plaid
        .post_control("/switches", json!({"rate_limits": true}))
        .await;
    for _ in 0..40 {
        plaid.of_item("/item/get", &access_token).await.ok();
    }
    plaid
        .of_item("/item/get", &access_token)
        .await
        .refused(429, "RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT");
    let other = plaid.access_token().await;
    plaid.of_item("/item/get", &other).await.ok();
    plaid.simulator().advance(Duration::from_secs(60));
    plaid.of_item("/item/get", &access_token).await.ok();
}

#[tokio::test]
async fn limits_by_the_hour_and_the_second_and_the_transaction() {
    let plaid = Plaid::with(Options {
        rate_limits: true,
        ..Options::default()
    })
    .await;
    let access_token = plaid.item_with(&["signal"]).await;
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let evaluate = async |id: String| {
        let body = json!({
            "access_token": access_token,
            "account_id": accounts["accounts"][0]["account_id"],
            "client_transaction_id": id,
            "amount": 1,
        });
        plaid.call("/signal/evaluate", body).await
    };
    let refused = ("RATE_LIMIT_EXCEEDED", "RATE_LIMIT");
    for _ in 0..10 {
        evaluate("one".to_owned()).await.ok();
    }
    let by_transaction = evaluate("one".to_owned()).await;
    by_transaction.refused(429, refused.0, refused.1);
    for at in 0..20 {
        evaluate(at.to_string()).await.ok();
    }
    let by_second = evaluate("more".to_owned()).await;
    by_second.refused(429, refused.0, refused.1);
    assert!(text(&by_second.body, "error_message").contains("30 calls per second"));
    for second in 0..2 {
        plaid.simulator().advance(Duration::from_secs(1));
        for at in 0..20 - second {
            evaluate(format!("{second}-{at}")).await.ok();
        }
    }
    plaid.simulator().advance(Duration::from_secs(60));
    let by_hour = evaluate("last".to_owned()).await;
    by_hour.refused(429, refused.0, refused.1);
    assert!(text(&by_hour.body, "error_message").contains("70 calls per hour"));
    plaid.simulator().advance(Duration::from_secs(60 * 60));
    evaluate("one".to_owned()).await.ok();
}

#[tokio::test]
async fn products_are_enabled_per_client() {
    let plaid = Plaid::with(Options {
        enabled_products: vec![(CLIENT_ID.to_owned(), vec!["auth".to_owned()])],
        ..Options::default()
    })
    .await;
    let create = |product: &str| json!({"institution_id": "ins_109508", "initial_products": [product]});
    let path = "/sandbox/public_token/create";
    plaid.call(path, create("auth")).await.ok();
    plaid
        .call(path, create("transactions"))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PRODUCT");
    plaid.call_as(OTHER, path, create("transactions")).await.ok();
    let link = crate::support::link_token_request(&json!({"products": ["auth", "identity"]}));
    plaid
        .call("/link/token/create", link)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PRODUCT");
}

#[tokio::test]
async fn faults_and_items_and_keys_are_ordered_over_http() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let order = json!({"path": "/item/get", "fault": {"kind": "error", "status": 500, "error_type": "API_ERROR",
        "error_code": "INTERNAL_SERVER_ERROR"}});
    for _ in 0..1_000 {
        let (status, _) = plaid.post_control("/faults", order.clone()).await;
        assert_eq!(status, 204);
    }
    let (status, error) = plaid.post_control("/faults", order).await;
    assert_eq!(status, 409);
    assert!(text(&error, "error").contains("wait already"));
    plaid
        .of_item("/item/get", &access_token)
        .await
        .refused(500, "API_ERROR", "INTERNAL_SERVER_ERROR");
    let item_id = plaid.simulator().items()[0].item_id.clone();
    let revoke = |item_id: &str| json!({"item_id": item_id, "action": "revoke"});
    let (status, _) = plaid.post_control("/items", revoke(&item_id)).await;
    assert_eq!(status, 204);
    let (status, _) = plaid.post_control("/items", revoke("none")).await;
    assert_eq!(status, 404);
    for action in ["rotate", "expire"] {
        let (status, _) = plaid
            .post_control("/webhook_key", json!({"action": action}))
            .await;
        assert_eq!(status, 204);
    }
    let (status, webhooks) = plaid.control(http::Method::GET, "/webhooks", None).await;
    assert_eq!((status, webhooks), (200, json!([])));
}

/// A form of another site can be sent without asking; JSON, PUT and DELETE cannot.
#[tokio::test]
async fn a_form_changes_nothing() {
    let running = Simulator::start(Options::default()).await.unwrap();
    for path in ["faults", "clock", "switches", "items", "webhook_key"] {
        let response = client()
            .post(format!("{}/_simulator/{path}", running.url()))
            .header("content-type", "text/plain")
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 415, "{path}");
    }
}

#[tokio::test]
async fn users_are_kept_and_their_data_looked_at() {
    let plaid = Plaid::start().await;
    let create = async |changes: Value| {
        let mut body = json!({"client_user_id": "one"});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        plaid.call("/user/create", body).await
    };
    let first = create(json!({})).await.ok();
    assert!(text(&first, "user_token").starts_with("user-sandbox-"));
    let upgraded = create(json!({"with_upgraded_user": true})).await.ok();
    assert_eq!(first["user_id"], upgraded["user_id"]);
    assert!(upgraded.get("user_token").is_none());
    let identity = |mail: &str| json!({"identity": {"emails": [{"data": mail, "primary": true}]}});
    create(identity("a@b.test")).await.ok();
    create(identity("nobody"))
        .await
        .refused(403, "USER_ERROR", "INVALID_USER_IDENTITY_DATA");
    create(json!({"identity": {"emails": [{"data": "a@b.test"}]}}))
        .await
        .refused(400, "INVALID_REQUEST", "MISSING_FIELDS");
    create(json!({"identity": {"emails": [{"data": "a@b.test", "primary": true, "more": 1}]}}))
        .await
        .refused(400, "INVALID_REQUEST", "UNKNOWN_FIELDS");
    create(json!({"client_user_id": "a@b.test"}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
}

#[tokio::test]
async fn institutions_come_in_pages_and_by_name() {
    let plaid = Plaid::start().await;
    let get = async |count: usize, offset: usize, options: Value| {
        let body = json!({"count": count, "offset": offset, "country_codes": ["US"], "options": options});
        plaid.call("/institutions/get", body).await.ok()
    };
    let all = get(500, 0, json!({})).await;
    let total = all["institutions"].as_array().unwrap().len();
    assert_eq!(all["total"], total);
    let page = get(2, 3, json!({})).await;
    assert_eq!(page["institutions"][0], all["institutions"][3]);
    assert_eq!(
        (page["institutions"].as_array().unwrap().len(), &page["total"]),
        (2, &json!(total))
    );
    let oauth = get(500, 0, json!({"oauth": true})).await;
    assert!(
        oauth["institutions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["oauth"] == true)
    );
    let none = get(500, 0, json!({"routing_numbers": ["000000000"]})).await;
    assert_eq!(none["total"], 0);
    for (countries, products, expected) in [
        (json!(["CA"]), json!(["auth"]), 1),
        (json!(["CA"]), json!(["auth", "liabilities"]), 0),
        (json!(["GB"]), json!(["payment_initiation"]), 3),
        (json!(["GB", "CA"]), json!(["transactions"]), 4),
        (json!(["US"]), json!(["liabilities"]), total),
    ] {
        let body =
            json!({"count": 1, "offset": 0, "country_codes": countries, "options": {"products": products}});
        let answer = plaid.call("/institutions/get", body).await.ok();
        assert_eq!(answer["total"], expected, "{countries} {products}");
        assert_eq!(answer["institutions"].as_array().unwrap().len(), expected.min(1));
    }
    let search = json!({"query": "gingham", "country_codes": ["US"], "products": ["auth"]});
    let hits = plaid.call("/institutions/search", search).await.ok();
    assert_eq!(hits["institutions"][0]["institution_id"], "ins_109509");
    let unknown = json!({"query": "x", "country_codes": ["US"], "products": ["nothing"]});
    plaid
        .call("/institutions/search", unknown)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let many = json!({"count": 501, "offset": 0, "country_codes": ["US"]});
    plaid
        .call("/institutions/get", many)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
}

/// Whatever is wrong, a control says so in JSON, with what to do.
#[tokio::test]
async fn refusals_of_controls_are_json() {
    let plaid = Plaid::start().await;
    let item = json!({"item_id": "x", "action": "revoke"});
    let with_more = |mut body: Value| {
        body["more"] = json!(1);
        body
    };
    let post = http::Method::POST;
    for (method, path, body, status, says) in [
        (
            &post,
            "/clock",
            json!({"advance_seconds": -1}),
            422,
            "advance_seconds",
        ),
        (&post, "/clock", json!({}), 422, "missing field `advance_seconds`"),
        (
            &post,
            "/clock",
            with_more(json!({"advance_seconds": 1})),
            422,
            "unknown field `more`",
        ),
        (
            &post,
            "/items",
            with_more(item.clone()),
            422,
            "unknown field `more`",
        ),
        (
            &post,
            "/items",
            json!({"item_id": "x", "action": "drop"}),
            422,
            "end_consent",
        ),
        (&post, "/items", item, 404, "/_simulator/state"),
        (
            &post,
            "/webhook_key",
            with_more(json!({"action": "rotate"})),
            422,
            "unknown field `more`",
        ),
        (
            &post,
            "/webhook_key",
            json!("rotate"),
            422,
            r#"{"action": "rotate"}"#,
        ),
        (&post, "/switches", with_more(json!({})), 422, "wrong_logins"),
        (&post, "/guesses", json!({"more": "x"}), 422, "more"),
        (&post, "/guesses", json!([]), 422, "removed_item"),
        (
            &post,
            "/faults",
            json!({"path": "/item/get"}),
            422,
            "missing field `fault`",
        ),
        (&http::Method::PUT, "/snapshot", json!({}), 422, "snapshot"),
        (
            &http::Method::PUT,
            "/clock",
            json!({}),
            405,
            "/_simulator/clock takes GET",
        ),
        (
            &http::Method::DELETE,
            "/switches",
            json!({}),
            405,
            "DELETE is not taken",
        ),
        (
            &post,
            "/requests",
            json!({}),
            405,
            "/_simulator/requests takes GET",
        ),
        (&post, "/nothing", json!({}), 404, "/_simulator/faults"),
    ] {
        let (got, said) = plaid.control(method.clone(), path, Some(&body)).await;
        assert_eq!(got, status, "{path} {body}: {said}");
        assert!(text(&said, "error").contains(says), "{path} {body}: {said}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_in_json() {
    let plaid = Plaid::start().await;
    for (content_type, status, says) in [
        ("text/plain", 415, "Content-Type: application/json"),
        ("application/json", 400, "not JSON"),
    ] {
        let request = plaid.http.post(plaid.url("/_simulator/clock")).body("{");
        let answer = request.header("content-type", content_type).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let said: Value = answer.json().await.unwrap();
        assert!(text(&said, "error").contains(says), "{said}");
        assert!(text(&said, "error").contains("advance_seconds"), "{said}");
    }
}

#[tokio::test]
async fn the_clock_does_not_silently_stop() {
    const CENTURY: u64 = 100 * 365 * 24 * 60 * 60;
    let plaid = Plaid::start().await;
    let ten_years = json!({"advance_seconds": CENTURY / 10});
    assert_eq!(plaid.post_control("/clock", ten_years).await.0, 200);
    let before = plaid.simulator().time();
    for seconds in [CENTURY, CENTURY / 10 * 9 + 1, u64::MAX] {
        let (status, said) = plaid
            .post_control("/clock", json!({"advance_seconds": seconds}))
            .await;
        assert_eq!(status, 422, "{said}");
        assert!(text(&said, "error").contains("100 years"), "{said}");
        assert_eq!(plaid.simulator().time(), before);
        assert!(
            plaid
                .simulator()
                .try_advance(Duration::from_secs(seconds))
                .is_err()
        );
    }
    let rest = json!({"advance_seconds": CENTURY / 10 * 9});
    assert_eq!(plaid.post_control("/clock", rest).await.0, 200);
}

/// No consent of a person's helps when Plaid has not enabled the product for the client.
#[tokio::test]
async fn what_is_not_enabled_is_neither_available_nor_advised() {
    let plaid = Plaid::with(Options {
        enabled_products: vec![(
            CLIENT_ID.to_owned(),
            vec!["transactions".to_owned(), "identity".to_owned()],
        )],
        ..Options::default()
    })
    .await;
    let access_token = plaid.item_with(&["transactions"]).await;
    for path in ["/item/get", "/accounts/get"] {
        let item = plaid.of_item(path, &access_token).await.ok();
        assert_eq!(item["item"]["available_products"], json!(["identity"]), "{path}");
    }
    for path in [
        "/auth/get",
        "/accounts/balance/get",
        "/liabilities/get",
        "/statements/list",
    ] {
        let refused = plaid.of_item(path, &access_token).await;
        refused.refused(400, "INVALID_INPUT", "INVALID_PRODUCT");
        assert!(
            text(&refused.body, "error_message").contains("not authorized"),
            "{path}"
        );
    }
    // Enabled, and not consented to: this can be asked for.
    plaid.of_item("/identity/get", &access_token).await.refused(
        400,
        "INVALID_INPUT",
        "ADDITIONAL_CONSENT_REQUIRED",
    );
    let body = json!({"institution_id": "ins_109508", "initial_products": ["auth"]});
    let public_token = plaid
        .call_as(OTHER, "/sandbox/public_token/create", body)
        .await
        .ok();
    let exchange = json!({"public_token": public_token["public_token"]});
    let item = plaid
        .call_as(OTHER, "/item/public_token/exchange", exchange)
        .await
        .ok();
    let of_item = json!({"access_token": item["access_token"]});
    let told = plaid.call_as(OTHER, "/item/get", of_item).await.ok();
    assert!(told["item"]["available_products"].as_array().unwrap().len() > 5);
}
