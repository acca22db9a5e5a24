//! Every guess is a switch, and each of its answers is another answer of the simulator's.

use plaid_simulator::{Guesses, Options, Switches};
use serde_json::{Value, json};

use crate::guesses_deposits::of_deposits;
use crate::guesses_items::of_items;
use crate::guesses_limits::of_limits;
use crate::guesses_link::of_link;
use crate::guesses_requests::of_requests;
use crate::support::{Answer, Plaid};

/// What is observed with each answer to a guess, in the order of the list.
pub(crate) type Expected = (&'static str, &'static [(&'static str, &'static str)]);

/// `error_type` and `error_code` of a refusal, or `ok`.
pub(crate) fn outcome(answer: &Answer) -> String {
    match (&answer.body["error_type"], &answer.body["error_code"]) {
        (Value::String(kind), Value::String(code)) => format!("{kind}/{code}"),
        _ => format!("ok {}", answer.status),
    }
}

/// Starts a simulator for each answer, and compares what `observe` sees of it.
async fn all_of(cases: &[Expected], observe: impl AsyncFn(&Plaid, &str) -> String) {
    for (name, answers) in cases {
        let guess = Guesses::all().iter().find(|guess| guess.name == *name);
        let guess = guess.unwrap_or_else(|| panic!("no guess {name}"));
        let listed: Vec<_> = guess.answers.iter().map(|choice| choice.name).collect();
        let expected: Vec<_> = answers.iter().map(|(answer, _)| *answer).collect();
        assert_eq!(listed, expected, "{name}");
        for (answer, expected) in *answers {
            let mut guesses = Guesses::default();
            guesses.set(name, answer).unwrap();
            let plaid = Plaid::with(Options {
                guesses,
                ..Options::default()
            })
            .await;
            assert_eq!(observe(&plaid, name).await, *expected, "{name}={answer}");
            let seen = answers.iter().filter(|(_, other)| other == expected).count();
            assert_eq!(seen, 1, "{name}={answer} is told from the other answers");
        }
    }
}

#[tokio::test]
async fn guesses_about_requests_change_answers() {
    all_of(crate::guesses_requests::CASES, of_requests).await;
}

#[tokio::test]
async fn guesses_about_items_change_answers() {
    all_of(crate::guesses_items::CASES, of_items).await;
}

#[tokio::test]
async fn guesses_about_link_change_answers() {
    all_of(crate::guesses_link::CASES, of_link).await;
}

#[tokio::test]
async fn guesses_about_deposits_change_answers() {
    all_of(crate::guesses_deposits::CASES, of_deposits).await;
}

#[tokio::test]
async fn guesses_about_limits_and_webhooks_change_answers() {
    all_of(crate::guesses_limits::CASES, of_limits).await;
}

#[test]
fn every_guess_is_tried() {
    let tried: Vec<_> = [
        crate::guesses_requests::CASES,
        crate::guesses_items::CASES,
        crate::guesses_link::CASES,
        crate::guesses_deposits::CASES,
        crate::guesses_limits::CASES,
    ]
    .concat();
    for guess in Guesses::all() {
        assert!(
            tried.iter().any(|(name, _)| *name == guess.name),
            "{} is not tried",
            guess.name
        );
    }
    assert_eq!(tried.len(), Guesses::all().len());
}

#[tokio::test]
async fn guesses_are_set_while_it_runs_and_travel_with_snapshots() {
    let plaid = Plaid::start().await;
    let listed: Value = plaid
        .http
        .get(plaid.url("/_simulator/guesses"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let removed = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "removed_item")
        .unwrap();
    assert_eq!(removed["chosen"], "item_not_found");
    assert_eq!(removed["answers"][1]["name"], "invalid_access_token");
    let set = async |order: Value| plaid.post("/_simulator/guesses", &order).await;
    let chosen = set(json!({"removed_item": "invalid_access_token"})).await;
    assert_eq!(
        (chosen.status, &chosen.body["removed_item"]),
        (200, &json!("invalid_access_token"))
    );
    for wrong in [
        json!({"removed_item": "maybe"}),
        json!({"remove_item": "item_not_found"}),
    ] {
        let refused = set(wrong).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
    let access_token = plaid.access_token().await;
    plaid.of_item("/item/remove", &access_token).await.ok();
    let gone = plaid.of_item("/item/get", &access_token).await;
    assert_eq!(outcome(&gone), "INVALID_INPUT/INVALID_ACCESS_TOKEN");
    let other = Plaid::start().await;
    other
        .simulator()
        .restore(&plaid.simulator().snapshot().unwrap())
        .unwrap();
    assert_eq!(other.simulator().switches(), plaid.simulator().switches());
    assert_ne!(other.simulator().switches(), Switches::default());
}

/// The table in `docs/simulator.md` is the list.
#[test]
fn the_document_lists_every_guess() {
    let rows: Vec<_> = Guesses::all()
        .iter()
        .map(|guess| {
            let answers: Vec<_> = guess
                .answers
                .iter()
                .map(|choice| format!("`{}`: {}", choice.name, choice.meaning.trim_end_matches('.')))
                .collect();
            format!(
                "| `{}` | {} | {} |",
                guess.name,
                guess.question.trim_end_matches('.'),
                answers.join("; ")
            )
        })
        .collect();
    let rows = rows.join("\n");
    let document = include_str!("../../../../docs/simulator.md");
    assert!(
        document.contains(&rows),
        "docs/simulator.md has to have these rows:\n{rows}"
    );
}
