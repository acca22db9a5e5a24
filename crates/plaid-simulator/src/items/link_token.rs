//! A link token, what it was made with, and the Link sessions that ran on it.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::Source;
use crate::data::accounts::Filters;
use crate::data::calendar::{Day, months_after};
use crate::data::person::Person;
use crate::items::auth_flags::AuthFlags;
use crate::items::hosted::Hosted;
use crate::items::session::Session;
use crate::spec::guesses::{DeliveredPage, Guesses};
use crate::spec::ids::{self, TokenKind, time_text};
use crate::spec::institutions::Institution;
use crate::spec::products;
use plaid_token_broker_core::clock::Timestamp;

/// A link token for a new Item (<https://plaid.com/docs/api/link/#linktokencreate>).
const LIFETIME: Duration = Duration::from_secs(4 * 60 * 60);
/// One for an Item that exists.
const UPDATE_LIFETIME: Duration = Duration::from_secs(30 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions can be read this long after they ended.
const SESSION_MEMORY: Duration = Duration::from_secs(6 * 60 * 60);
/// The Sandbox lets a link token be used again; older sessions give way.
const MOST_SESSIONS: usize = 16;

/// The body of `/link/token/create`, as far as the simulator acts on it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct LinkRequest {
    pub(crate) client_name: String,
    pub(crate) language: String,
    pub(crate) country_codes: Vec<String>,
    pub(crate) user: Option<User>,
    pub(crate) user_id: Option<String>,
    pub(crate) user_token: Option<String>,
    pub(crate) products: Option<Vec<String>>,
    pub(crate) required_if_supported_products: Option<Vec<String>>,
    pub(crate) optional_products: Option<Vec<String>>,
    pub(crate) additional_consented_products: Option<Vec<String>>,
    pub(crate) webhook: Option<String>,
    pub(crate) access_token: Option<String>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) android_package_name: Option<String>,
    pub(crate) account_filters: Option<Filters>,
    pub(crate) auth: AuthFlags,
    pub(crate) institution_data: Option<Value>,
    pub(crate) hosted_link: Option<HostedLink>,
    pub(crate) link_customization_name: Option<String>,
    pub(crate) update: Option<Update>,
    pub(crate) statements: Option<Period>,
    pub(crate) transactions: Option<TransactionsRequest>,
    pub(crate) payment_initiation: Option<Value>,
    pub(crate) income_verification: Option<Value>,
    pub(crate) employment: Option<Value>,
    pub(crate) identity_verification: Option<Value>,
}

/// Link as a page of its own (<https://plaid.com/docs/link/hosted-link/>).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct HostedLink {
    pub(crate) completion_redirect_uri: Option<String>,
    pub(crate) url_lifetime_seconds: Option<u64>,
    pub(crate) delivery_method: Option<String>,
}

/// What update mode is for beside a new login (<https://plaid.com/docs/link/update-mode/>).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Update {
    pub(crate) account_selection_enabled: bool,
    pub(crate) user: bool,
}

/// Who the person is to the caller. What is judged when it comes, and not used later, is not kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct User {
    pub(crate) client_user_id: String,
    /// Who holds the account, as the caller knows it.
    #[serde(default)]
    pub(crate) legal_name: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) phone_number: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) email_address: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) name: Option<Value>,
    #[serde(default, skip_serializing)]
    pub(crate) address: Option<Value>,
    #[serde(default, skip_serializing)]
    pub(crate) id_number: Option<Value>,
}

/// How far back transactions go.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct TransactionsRequest {
    pub(crate) days_requested: Option<u16>,
}

/// The months of statements.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Period {
    pub(crate) start_date: Day,
    pub(crate) end_date: Day,
}

impl Period {
    /// Why banks have no such statements, if so: Plaid brings those of two years. A day more is let pass, because
    /// callers count in their own time zone.
    pub(crate) fn flaw(self, today: Date) -> Option<&'static str> {
        let (start, end) = (self.start_date.0, self.end_date.0);
        let earliest = |last: Date| months_after(last, -24).yesterday().unwrap_or(last);
        if end < start {
            Some("end_date must not lie before start_date")
        } else if start < earliest(today) || start < earliest(end) {
            Some("start_date must lie within two years")
        } else {
            None
        }
    }
}

impl LinkRequest {
    /// What the data of an Item will be made of when this person logs in.
    pub(crate) fn source(&self, person: Person) -> Source {
        Source {
            person,
            days_requested: self.transactions.and_then(|asked| asked.days_requested),
            transactions: (None, None),
            statements: self
                .statements
                .map(|period| (period.start_date.0, period.end_date.0)),
        }
    }

    pub(crate) fn products(&self) -> &[String] {
        self.products.as_deref().unwrap_or_default()
    }

    pub(crate) fn required_if_supported(&self) -> &[String] {
        self.required_if_supported_products.as_deref().unwrap_or_default()
    }

    pub(crate) fn optional(&self) -> &[String] {
        self.optional_products.as_deref().unwrap_or_default()
    }

    pub(crate) fn additional_consented(&self) -> &[String] {
        self.additional_consented_products.as_deref().unwrap_or_default()
    }

