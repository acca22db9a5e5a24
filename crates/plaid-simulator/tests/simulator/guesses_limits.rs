//! Guesses about rate limits and webhooks, observed.

use std::time::Duration;

use plaid_simulator::WebhookState;
use serde_json::json;

use crate::guesses::{Expected, outcome};
use crate::receiver::Receiver;
use crate::support::{Answer, Plaid, text};

pub(crate) const CASES: &[Expected] = &[
    (
        "rate_window",
        &[
            ("first_call", "RATE_LIMIT_EXCEEDED/INSTITUTIONS_GET_LIMIT"),
            ("clock", "ok 200"),
        ],
    ),
    ("retry_after", &[("absent", "none"), ("seconds", "60")]),
    (
        "unlisted_limits",
        &[
            ("none", "ok 200"),
            ("thirty_a_second", "RATE_LIMIT_EXCEEDED/RATE_LIMIT"),
        ],
    ),
    (
        "webhook_pause",
        &[
            ("ten_answers", "9 of 20 wait"),
            ("first_answer", "0 of 20 wait"),
            ("never", "20 of 20 wait"),
        ],
    ),
];

async fn institutions(plaid: &Plaid) -> Answer {
    let body = json!({"count": 1, "offset": 0, "country_codes": ["US"]});
    plaid.call("/institutions/get", body).await
}

/// What is seen of the guess with this name.
pub(crate) async fn of_limits(plaid: &Plaid, name: &str) -> String {
    let mut switches = plaid.simulator().switches();
    switches.rate_limits = true;
    plaid.simulator().set_switches(switches);
    match name {
        "rate_window" => {
            // The clock stands at 15:06:40: twenty seconds later a new minute begins.
            for _ in 0..10 {
                institutions(plaid).await.ok();
            }
            plaid.clock.advance(Duration::from_secs(20));
            outcome(&institutions(plaid).await)
        }
        "retry_after" => {
            for _ in 0..10 {
                institutions(plaid).await.ok();
            }
            let body = json!({"client_id": plaid_simulator::CLIENT_ID,
                "secret": plaid_simulator::SECRET});
            let request = plaid.http.post(plaid.url("/institutions/get")).json(&body);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 429);
            let header = response.headers().get("retry-after");
            header.map_or("none".to_owned(), |value| value.to_str().unwrap().to_owned())
        }
        "unlisted_limits" => {
            for at in 0..30 {
                let body = json!({"client_user_id": at.to_string()});
                plaid.call("/user/create", body).await.ok();
            }
            outcome(
                &plaid
                    .call("/user/create", json!({"client_user_id": "more"}))
                    .await,
            )
        }
        "webhook_pause" => {
            let (receiver, url) = Receiver::start().await;
            receiver.answer_with(500);
            let token = plaid.access_token().await;
            for _ in 0..20 {
                let update = json!({"access_token": token, "webhook": url});
                plaid.call("/item/webhook/update", update).await.ok();
                receiver.next().await;
                while plaid
                    .simulator()
                    .webhooks()
                    .iter()
                    .any(|one| one.state == WebhookState::Sending)
                {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            let webhooks = plaid.simulator().webhooks();
            let waiting = webhooks
                .iter()
                .filter(|one| one.state == WebhookState::Waiting)
                .count();
            assert_eq!(
                text(&json!(webhooks[0]), "webhook_code"),
                "WEBHOOK_UPDATE_ACKNOWLEDGED"
            );
            format!("{waiting} of {} wait", webhooks.len())
        }
        other => panic!("{other} is not observed"),
    }
}
