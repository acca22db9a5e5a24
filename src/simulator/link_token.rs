//! A link token, what it was made with, and the Link sessions that ran on it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::accounts::Filters;
use super::data::Source;
use super::data::calendar::Day;
use super::data::person::Person;
use super::ids::{self, TokenKind, time_text};
use super::institutions::Institution;
use super::item::Draft;
use crate::clock::Timestamp;

/// A link token for a new Item (<https://plaid.com/docs/api/link/#linktokencreate>).
const LIFETIME: Duration = Duration::from_secs(4 * 60 * 60);
/// One for an Item that exists.
const UPDATE_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// Sessions can be read this long after they ended.
const SESSION_MEMORY: Duration = Duration::from_secs(6 * 60 * 60);
/// The Sandbox lets a link token be used again; older sessions give way.
const MOST_SESSIONS: usize = 16;

/// The body of `/link/token/create`, as far as the simulator acts on it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct LinkRequest {
    pub(super) client_name: String,
    pub(super) language: String,
    pub(super) country_codes: Vec<String>,
    pub(super) user: Option<User>,
    pub(super) user_id: Option<String>,
    pub(super) user_token: Option<String>,
    pub(super) products: Option<Vec<String>>,
    pub(super) required_if_supported_products: Option<Vec<String>>,
    pub(super) optional_products: Option<Vec<String>>,
    pub(super) additional_consented_products: Option<Vec<String>>,
    pub(super) webhook: Option<String>,
    pub(super) access_token: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) android_package_name: Option<String>,
    pub(super) account_filters: Option<Filters>,
    pub(super) institution_data: Option<Value>,
    pub(super) hosted_link: Option<Value>,
    pub(super) statements: Option<Period>,
    pub(super) transactions: Option<TransactionsRequest>,
    pub(super) payment_initiation: Option<Value>,
    pub(super) income_verification: Option<Value>,
    pub(super) employment: Option<Value>,
    pub(super) identity_verification: Option<Value>,
}

/// Who the person is to the caller.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct User {
    pub(super) client_user_id: String,
}

/// How far back transactions go.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct TransactionsRequest {
    pub(super) days_requested: Option<u16>,
}

/// The months of statements.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Period {
    pub(super) start_date: Day,
    pub(super) end_date: Day,
}

impl LinkRequest {
    /// What the data of an Item will be made of when this person logs in.
    pub(super) fn source(&self, username: &str, password: &str) -> Source {
        Source {
            person: Person::of(username, password),
            days_requested: self.transactions.and_then(|asked| asked.days_requested),
            statements: self
                .statements
                .map(|period| (period.start_date.0, period.end_date.0)),
        }
    }

    pub(super) fn products(&self) -> &[String] {
        self.products.as_deref().unwrap_or_default()
    }

    pub(super) fn required_if_supported(&self) -> &[String] {
        self.required_if_supported_products.as_deref().unwrap_or_default()
    }

    pub(super) fn optional(&self) -> &[String] {
        self.optional_products.as_deref().unwrap_or_default()
    }

    pub(super) fn additional_consented(&self) -> &[String] {
        self.additional_consented_products.as_deref().unwrap_or_default()
    }

    /// Whether Link may offer this institution: it has to support every one of `products`.
    pub(super) fn offers(&self, institution: &Institution) -> bool {
        self.country_codes.iter().any(|code| code == institution.country)
            && self
                .products()
                .iter()
                .all(|product| institution.supports(product))
    }

    /// The products that an Item at `institution` starts with.
    pub(super) fn item_products(&self, institution: &Institution) -> Vec<String> {
        let more = self.required_if_supported().iter().chain(self.optional());
        let supported = more.filter(|product| institution.supports(product));
        self.products().iter().chain(supported).cloned().collect()
    }
}

/// A link token.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct LinkToken {
    pub(super) token: String,
    pub(super) client_id: String,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) request: LinkRequest,
    /// The Item that update mode is for.
    pub(super) update_item: Option<String>,
    /// Left out of snapshots.
    #[serde(skip)]
    sessions: Vec<Session>,
}

/// One run of Link.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) stage: Stage,
    pub(super) institution: Option<&'static Institution>,
    /// The last error that the person saw and has not got past.
    pub(super) error: Option<Value>,
    results: Value,
    exit: Value,
    events: Vec<Value>,
}

/// How far the person got.
#[derive(Debug)]
pub(super) enum Stage {
    /// Chooses an institution, or types credentials.
    Started,
    /// Has to type a code.
    Code(Draft),
    /// Chooses accounts.
    Accounts(Draft),
    /// Is connected; `Finish` is left.
    Connected(Draft),
    /// Finished or left.
    Ended,
}

