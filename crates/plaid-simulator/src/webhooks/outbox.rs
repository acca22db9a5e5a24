//! Webhooks that wait, are on their way, or have arrived.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::spec::guesses::WebhookPause;
use crate::spec::{redact, time_text};
use plaid_token_broker_core::clock::Timestamp;

/// How many webhooks are remembered; the oldest leave first.
const MOST: usize = 1_000;
/// The first pause before another try; each one is four times the last
/// (<https://plaid.com/docs/api/webhooks/#retries>).
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The tries within 24 hours: at once, and after 30 s, 2 min, 8 min, 32 min, about 2 h and 8.5 h.
const MOST_ATTEMPTS: u32 = 7;
/// Rejections are remembered this long.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a webhook has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It waits for its first or next try.
    Waiting,
    /// A try is under way.
    Sending,
    /// The receiver answered 200.
    Delivered,
    /// No try is left.
    GivenUp,
}

/// One webhook, for tests to look at.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookView {
    /// When it came up, RFC 3339, by the simulator's clock.
    pub at: String,
    /// Where it goes, without query and credentials.
    pub url: String,
    /// Plaid's `webhook_type`.
    pub webhook_type: String,
    /// Plaid's `webhook_code`.
    pub webhook_code: String,
    /// The body, tokens masked.
    pub body: Value,
    /// How often it was tried.
    pub attempts: u32,
    /// How far it has got.
    pub state: WebhookState,
    /// The status of the last answer; none when there was no answer.
    pub last_status: Option<u16>,
}

struct Entry {
    id: u64,
    url: String,
    body: String,
    due: Timestamp,
    view: WebhookView,
}

/// A webhook to be sent now.
pub(crate) struct Parcel {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) body: String,
}

/// The outbox.
#[derive(Default)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
    next_id: u64,
    /// What each receiver answered in the last 24 hours.
    answers: HashMap<String, VecDeque<Answered>>,
}

/// When a receiver was tried, and whether it took the webhook.
struct Answered {
    at: Timestamp,
    taken: bool,
}

impl Outbox {
    pub(crate) fn post(&mut self, url: &str, kind: &str, code: &str, body: String, now: Timestamp) {
        if self.entries.len() >= MOST {
            self.entries.pop_front();
        }
        self.next_id = self.next_id.wrapping_add(1);
        let view = WebhookView {
            at: time_text(now),
            url: shown(url),
            webhook_type: kind.to_owned(),
            webhook_code: code.to_owned(),
            body: serde_json::from_str(&body).map(masked).unwrap_or_default(),
            attempts: 0,
            state: WebhookState::Waiting,
            last_status: None,
        };
        self.entries.push_back(Entry {
            id: self.next_id,
            url: url.to_owned(),
            body,
            due: now,
            view,
        });
    }

    /// The webhooks whose time has come; they are on their way from here on.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Parcel> {
        let due = self
            .entries
            .iter_mut()
            .filter(|entry| entry.view.state == WebhookState::Waiting && entry.due <= now);
        due.map(|entry| {
            entry.view.state = WebhookState::Sending;
            entry.view.attempts = entry.view.attempts.saturating_add(1);
            Parcel {
                id: entry.id,
                url: entry.url.clone(),
                body: entry.body.clone(),
            }
        })
        .collect()
    }

    /// A try has ended with this status, or without an answer.
    pub(crate) fn settle(&mut self, id: u64, status: Option<u16>, pause: WebhookPause, now: Timestamp) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return;
        };
        let attempts = entry.view.attempts;
        if self.answers.len() > MOST {
            self.answers.clear();
        }
        let answers = self.answers.entry(entry.url.clone()).or_default();
        note(answers, status == Some(200), now);
        entry.view.last_status = status;
        entry.view.state = if status == Some(200) {
            WebhookState::Delivered
        } else if attempts >= MOST_ATTEMPTS || is_hopeless(answers, pause) {
            WebhookState::GivenUp
        } else {
            let pause = FIRST_PAUSE.saturating_mul(4_u32.saturating_pow(attempts.saturating_sub(1)));
            entry.due = now.plus(pause);
            WebhookState::Waiting
        };
    }

    /// Whether anything may still have to be sent.
    pub(crate) fn is_busy(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.view.state, WebhookState::Waiting | WebhookState::Sending))
    }

    pub(crate) fn views(&self) -> Vec<WebhookView> {
        self.entries.iter().map(|entry| entry.view.clone()).collect()
    }
}

