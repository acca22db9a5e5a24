//! One run of Link: how far the person got, and the events and results that are reported.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::Draft;
use crate::data::deposits::Method;
use crate::data::mfa::Mfa;
use crate::spec::guesses::DepositCodeView;
use crate::spec::json::{set, with_nulls};
use crate::spec::{Institution, PlaidError, ids, institutions, time_text};
use plaid_token_broker_core::clock::Timestamp;

/// More events than a person can cause; a program that loops must not fill the memory.
const MOST_EVENTS: usize = 200;

/// One run of Link.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    /// When the person last did something; none once a webhook reported the session as abandoned.
    #[serde(default)]
    acted_at: Option<Timestamp>,
    pub(crate) stage: Stage,
    #[serde(deserialize_with = "institutions::as_id::optional")]
    pub(crate) institution: Option<&'static Institution>,
    /// The last error that the person saw and has not got past.
    pub(crate) error: Option<Value>,
    /// The latest visit of a bank's own page.
    pub(crate) visit: Option<BankVisit>,
    /// How the numbers that the person types are verified; `None` when none are typed.
    #[serde(default)]
    pub(crate) method: Option<Method>,
    /// There was nothing to ask: Link closes by itself.
    #[serde(default)]
    pub(crate) closes_at_once: bool,
    /// Of the call that is being answered; every event names it.
    pub(crate) request_id: String,
    pub(crate) updating: bool,
    results: Value,
    pub(crate) success: Value,
    exit: Value,
    /// As in `/link/token/get` and the webhook, newest first.
    pub(crate) events: Vec<Value>,
    /// As `onEvent` gets them, in order, and not yet sent to the page.
    #[serde(rename = "untold")]
    unsent: Vec<Value>,
}

/// How far the person got.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Stage {
    /// Reads who is asking.
    Consent,
    /// Chooses an institution.
    Institutions { nothing_found: bool },
    /// The chosen institution cannot be connected at all.
    Unsupported,
    /// Types credentials.
    Credentials,
    /// Answers what the bank asks beside the password.
    Mfa { draft: Draft, mfa: Mfa },
    /// Logs in at the bank's own page.
    OAuth,
    /// Chooses accounts.
    Accounts(Draft),
    /// Chooses between a login and account numbers.
    AuthType,
    /// Types account and routing number. Without a draft nobody logged in.
    Numbers(Option<Draft>),
    /// Types the code of the deposit that was just made.
    DepositCode(Draft),
    /// Comes back with the code of a deposit that was made earlier.
    Verification(DepositCodeView),
    /// Is connected; `Finish` is left.
    Connected(Draft),
    /// Finished or left.
    Ended,
}

impl Stage {
    /// The exit status of <https://plaid.com/docs/link/web/#link-web-onexit-metadata-status>.
    pub(crate) fn exit_status(&self) -> Option<&'static str> {
        match self {
            Self::Institutions { nothing_found: true } => Some("institution_not_found"),
            Self::Unsupported => Some("institution_not_supported"),
            Self::Credentials => Some("requires_credentials"),
            Self::Mfa { mfa, .. } => Some(mfa.exit_status()),
            Self::OAuth => Some("requires_oauth"),
            Self::Accounts(_) => Some("requires_account_selection"),
            Self::Consent
            | Self::Institutions { .. }
            | Self::AuthType
            | Self::Numbers(_)
            | Self::DepositCode(_)
            | Self::Verification(_)
            | Self::Connected(_)
            | Self::Ended => None,
        }
    }

    /// The `view_name` of the event `TRANSITION_VIEW`.
    pub(crate) fn view_name(&self) -> &'static str {
        match self {
            Self::Consent => "CONSENT",
            Self::Institutions { .. } => "SELECT_INSTITUTION",
            Self::Unsupported => "ERROR",
            Self::Credentials => "CREDENTIAL",
            Self::Mfa { .. } => "MFA",
            Self::OAuth => "OAUTH",
            Self::Accounts(_) => "SELECT_ACCOUNT",
            Self::AuthType => "SELECT_AUTH_TYPE",
            Self::Numbers(_) | Self::Verification(DepositCodeView::Numbers) => "NUMBERS",
            Self::DepositCode(_) => "INSTANT_MICRODEPOSIT_AUTHORIZED",
            Self::Verification(DepositCodeView::Verification) => "SAME_DAY_MICRODEPOSIT_VERIFICATION",
            Self::Connected(_) => "CONNECTED",
            Self::Ended => "EXIT",
        }
    }
}