impl LinkToken {
    pub(super) fn new(
        client_id: String,
        request: LinkRequest,
        update_item: Option<String>,
        now: Timestamp,
    ) -> Self {
        let lifetime = if update_item.is_some() {
            UPDATE_LIFETIME
        } else {
            LIFETIME
        };
        Self {
            token: ids::new_token(TokenKind::Link),
            client_id,
            created_at: now,
            expires_at: now.plus(lifetime),
            request,
            update_item,
            sessions: Vec::new(),
        }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether even `/link/token/get` knows it no more.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        now >= self.expires_at.plus(SESSION_MEMORY)
    }

    /// Begins a run of Link and gives its `link_session_id`.
    pub(super) fn start_session(&mut self, now: Timestamp) -> String {
        if self.sessions.len() >= MOST_SESSIONS {
            self.sessions.remove(0);
        }
        let mut session = Session {
            id: ids::new_uuid(),
            started_at: now,
            finished_at: None,
            stage: Stage::Started,
            institution: None,
            error: None,
            results: Value::Null,
            exit: Value::Null,
            events: Vec::new(),
        };
        session.record("OPEN", &json!({}), now);
        let id = session.id.clone();
        self.sessions.push(session);
        id
    }

    pub(super) fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    /// The answer of `/link/token/get`, without its request id.
    pub(super) fn json(&self, now: Timestamp) -> Value {
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .filter(|session| {
                session
                    .finished_at
                    .is_none_or(|at| now.since(at) < SESSION_MEMORY)
            })
            .map(Session::json)
            .collect();
        let request = &self.request;
        let mut metadata = json!({
            "initial_products": request.products(),
            "webhook": request.webhook,
            "country_codes": request.country_codes,
            "language": request.language,
            "redirect_uri": request.redirect_uri,
            "client_name": request.client_name,
        });
        if let Some(metadata) = metadata.as_object_mut() {
            if let Some(filters) = &request.account_filters {
                metadata.insert("account_filters".to_owned(), json!(filters));
            }
            if let Some(data) = &request.institution_data {
                metadata.insert("institution_data".to_owned(), data.clone());
            }
        }
        let mut answer = json!({
            "link_token": self.token,
            "created_at": time_text(self.created_at),
            "expiration": time_text(self.expires_at),
            "metadata": metadata,
        });
        if let (Some(answer), false) = (answer.as_object_mut(), sessions.is_empty()) {
            answer.insert("link_sessions".to_owned(), Value::Array(sessions));
        }
        answer
    }
}

impl Session {
    /// Keeps an event for `/link/token/get`.
    pub(super) fn record(&mut self, name: &str, metadata: &Value, now: Timestamp) {
        const MOST_EVENTS: usize = 100;
        if self.events.len() < MOST_EVENTS {
            let event = json!({
                "event_name": name,
                "timestamp": time_text(now),
                "event_id": ids::new_uuid(),
                "event_metadata": metadata,
            });
            self.events.insert(0, event);
        }
    }

    /// The institution as Link's callbacks tell it.
    pub(super) fn institution_json(&self) -> Value {
        self.institution.map_or(
            Value::Null,
            |institution| json!({"name": institution.name, "institution_id": institution.id}),
        )
    }

    pub(super) fn succeed(&mut self, public_token: &str, accounts: &Value, now: Timestamp) {
        self.results = json!({
            "item_add_results": [{
                "public_token": public_token,
                "accounts": accounts,
                "institution": self.institution_json(),
            }],
            "cra_item_add_results": [],
            "cra_update_results": [],
            "bank_income_results": [],
            "payroll_income_results": [],
            "document_income_results": null,
        });
        self.end("HANDOFF", now);
    }

    pub(super) fn leave(&mut self, error: &Value, metadata: &Value, now: Timestamp) {
        let mut metadata = metadata.clone();
        // Link's callback says null; the schema of `/link/token/get` only lets it be absent.
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.retain(|name, value| name != "status" || !value.is_null());
        }
        self.exit = json!({"error": error, "metadata": metadata});
        self.end("EXIT", now);
    }

    fn end(&mut self, event: &str, now: Timestamp) {
        self.stage = Stage::Ended;
        self.finished_at = Some(now);
        self.record(event, &json!({}), now);
    }

    fn json(&self) -> Value {
        json!({
            "link_session_id": self.id,
            "started_at": time_text(self.started_at),
            "finished_at": self.finished_at.map(time_text),
            "results": self.results,
            "exit": self.exit,
            "events": self.events,
        })
    }
}