    /// Whether the person agrees to a payment, or to a consent to payments: Link then makes no Item
    /// (<https://plaid.com/docs/payment-initiation/>).
    pub(crate) fn is_payment(&self) -> bool {
        self.products()
            .iter()
            .any(|product| product == "payment_initiation")
    }

    /// Whether Link offers only accounts with numbers to pay from: with `auth` in `products`, and in no other list
    /// (<https://plaid.com/docs/api/link/#link-token-create-request-account-filters>).
    pub(crate) fn auth_hides_accounts(&self) -> bool {
        self.products().iter().any(|product| product == "auth")
    }

    /// Whether any list names one of these products.
    pub(crate) fn asks_for(&self, products: &[&str]) -> bool {
        [
            self.products(),
            self.required_if_supported(),
            self.optional(),
            self.additional_consented(),
        ]
        .into_iter()
        .flatten()
        .any(|listed| products.contains(&listed.as_str()))
    }

    /// Whether the accounts of the Item are to be chosen anew.
    pub(crate) fn selects_accounts(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| update.account_selection_enabled)
    }

    /// Whether update mode is for a user and not for one Item.
    pub(crate) fn updates_user(&self) -> bool {
        self.update.as_ref().is_some_and(|update| update.user)
    }

    /// Whether Link may offer this institution: it has to support every one of `products`.
    pub(crate) fn offers(&self, institution: &Institution) -> bool {
        self.country_codes.iter().any(|code| code == institution.country)
            && self
                .products()
                .iter()
                .all(|product| institution.supports(product))
    }

    /// The products that an Item at `institution` starts with.
    pub(crate) fn item_products(&self, institution: &Institution) -> Vec<&'static str> {
        let more = self.required_if_supported().iter().chain(self.optional());
        let supported = more.filter(|product| institution.supports(product));
        products::of_names(self.products().iter().chain(supported))
    }
}

impl HostedLink {
    /// How long the page can be opened: 30 minutes, longer for a link that is sent, and what the caller says.
    fn url_lifetime(&self, delivered: DeliveredPage) -> Duration {
        let by_delivery = match (self.delivery_method.as_deref(), delivered) {
            (Some("sms"), DeliveredPage::AsProduction) => DAY,
            (Some("email"), DeliveredPage::AsProduction) => 7 * DAY,
            _ => UPDATE_LIFETIME,
        };
        self.url_lifetime_seconds.map_or(by_delivery, Duration::from_secs)
    }
}

/// A link token.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct LinkToken {
    pub(crate) token: String,
    pub(crate) client_id: Arc<str>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) request: LinkRequest,
    /// The Item that update mode is for.
    pub(crate) update_item: Option<Arc<str>>,
    /// The page that runs Link by itself.
    pub(crate) hosted: Option<Hosted>,
    /// How often credentials or answers were wrong.
    pub(crate) wrong_logins: u32,
    /// Too often: Link does not go on with it.
    pub(crate) spent: bool,
    sessions: Vec<Session>,
}

impl LinkToken {
    pub(crate) fn new(
        client_id: Arc<str>,
        request: LinkRequest,
        update_item: Option<Arc<str>>,
        guesses: &Guesses,
        now: Timestamp,
    ) -> Self {
        let lifetime = match &request.hosted_link {
            Some(hosted) => hosted.url_lifetime(guesses.delivered_page),
            None => LIFETIME,
        };
        let lifetime = match update_item {
            Some(_) => lifetime.min(UPDATE_LIFETIME),
            None => lifetime,
        };
        Self {
            token: ids::new_token(TokenKind::Link),
            client_id,
            created_at: now,
            expires_at: now.plus(lifetime),
            request,
            update_item,
            hosted: None,
            wrong_logins: 0,
            spent: false,
            sessions: Vec::new(),
        }
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether even `/link/token/get` knows it no more.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now >= self.expires_at.plus(SESSION_MEMORY)
    }

    /// Begins a run of Link and gives its `link_session_id`.
    pub(crate) fn start_session(&mut self, now: Timestamp) -> String {
        if self.sessions.len() >= MOST_SESSIONS {
            self.sessions.remove(0);
        }
        let session = Session::new(self.update_item.is_some(), now);
        let id = session.id().to_owned();
        self.sessions.push(session);
        id
    }

    /// Where a bank that takes the whole tab sends the browser back to.
    pub(crate) fn return_address(&self) -> Option<String> {
        match &self.hosted {
            Some(hosted) => Some(hosted.url.clone()),
            // Empty beside the name of an Android app.
            None => self.request.redirect_uri.clone().filter(|uri| !uri.is_empty()),
        }
    }

    /// Whether any run of Link was finished or left.
    pub(crate) fn has_ended_session(&self) -> bool {
        self.sessions.iter().any(|session| session.finished_at.is_some())
    }

    pub(crate) fn sessions_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.iter_mut()
    }

    pub(crate) fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id() == id)
    }

    /// The answer of `/link/token/get`, without its request id.
    pub(crate) fn json(&self, now: Timestamp) -> Value {
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
        if let (Some(answer), Some(user_id)) = (answer.as_object_mut(), &request.user_id) {
            answer.insert("user_id".to_owned(), json!(user_id));
        }
        if let (Some(answer), false) = (answer.as_object_mut(), sessions.is_empty()) {
            answer.insert("link_sessions".to_owned(), Value::Array(sessions));
        }
        answer
    }
}
