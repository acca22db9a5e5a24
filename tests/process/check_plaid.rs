//! `check` and Plaid: each fault that is injected has a name in what it says.

use plaid_token_broker::simulator::{CLIENT_ID, SECRET};
use serde_json::{Value, json};

use crate::check::{Checked, check};
use crate::flow::Plaid;
use crate::harness::{Start, directory};
use crate::stand_in::free_port;

fn refusal(error_type: &str, code: &str) -> Value {
    json!({ "kind": "error", "status": 400, "error_type": error_type, "error_code": code })
}

/// The next call of the path is met as if nothing waited for it.
fn nothing() -> Value {
    json!({ "kind": "delay", "milliseconds": 0 })
}

#[test]
fn keys_that_plaid_refuses_are_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let wrong = "00000000000000000000000000000a";
    let checked = Checked::of(check(&home, &plaid).set("PLAID_SECRET", wrong));
    checked
        .only(&["plaid_keys"])
        .must(
            "plaid_keys",
            "failed",
            &["INVALID_API_KEYS", "PLAID_ENV=production", "dashboard.plaid.com"],
        )
        .must("products_enabled", "skipped", &[])
        .must("institutions", "skipped", &[]);
    assert!(!checked.output.contains(wrong));

    plaid.fault(
        "/link/token/create",
        &refusal("INVALID_INPUT", "UNAUTHORIZED_ENVIRONMENT"),
    );
    Checked::of(check(&home, &plaid)).only(&["plaid_keys"]).must(
        "plaid_keys",
        "failed",
        &["not enabled for sandbox"],
    );
}

#[test]
fn plaid_that_does_not_answer_is_told_from_plaid_that_refuses() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let html = |status: u16| json!({ "kind": "body", "status": status, "content_type": "text/html", "bytes": b"<html>".to_vec() });
    for (fault, words) in [
        (json!({ "kind": "reset" }), ["broke", "firewall"]),
        (json!({ "kind": "truncate", "keep": 10 }), ["broke", "firewall"]),
        (html(502), ["not Plaid: status 502", "PLAID_BASE_URL"]),
        (html(200), ["not Plaid: status 200", "PLAID_BASE_URL"]),
        (
            json!({ "kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR" }),
            ["INTERNAL_SERVER_ERROR", "status.plaid.com"],
        ),
        (json!({ "kind": "hang" }), ["did not answer within", "firewall"]),
    ] {
        plaid.fault("/link/token/create", &fault);
        Checked::of(check(&home, &plaid))
            .only(&["plaid_reachable"])
            .must("plaid_reachable", "failed", &words)
            .must("plaid_keys", "skipped", &[]);
    }
    let nobody = format!("http://127.0.0.1:{}", free_port());
    Checked::of(check(&home, &plaid).set("PLAID_BASE_URL", &nobody))
        .only(&["plaid_reachable"])
        .must(
            "plaid_reachable",
            "failed",
            &["could not be reached", &nobody, "PLAID_BASE_URL"],
        );
}

#[test]
fn products_that_are_not_enabled_are_named_with_their_setting() {
    let home = directory();
    let only = format!("{CLIENT_ID}:auth,transactions");
    let plaid = Plaid::of(Start::command(
        &home,
        &["simulate", "--bind", "127.0.0.1:0", "--products", &only],
    ));
    let start = check(&home, &plaid)
        .set("PLAID_PRODUCTS", "auth,identity")
        .set("PLAID_OPTIONAL_PRODUCTS", "liabilities");
    Checked::of(start)
        .only(&["products_enabled"])
        .must(
            "products_enabled",
            "failed",
            &[
                "refuses identity and liabilities",
                "INVALID_PRODUCT",
                "identity from PLAID_PRODUCTS",
                "liabilities from PLAID_OPTIONAL_PRODUCTS",
            ],
        )
        .must("countries", "ok", &[]);
}

#[test]
fn what_link_does_not_take_is_found_by_trying_each_alone() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let path = "/link/token/create";
    // The whole, and then a country each.
    for fault in [
        refusal("INVALID_REQUEST", "INVALID_FIELD"),
        nothing(),
        refusal("INVALID_REQUEST", "INVALID_FIELD"),
    ] {
        plaid.fault(path, &fault);
    }
    let start = || check(&home, &plaid).set("PLAID_PRODUCTS", "auth");
    Checked::of(start().set("PLAID_COUNTRY_CODES", "US,CA"))
        .only(&["countries"])
        .must("countries", "failed", &["accept CA", "PLAID_COUNTRY_CODES"]);

    // The whole; the country, the product, the products together, the language; and then the customization.
    let refused = refusal("INVALID_INPUT", "INVALID_LINK_CUSTOMIZATION");
    for fault in [
        refused.clone(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        refused,
    ] {
        plaid.fault(path, &fault);
    }
    Checked::of(start().set("PLAID_LINK_CUSTOMIZATION_NAME", "blue"))
        .only(&["link_settings"])
        .must(
            "link_settings",
            "failed",
            &["PLAID_LINK_CUSTOMIZATION_NAME", "INVALID_LINK_CUSTOMIZATION"],
        );

    plaid.fault(path, &refusal("INVALID_REQUEST", "INVALID_CONFIGURATION"));
    Checked::of(start()).only(&["link_settings"]).must(
        "link_settings",
        "failed",
        &["not all of them together", "INVALID_CONFIGURATION"],
    );

    plaid.fault(path, &json!({ "kind": "error", "status": 429, "error_type": "RATE_LIMIT_EXCEEDED", "error_code": "RATE_LIMIT" }));
    Checked::of(start())
        .only(&[])
        .must("plaid_keys", "skipped", &["in a minute"]);
}