fn note(answers: &mut VecDeque<Answered>, taken: bool, now: Timestamp) {
    answers.push_back(Answered { at: now, taken });
    while answers.len() > MOST || answers.front().is_some_and(|first| now.since(first.at) >= A_DAY) {
        answers.pop_front();
    }
}

/// Whether a receiver rejects over nine tenths: then nothing is tried again
/// (<https://plaid.com/docs/api/webhooks/#retries>).
fn is_hopeless(answers: &VecDeque<Answered>, pause: WebhookPause) -> bool {
    let fewest = match pause {
        WebhookPause::TenAnswers => 10,
        WebhookPause::FirstAnswer => 1,
        WebhookPause::Never => return false,
    };
    let rejected = answers.iter().filter(|answer| !answer.taken).count();
    answers.len() >= fewest && rejected * 10 > answers.len() * 9
}

/// A body with the tokens in it masked, and addresses without what may be secret in them.
fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => redact::masked(&text).into(),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(url) if name == "new_webhook_url" => shown(&url).into(),
                    value => masked(value),
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

/// The URL without what may be secret in it.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return String::new();
    };
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    redact::masked(url.as_str())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_webhook_that_nobody_takes_is_tried_for_a_day() {
        let mut outbox = Outbox::default();
        let mut now = Timestamp::from_millis(0);
        outbox.post(
            "http://u:p@bot.test/hook?key=hush",
            "ITEM",
            "ERROR",
            "{}".to_owned(),
            now,
        );
        let mut pauses = Vec::new();
        while outbox.is_busy() {
            let parcels = outbox.take_due(now);
            assert_eq!(parcels.len(), 1);
            outbox.settle(parcels[0].id, Some(500), WebhookPause::TenAnswers, now);
            let due = outbox.entries[0].due;
            pauses.push(due.since(now).as_secs());
            now = due;
        }
        assert_eq!(pauses, [30, 120, 480, 1920, 7680, 30720, 0]);
        let view = &outbox.views()[0];
        assert_eq!((view.attempts, view.state), (7, WebhookState::GivenUp));
        assert_eq!(view.url, "http://bot.test/hook");
        assert!(now.since(Timestamp::from_millis(0)) < Duration::from_secs(24 * 60 * 60));
    }

    #[test]
    fn a_receiver_that_rejects_nearly_everything_is_tried_once_each() {
        let mut outbox = Outbox::default();
        let mut now = Timestamp::from_millis(0);
        let tried = |outbox: &mut Outbox, status: u16, now: Timestamp| {
            outbox.post("http://bot.test", "ITEM", "ERROR", "{}".to_owned(), now);
            let parcel = outbox.entries.back().map(|entry| entry.id).unwrap_or_default();
            let _sent = outbox.take_due(now);
            outbox.settle(parcel, Some(status), WebhookPause::TenAnswers, now);
            outbox.views().last().map(|view| view.state)
        };
        for at in 0..20 {
            // The first is taken: until ten came, and while nine in ten were rejected, others are tried again.
            let status = if at == 0 { 200 } else { 500 };
            let state = tried(&mut outbox, status, now);
            let expected = match at {
                0 => WebhookState::Delivered,
                1..=9 => WebhookState::Waiting,
                _ => WebhookState::GivenUp,
            };
            assert_eq!(state, Some(expected), "{at}");
            now = now.plus(Duration::from_secs(1));
        }
        let later = now.plus(A_DAY);
        assert_eq!(tried(&mut outbox, 500, later), Some(WebhookState::Waiting));
    }

    #[test]
    fn memory_is_bounded_and_a_late_answer_is_no_trouble() {
        let mut outbox = Outbox::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..MOST + 5 {
            outbox.post("http://bot.test", "ITEM", "ERROR", "{}".to_owned(), now);
        }
        assert_eq!(outbox.views().len(), MOST);
        outbox.settle(1, Some(200), WebhookPause::TenAnswers, now);
    }
}
