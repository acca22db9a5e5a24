//! Guesses about micro-deposits, observed.

use serde_json::{Value, json};

use crate::deposits::HOUNDSTOOTH;
use crate::deposits_manual::{WINDOWPANE, pending, same_day, typed, with_flags};
use crate::guesses::{Expected, outcome};
use crate::link_support::{Link, update_token};
use crate::support::{Plaid, link_token_request};

const FIELD: &str = "INVALID_REQUEST/INVALID_FIELD";

pub(crate) const CASES: &[Expected] = &[
    ("deposit_flags", &[("off", "false"), ("on", "true")]),
    (
        "deposit_rules",
        &[
            ("not_offered", "ok 200 ok 200 ok 200"),
            (
                "refused",
                "INVALID_REQUEST/INVALID_FIELD INVALID_REQUEST/INVALID_FIELD INVALID_REQUEST/INVALID_FIELD",
            ),
        ],
    ),
    (
        "auth_type_select_alone",
        &[
            ("invalid_field", FIELD),
            ("invalid_configuration", "INVALID_REQUEST/INVALID_CONFIGURATION"),
            ("ignored", "ok 200"),
        ],
    ),
    (
        "deposit_institution",
        &[
            ("null", "null"),
            ("object", r#"{"institution_id":null,"name":null}"#),
        ],
    ),
    (
        "instant_deposit_institution",
        &[("chosen", r#""ins_135858""#), ("null", "null")],
    ),
    (
        "deposit_code_view",
        &[
            ("verification", "\"SAME_DAY_MICRODEPOSIT_VERIFICATION\""),
            ("numbers", "\"NUMBERS\""),
        ],
    ),
    (
        "last_deposit_code",
        &[
            (
                "too_many_verification_attempts",
                "\"TOO_MANY_VERIFICATION_ATTEMPTS\"",
            ),
            (
                "incorrect_deposit_verification",
                "\"INCORRECT_DEPOSIT_VERIFICATION\"",
            ),
        ],
    ),
    (
        "sandbox_deposits",
        &[
            ("pending", "ok 200"),
            ("refused", "ITEM_ERROR/INVALID_CREDENTIALS"),
        ],
    ),
];

/// What is seen of the guess with this name.
pub(crate) async fn of_deposits(plaid: &Plaid, name: &str) -> String {
    let create = async |changes: Value| {
        let request = link_token_request(&changes);
        outcome(&plaid.call("/link/token/create", request).await)
    };
    match name {
        "deposit_flags" => {
            let link_token = plaid.link_token(json!({"products": ["auth"]})).await;
            let mut link = Link::open(plaid, &link_token).await;
            link.pane("continue", json!({})).await["manual"].to_string()
        }
        "deposit_rules" => {
            let same_day = json!({"same_day_microdeposits_enabled": true});
            let automated = json!({"automated_microdeposits_enabled": true});
            let products = create(json!({"auth": same_day})).await;
            let countries =
                create(json!({"products": ["auth"], "country_codes": ["US", "CA"], "auth": same_day}));
            let none = create(json!({"products": ["transactions"], "auth": automated}));
            format!("{products} {} {}", countries.await, none.await)
        }
        "auth_type_select_alone" => create(with_flags(&json!({"auth_type_select_enabled": true}))).await,
        "deposit_institution" => {
            let (finished, _) = pending(plaid, same_day()).await;
            finished["metadata"]["institution"].to_string()
        }
        "instant_deposit_institution" => {
            let flags = json!({"instant_microdeposits_enabled": true});
            let link_token = plaid.link_token(with_flags(&flags)).await;
            let mut link = Link::open(plaid, &link_token).await;
            link.choose(WINDOWPANE).await;
            link.pane("numbers", typed("333333334")).await;
            link.pane("deposit_code", json!({"code": "ABC"})).await;
            let finished = link.step("finish", json!({})).await.ok();
            finished["metadata"]["institution"]["institution_id"].to_string()
        }
        "deposit_code_view" => {
            let (_, access_token) = pending(plaid, same_day()).await;
            let link_token = update_token(plaid, &access_token, json!({})).await;
            let started = Link::new(plaid, &link_token).step("start", json!({})).await.ok();
            started["pane"]["view"].to_string()
        }
        "last_deposit_code" => {
            let (_, access_token) = pending(plaid, same_day()).await;
            let link_token = update_token(plaid, &access_token, json!({})).await;
            let mut link = Link::open(plaid, &link_token).await;
            for _ in 0..3 {
                link.pane("deposit_code", json!({"code": "XYZ"})).await;
            }
            link.exit().await["error"]["error_code"].to_string()
        }
        "sandbox_deposits" => {
            let body = json!({
                "institution_id": HOUNDSTOOTH,
                "initial_products": ["auth"],
                "options": {"override_username": "user_good", "override_password": "microdeposits_good"},
            });
            outcome(&plaid.call("/sandbox/public_token/create", body).await)
        }
        other => panic!("{other} is not observed"),
    }
}