#[test]
fn a_link_redirect_uri_that_plaid_does_not_know_is_told() {
    let home = directory();
    let listed = "https://elsewhere.example/link/return";
    let plaid = Plaid::of(Start::command(
        &home,
        &["simulate", "--bind", "127.0.0.1:0", "--redirect-uri", listed],
    ));
    let start = |public: &str| {
        check(&home, &plaid)
            .set("PUBLIC_URL", public)
            .set("PLAID_LINK_REDIRECT_URI", &format!("{public}/link/return"))
    };
    Checked::of(start("http://localhost:9"))
        .only(&["link_redirect_uri"])
        .must(
            "link_redirect_uri",
            "failed",
            &[
                "does not know",
                "http://localhost:9/link/return",
                "allowed redirect URIs",
            ],
        );
    let home = directory();
    let plaid = Plaid::of(Start::command(
        &home,
        &[
            "simulate",
            "--bind",
            "127.0.0.1:0",
            "--redirect-uri",
            "http://localhost:9/link/return",
        ],
    ));
    Checked::of(
        check(&home, &plaid)
            .set("PUBLIC_URL", "http://localhost:9")
            .set("PLAID_LINK_REDIRECT_URI", "http://localhost:9/link/return"),
    )
    .only(&[])
    .must("link_redirect_uri", "ok", &[]);
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let home = directory();
    let plaid = Plaid::start(&home);
    for (seconds, status) in [(60, "warning"), (400, "failed")] {
        let order = json!({ "advance_seconds": seconds });
        crate::web::post_json(&plaid.url, "/_simulator/clock", &order).unwrap();
        let checked = Checked::of(check(&home, &plaid));
        checked.must("clock", status, &["behind Plaid's", "time synchronisation"]);
    }
}

#[test]
fn products_that_hide_most_banks_are_told_with_what_to_move() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let counted = |total: u64| {
        let body = json!({ "institutions": [], "total": total, "request_id": "r" })
            .to_string()
            .into_bytes();
        json!({ "kind": "body", "status": 200, "content_type": "application/json", "bytes": body })
    };
    // All of them, those with every product, and then each product.
    for total in [12_000, 900, 11_500, 11_000, 8_000, 2_000, 3_000] {
        plaid.fault("/institutions/get", &counted(total));
    }
    let guide = "auth,transactions,identity,investments,liabilities";
    Checked::of(check(&home, &plaid).set("PLAID_PRODUCTS", guide))
        .only(&[])
        .must(
            "institutions",
            "warning",
            &[
                "Of 12000 institutions in US, 900 support",
                "transactions 11000",
                "transactions alone leaves 11000",
                "\\nPLAID_PRODUCTS=transactions\\n",
                "\\nPLAID_REQUIRED_IF_SUPPORTED_PRODUCTS=auth,identity,investments,liabilities",
            ],
        );
    let limited = json!({ "kind": "error", "status": 429, "error_type": "RATE_LIMIT_EXCEEDED", "error_code": "INSTITUTIONS_GET_LIMIT" });
    plaid.fault("/institutions/get", &limited);
    Checked::of(check(&home, &plaid))
        .only(&[])
        .must("institutions", "skipped", &["in a minute"]);
}

#[test]
fn what_plaid_says_cannot_bring_a_secret_onto_the_screen() {
    let home = directory();
    let plaid = Plaid::start(&home);
    let words = json!({
        "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS",
        "error_message": format!("no such secret: {SECRET}\u{1b}[2J"), "request_id": "r",
    });
    let bytes = words.to_string().into_bytes();
    plaid.fault(
        "/link/token/create",
        &json!({ "kind": "body", "status": 400, "content_type": "application/json", "bytes": bytes }),
    );
    let checked = Checked::of(check(&home, &plaid));
    checked.must("plaid_keys", "failed", &["no such secret: …"]);
    assert!(
        !checked.output.contains(SECRET) && !checked.output.contains("u001b"),
        "{}",
        checked.output
    );
}