/// One visit of a bank's own page (<https://plaid.com/docs/link/oauth/>).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct BankVisit {
    /// `oauth_state_id`.
    pub(crate) state_id: String,
    /// The page is a window of its own and Link waits behind it; else the bank sends the browser back.
    pub(crate) in_popup: bool,
    /// Where the bank has sent the browser back to.
    #[serde(default)]
    pub(crate) return_to: Option<String>,
    /// What the person decided at the bank.
    pub(crate) granted: Option<bool>,
    /// What was typed as the username there.
    pub(crate) login: Option<Box<str>>,
    /// Link has taken note of the decision. It does so once.
    pub(crate) processed: bool,
}

impl BankVisit {
    /// Whether this is the address that the bank sent the browser to, with nothing added and nothing taken away.
    pub(crate) fn is_return(&self, uri: &str) -> bool {
        let sent = self.return_to.as_deref().map(Url::parse);
        matches!((sent, Url::parse(uri)), (Some(Ok(sent)), Ok(uri)) if sent == uri)
    }
}

/// Whose visit an `oauth_state_id` is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct OAuthState {
    pub(crate) link_token: String,
    pub(crate) link_session_id: String,
}

impl Session {
    pub(crate) fn new(updating: bool, now: Timestamp) -> Self {
        Self {
            id: ids::new_uuid(),
            started_at: now,
            finished_at: None,
            acted_at: Some(now),
            stage: Stage::Consent,
            institution: None,
            error: None,
            visit: None,
            method: None,
            closes_at_once: false,
            request_id: String::new(),
            updating,
            results: Value::Null,
            success: Value::Null,
            exit: Value::Null,
            events: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// The events of a session that could not begin. It is kept nowhere: there may be no link token to keep it by.
    pub(crate) fn refused(error: &PlaidError, request_id: &str, now: Timestamp) -> Vec<Value> {
        let mut session = Self::new(false, now);
        request_id.clone_into(&mut session.request_id);
        session.meet(error);
        session.leave(Some(error));
        session.take_unsent()
    }

    /// Continues under another `link_session_id`, and returns it.
    pub(crate) fn begin_anew(&mut self) -> String {
        self.id = ids::new_uuid();
        self.id.clone()
    }

    /// The person does something.
    pub(crate) fn act(&mut self, now: Timestamp) {
        self.acted_at = Some(now);
    }

    /// When the person did what is being answered.
    fn now(&self) -> Timestamp {
        self.acted_at.unwrap_or(self.started_at)
    }

    /// Whether the person has done nothing for this long; true once: the caller sends the webhook.
    pub(crate) fn is_abandoned(&mut self, now: Timestamp, after: Duration) -> bool {
        let waits = self.finished_at.is_none();
        self.acted_at
            .take_if(|acted_at| waits && now >= acted_at.plus(after))
            .is_some()
    }

    /// Goes to another pane and says so.
    pub(crate) fn show(&mut self, stage: Stage) {
        let view_name = stage.view_name();
        self.stage = stage;
        self.record("TRANSITION_VIEW", json!({"view_name": view_name}));
    }

    /// An event with the keys of <https://plaid.com/docs/link/web/#onevent>; those not named in `about` are null.
    pub(crate) fn record(&mut self, name: &str, about: Value) {
        if self.events.len() >= MOST_EVENTS {
            return;
        }
        let mut metadata = json!({
            "institution_id": self.institution.map(|institution| institution.id),
            "institution_name": self.institution.map(|institution| institution.name),
            "request_id": self.request_id,
        });
        if let (Some(metadata), Value::Object(about)) = (metadata.as_object_mut(), about) {
            metadata.extend(about);
        }
        let mut metadata = with_nulls(
            metadata,
            "error_type error_code error_message exit_status institution_search_query match_reason mfa_type \
             routing_number account_number_mask view_name selection",
        );
        let timestamp = time_text(self.now());
        let kept: Map<String, Value> = metadata
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let event = json!({
            "event_name": name,
            "timestamp": timestamp,
            "event_id": ids::new_uuid(),
            "event_metadata": kept,
        });
        self.events.insert(0, event);
        set(&mut metadata, "is_update_mode", self.updating.to_string());
        set(&mut metadata, "timestamp", timestamp);
        set(&mut metadata, "link_session_id", &*self.id);
        self.unsent.push(json!({"name": name, "metadata": metadata}));
    }

    /// The events that were not sent to the page yet.
    pub(crate) fn take_unsent(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.unsent)
    }

    /// The person meets an error, which leaving now would report.
    pub(crate) fn meet(&mut self, error: &PlaidError) {
        let error = callback_error(error);
        let mut about = error.clone();
        if let Some(about) = about.as_object_mut() {
            about.remove("display_message");
        }
        self.record("ERROR", about);
        self.error = Some(error);
    }

    /// The institution as in Link's callbacks.
    pub(crate) fn institution_json(&self) -> Value {
        self.institution.map_or(Value::Null, Institution::link_json)
    }

    /// Ends well, with a public token unless there is no Item; returns the metadata of `onSuccess`.
    pub(crate) fn succeed(
        &mut self,
        public_token: Option<&str>,
        institution: &Value,
        accounts: &Value,
    ) -> Value {
        let added: Vec<_> = public_token
            .iter()
            .map(|public_token| {
                json!({
                    "public_token": public_token,
                    "accounts": accounts,
                    "institution": institution,
                })
            })
            .collect();
        let metadata = json!({
            "institution": institution,
            "accounts": accounts,
            "link_session_id": self.id,
            "transfer_status": null,
        });
        self.results = json!({
            "item_add_results": added,
            "cra_item_add_results": [],
            "cra_update_results": [],
            "bank_income_results": [],
            "payroll_income_results": [],
            "document_income_results": null,
        });
        self.success = json!({"public_token": public_token, "metadata": metadata});
        self.end("HANDOFF", json!({}));
        metadata
    }

    /// Ends without a connection; returns error and metadata of `onExit`.
    pub(crate) fn leave(&mut self, fatal: Option<&PlaidError>) -> Value {
        let status = self.stage.exit_status();
        let error = fatal
            .map(callback_error)
            .or_else(|| self.error.clone())
            .unwrap_or_default();
        let metadata = json!({
            "institution": self.institution_json(),
            "status": status,
            "link_session_id": self.id,
            "request_id": self.request_id,
        });
        let mut kept = metadata.clone();
        // Link's callback says null; the schema of `/link/token/get` only lets it be absent.
        if let Some(kept) = kept.as_object_mut() {
            kept.retain(|name, value| name != "status" || !value.is_null());
        }
        self.exit = json!({"error": error, "metadata": kept});
        let mut about = json!({"exit_status": status});
        if let (Some(about), Some(error)) = (about.as_object_mut(), error.as_object()) {
            about.extend(error.clone());
            about.remove("display_message");
        }
        self.end("EXIT", about);
        json!({"error": error, "metadata": metadata})
    }

    fn end(&mut self, event: &str, about: Value) {
        self.stage = Stage::Ended;
        self.visit = None;
        self.finished_at = Some(self.now());
        self.record(event, about);
    }

    /// The session as in `/link/token/get`.
    pub(crate) fn json(&self) -> Value {
        json!({
            "link_session_id": self.id,
            "started_at": time_text(self.started_at),
            "finished_at": self.finished_at.map(time_text),
            "results": self.results,
            "exit": self.exit,
            // The older twins of the two above.
            "on_success": self.success,
            "on_exit": self.exit,
            "events": self.events,
        })
    }
}

/// An error as in Link's callbacks.
fn callback_error(error: &PlaidError) -> Value {
    json!({
        "error_type": error.error_type,
        "error_code": error.error_code,
        "error_message": error.message,
        "display_message": error.display_message,
    })
}
