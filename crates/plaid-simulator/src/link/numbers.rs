//! The steps in which the person types account and routing number: after a login, or in its place
//! (<https://plaid.com/docs/auth/coverage/>).

use serde_json::{Value, json};

use super::turn::{Outcome, Turn, wrong_step};
use crate::data::deposits::{Deposit, Method, Numbers};
use crate::data::{Person, accounts};
use crate::items::{Draft, LinkRequest, Stage};
use crate::spec::error::refuse_if;
use crate::spec::guesses::InstantDepositInstitution;
use crate::spec::institutions::NO_BANK;
use crate::spec::{Institution, PlaidError, ids, products};

/// The kinds of account that can be typed in.
const SUBTYPES: [&str; 2] = ["checking", "savings"];

/// The typed account among those of its Item, which has no other.
const KEY: &str = accounts::CUSTOM_KEYS[0];

/// Whether "Link with account numbers" is there for this person now.
pub(super) fn are_offered(turn: &mut Turn<'_>) -> Result<bool, PlaidError> {
    let guesses = turn.guesses();
    let link_token = turn.link_token()?;
    let request = &link_token.request;
    Ok(link_token.update_item.is_none()
        && request.has_same_day_deposits(&guesses)
        && !subtypes(request).is_empty())
}

/// The kinds of account that `account_filters` let through.
fn subtypes(request: &LinkRequest) -> Vec<&'static str> {
    let filters = request.account_filters.as_ref();
    let passes = |subtype: &&str| {
        let person = Person::with_account("", subtype, "0000");
        accounts::offered(person.accounts(), true, filters)
            .next()
            .is_some()
    };
    SUBTYPES.into_iter().filter(|subtype| passes(subtype)).collect()
}

/// `auth_type`: a login, or account numbers
/// (<https://plaid.com/docs/auth/coverage/flow-options/#adding-manual-verification-entry-points-with-auth-type-select>).
pub(super) fn select_auth_type(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let selection = turn.call.selection.clone();
    let session = turn.session()?;
    if !matches!(session.stage, Stage::AuthType) {
        return Err(wrong_step());
    }
    let manual = match &*selection {
        "flow_type_manual" => true,
        "flow_type_instant" => false,
        _ => return Err(PlaidError::invalid_field("selection names no way to connect")),
    };
    session.record("SELECT_AUTH_TYPE", json!({"selection": selection}));
    if manual {
        return enter(turn);
    }
    session.show(Stage::Institutions { nothing_found: false });
    Ok(Outcome::Pane)
}

/// `manual`: "Link with account numbers".
pub(super) fn enter(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let offered = are_offered(turn)?;
    let session = turn.session()?;
    if !offered || matches!(session.stage, Stage::Consent | Stage::Connected(_) | Stage::Ended) {
        return Err(wrong_step());
    }
    session.institution = None;
    session.visit = None;
    session.error = None;
    session.method = Some(Method::SameDay);
    session.show(Stage::Numbers(None));
    Ok(Outcome::Pane)
}

/// Whether nobody logs in at this bank.
pub(super) fn are_enough_at(turn: &mut Turn<'_>, institution: &Institution) -> Result<bool, PlaidError> {
    let guesses = turn.guesses();
    let link_token = turn.link_token()?;
    Ok(link_token.update_item.is_none() && link_token.request.has_instant_deposits_at(institution, &guesses))
}

/// A bank that deposits reach at once.
pub(super) fn at_the_bank(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let session = turn.session()?;
    session.method = Some(Method::Instant);
    session.show(Stage::Numbers(None));
    Ok(Outcome::Pane)
}

/// What the pane asks for, and which answers the Sandbox takes
/// (<https://plaid.com/docs/auth/coverage/testing/>).
pub(super) fn pane(request: &LinkRequest, method: Option<Method>, draft: Option<&Draft>) -> Value {
    let mask = draft.and_then(|draft| draft.accounts().next()?.mask.clone());
    let hint = match method {
        Some(Method::SameDay) | None => "Test numbers: 110000000 and 1111222233330000.".to_owned(),
        Some(Method::Instant) => "Test numbers: 333333334 and 1111222233330000.".to_owned(),
        Some(Method::InstantMatch | Method::Automated) => {
            let mask = mask.as_deref().unwrap_or("0000");
            format!("Test numbers: 021000021 and 111122223333{mask}.")
        }
    };
    json!({
        "hint": hint,
        "asks_name": asks_name(request, method),
        "makes_deposit": method != Some(Method::InstantMatch),
        "subtypes": if draft.is_some() { Vec::new() } else { subtypes(request) },
    })
}

fn asks_name(request: &LinkRequest, method: Option<Method>) -> bool {
    method != Some(Method::InstantMatch) && legal_name(request).is_none()
}

fn legal_name(request: &LinkRequest) -> Option<&String> {
    let user = request.user.as_ref()?;
    user.legal_name.as_ref().filter(|name| !name.trim().is_empty())
}

/// `numbers`: what was typed.
pub(super) fn submit(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let request = turn.link_token()?.request.clone();
    let typed = Numbers::typed(&turn.call.routing_number, &turn.call.account_number);
    let name = turn.call.name.trim().to_owned();
    let session = turn.session()?;
    let (Stage::Numbers(draft), Some(method)) = (&session.stage, session.method) else {
        return Err(wrong_step());
    };
    let draft = draft.clone();
    let holder = match method {
        Method::InstantMatch => None,
        _ => Some(legal_name(&request).cloned().unwrap_or(name)),
    };
    refuse_if(
        holder.as_ref().is_some_and(String::is_empty),
        "name must not be empty",
    )?;
    let routing = json!({"routing_number": typed.routing});
    session.record("SUBMIT_ROUTING_NUMBER", routing);
    let mask = json!({"account_number_mask": typed.mask()});
    session.record("SUBMIT_ACCOUNT_NUMBER", mask);
    if !typed.are_well_formed() {
        return Ok(Outcome::Wrong(PlaidError::invalid_account_number()));
    }
    let Some(mut draft) = draft else {
        return submit_manually(turn, &request, typed, holder);
    };
    let account = draft.accounts().next().filter(|account| typed.are_of(account));
    let Some(key) = account.map(|account| account.key) else {
        return Ok(Outcome::Wrong(PlaidError::invalid_account_number()));
    };
    draft.deposit = Some(Deposit::new(method, key, typed, holder));
    session.error = None;
    session.show(Stage::Connected(draft));
    Ok(Outcome::Pane)
}

/// Numbers are all that the Item has; a deposit is made.
fn submit_manually(
    turn: &mut Turn<'_>,
    request: &LinkRequest,
    typed: Numbers,
    holder: Option<String>,
) -> Result<Outcome, PlaidError> {
    let (guesses, subtype) = (turn.guesses(), turn.call.subtype.clone());
    refuse_if(
        !subtypes(request).contains(&&*subtype),
        "subtype must be one of the offered kinds of account",
    )?;
    let client_id = turn.link_token()?.client_id.clone();
    let session = turn.session()?;
    if typed.are_instant() && request.has_instant_deposits(&guesses) {
        session.method = Some(Method::Instant);
    }
    let method = session.method.ok_or_else(wrong_step)?;
    let institution = match guesses.instant_deposit_institution {
        InstantDepositInstitution::Chosen => session.institution.unwrap_or(&NO_BANK),
        InstantDepositInstitution::Null => &NO_BANK,
    };
    let word = if subtype == "savings" {
        "Savings"
    } else {
        "Checking"
    };
    let last_four = typed.last_four();
    let person = Person::with_account(&format!("{word}...{last_four}"), &subtype, last_four);
    let mut draft = Draft {
        item_id: ids::new_item_id().into(),
        client_id,
        institution,
        products: Vec::new(),
        consented_products: Vec::new(),
        auth_hides_accounts: request.auth_hides_accounts(),
        webhook: request.webhook.clone(),
        login: None,
        deposit: Some(Deposit::new(method, KEY, typed, holder)),
        source: request.source(person),
        accounts: Some(vec![KEY]),
    };
    draft.products = request.item_products(&NO_BANK);
    draft.consented_products = products::of_names(request.additional_consented());
    draft
        .consented_products
        .retain(|product| NO_BANK.supports(product));
    session.error = None;
    if method == Method::Instant {
        session.show(Stage::DepositCode(draft));
    } else {
        let view = json!({"view_name": "SAME_DAY_MICRODEPOSIT_AUTHORIZED"});
        session.record("TRANSITION_VIEW", view);
        session.show(Stage::Connected(draft));
    }
    Ok(Outcome::Pane)
}

/// What the person is to wait for.
pub(super) fn note(draft: &Draft) -> Option<&'static str> {
    match draft.deposit.as_ref()?.method {
        Method::InstantMatch | Method::Instant => None,
        Method::Automated => Some(
            "A deposit of $0.01 is on its way. The account is verified by itself when it is there: in 24 hours.",
        ),
        Method::SameDay => Some(
            "A deposit of $0.01 is on its way. Come back with the code in its description to verify the account.",
        ),
    }
}
