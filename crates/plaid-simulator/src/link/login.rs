//! The steps between the choice of an institution and a connected login.

use super::turn::{Outcome, Turn, wrong_step};
use crate::data::deposits::{self, Method};
use crate::data::mfa::Answered;
use crate::data::test_users::{Login, log_in};
use crate::data::{self, Account, Person, accounts};
use crate::items::{Draft, LinkRequest, Stage};
use crate::spec::error::refuse_if;
use crate::spec::guesses::UnfitAccounts;
use crate::spec::institutions::Trait;
use crate::spec::{PlaidError, ids, products};

/// `login`: a username and a password.
pub(super) fn login(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let session = turn.session()?;
    if !matches!(session.stage, Stage::Credentials) {
        return Err(wrong_step());
    }
    let is_down = session
        .institution
        .is_some_and(|institution| institution.special == Trait::Down);
    session.record("SUBMIT_CREDENTIALS", serde_json::json!({}));
    if is_down {
        return Ok(Outcome::Failed(PlaidError::institution_down()));
    }
    let guesses = turn.guesses();
    let automated = is_of_deposits(turn)?;
    turn.session()?.method = automated.then_some(Method::Automated);
    let login = if automated {
        Login::Done
    } else {
        log_in(&turn.call.username, &turn.call.password, &guesses)
    };
    match login {
        Login::Refused(error) if error.error_code == "INVALID_CREDENTIALS" => {
            wrong(turn, error).map(Outcome::Failed)
        }
        Login::Refused(error) => Ok(Outcome::Failed(error)),
        Login::Asked(mfa) => {
            let draft = draft(turn)?;
            let session = turn.session()?;
            session.error = None;
            session.show(Stage::Mfa { draft, mfa });
            Ok(Outcome::Pane)
        }
        Login::Done => {
            let draft = draft(turn)?;
            logged_in(turn, draft)
        }
    }
}

/// Whether this is the login of automated micro-deposits, at a bank and in a session that have them.
fn is_of_deposits(turn: &mut Turn<'_>) -> Result<bool, PlaidError> {
    let guesses = turn.guesses();
    let Some(institution) = turn.session()?.institution else {
        return Ok(false);
    };
    if !deposits::is_login(institution, &turn.call.username, &turn.call.password) {
        return Ok(false);
    }
    let link_token = turn.link_token()?;
    if link_token.request.has_automated_deposits(institution, &guesses) {
        return Ok(true);
    }
    let update_item = link_token.update_item.clone();
    let deposit = update_item
        .and_then(|id| turn.memory.item_by_id(&id))
        .and_then(|item| item.draft.deposit.as_ref());
    Ok(deposit.is_some_and(|deposit| deposit.method == Method::Automated))
}

/// Too many wrong answers lock the login, and one more ends the link token
/// (<https://plaid.com/docs/link/handle-invalid-link-token/>).
fn wrong(turn: &mut Turn<'_>, error: PlaidError) -> Result<PlaidError, PlaidError> {
    let most = turn.simulator.switches().link.wrong_logins;
    let link_token = turn.link_token()?;
    link_token.wrong_logins += 1;
    match link_token.wrong_logins.cmp(&most) {
        std::cmp::Ordering::Less => Ok(error),
        std::cmp::Ordering::Equal => Ok(PlaidError::item_locked()),
        std::cmp::Ordering::Greater => {
            link_token.spent = true;
            Err(PlaidError::invalid_link_token())
        }
    }
}

/// The Item to be, or in update mode the Item as it is.
fn draft(turn: &mut Turn<'_>) -> Result<Draft, PlaidError> {
    let (username, password) = (turn.call.username.clone(), turn.call.password.clone());
    let guesses = turn.guesses();
    let link_token = turn.link_token()?;
    let update_item = link_token.update_item.clone();
    let (client_id, request) = (link_token.client_id.clone(), link_token.request.clone());
    let item_id = update_item.clone().unwrap_or_else(|| ids::new_item_id().into());
    let session = turn.session()?;
    let institution = session.institution.ok_or_else(wrong_step)?;
    let login = session.visit.as_ref().and_then(|visit| visit.login.clone());
    let item = update_item.and_then(|id| turn.memory.item_by_id(&id));
    let source = item.map_or_else(
        || request.source(Person::of(&username, &password, &guesses)),
        |item| item.draft.source.clone(),
    );
    Ok(Draft {
        login,
        deposit: None,
        source,
        item_id,
        client_id,
        institution,
        products: request.item_products(institution),
        consented_products: products::of_names(request.additional_consented()),
        auth_hides_accounts: request.auth_hides_accounts(),
        webhook: request.webhook,
        accounts: None,
    })
}

/// `mfa`: what the bank asks beside the password.
pub(super) fn mfa(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let answers = turn.call.answers.clone();
    let session = turn.session()?;
    let Stage::Mfa { mfa, draft } = &session.stage else {
        return Err(wrong_step());
    };
    let (mfa, draft) = (mfa.clone(), draft.clone());
    session.record("SUBMIT_MFA", serde_json::json!({"mfa_type": mfa.kind()}));
    match mfa.answer(&answers) {
        Answered::Right => logged_in(turn, draft),
        Answered::Next(mfa) => {
            session.error = None;
            session.show(Stage::Mfa { draft, mfa });
            Ok(Outcome::Pane)
        }
        Answered::Wrong => wrong(turn, PlaidError::invalid_mfa()).map(Outcome::Wrong),
    }
}

/// The bank let the person in: the accounts to choose from. In update mode the Item keeps those that it has unless
/// the choice was asked for (<https://plaid.com/docs/link/update-mode/#using-update-mode-to-request-new-accounts>).
fn logged_in(turn: &mut Turn<'_>, draft: Draft) -> Result<Outcome, PlaidError> {
    let request = sought(turn)?;
    let update_item = turn.link_token()?.update_item.clone();
    let matches = update_item.is_none() && request.has_instant_match(draft.institution);
    let item = update_item.as_deref().and_then(|id| turn.memory.item_by_id(id));
    // Numbers that were typed in are those of one account.
    let is_bound = item.is_some_and(|item| item.draft.deposit.is_some());
    let selects = update_item.is_none() || !is_bound && request.selects_accounts();
    if selects && let Some(error) = misfit(&request, &draft, turn.guesses().unfit_accounts) {
        turn.session()?.stage = Stage::Credentials;
        return Ok(Outcome::Failed(error));
    }
    let session = turn.session()?;
    session.error = None;
    if session.method.is_none() && matches {
        session.method = Some(Method::InstantMatch);
    }
    let stage = if selects {
        Stage::Accounts(draft)
    } else {
        Stage::Connected(draft)
    };
    session.show(stage);
    Ok(Outcome::Pane)
}

/// What is asked of the accounts: in update mode also what the Item is for.
pub(super) fn sought(turn: &mut Turn<'_>) -> Result<LinkRequest, PlaidError> {
    let link_token = turn.link_token()?;
    let (mut request, update_item) = (link_token.request.clone(), link_token.update_item.clone());
    let item = update_item.and_then(|id| turn.memory.item_by_id(&id));
    if item.is_some_and(|item| item.draft.auth_hides_accounts) {
        request.products.get_or_insert_default().push("auth".to_owned());
    }
    Ok(request)
}

/// The accounts that Link may show.
pub(super) fn offered<'a>(request: &'a LinkRequest, draft: &'a Draft) -> Vec<&'a Account> {
    of_person(request, draft, request.auth_hides_accounts())
}

fn of_person<'a>(request: &'a LinkRequest, draft: &'a Draft, auth: bool) -> Vec<&'a Account> {
    let filters = request.account_filters.as_ref();
    accounts::offered(draft.source.person.accounts(), auth, filters).collect()
}

/// The bank's own page let the person in. Plaid's test users are not known there: everybody is `user_good`.
pub(super) fn let_in(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    "user_good".clone_into(&mut turn.call.username);
    "pass_good".clone_into(&mut turn.call.password);
    let draft = draft(turn)?;
    logged_in(turn, draft)
}

/// Why no account that Link may show fits, if so (<https://plaid.com/docs/errors/item/>).
fn misfit(request: &LinkRequest, draft: &Draft, unfit: UnfitAccounts) -> Option<PlaidError> {
    let offered = offered(request, draft);
    if !offered.is_empty() {
        return unmet(request, &offered, unfit);
    }
    Some(if of_person(request, draft, false).is_empty() {
        no_accounts("NO_ACCOUNTS", "compatible")
    } else {
        no_accounts("NO_AUTH_ACCOUNTS", "checking, savings or cash management")
    })
}

/// Link's error for the first of `products` that none of these accounts can have: a person must share one for each
/// (<https://plaid.com/docs/link/initializing-products/>).
fn unmet(request: &LinkRequest, accounts: &[&Account], unfit: UnfitAccounts) -> Option<PlaidError> {
    if unfit == UnfitAccounts::LetThrough {
        return None;
    }
    let mut unmet = request
        .products()
        .iter()
        .filter(|product| !accounts.iter().any(|account| data::fits(product, account)));
    unmet.find_map(|product| match product.as_str() {
        "auth" | "signal" | "transfer" => Some(no_accounts(
            "NO_AUTH_ACCOUNTS",
            "checking, savings or cash management",
        )),
        "investments" | "investments_auth" => Some(no_accounts("NO_INVESTMENT_ACCOUNTS", "investment")),
        "liabilities" => Some(no_accounts("NO_LIABILITY_ACCOUNTS", "liability")),
        _ => None,
    })
}

fn no_accounts(code: &'static str, wanted: &str) -> PlaidError {
    PlaidError::new("ITEM_ERROR", code, format!("no {wanted} accounts were found"))
        .shown("This login has no account of a kind that was asked for.")
}

/// Plaid's Dashboard decides by customization whether one account is chosen or several; the simulator has no
/// Dashboard and goes by the customization's name. Numbers are typed for one account
/// (<https://plaid.com/docs/auth/coverage/instant/#instant-match>).
pub(super) fn single_account(request: &LinkRequest, method: Option<Method>) -> bool {
    method.is_some()
        || request
            .link_customization_name
            .as_deref()
            .is_some_and(|name| name.starts_with("single_account"))
}

/// The `account_id`s that the Item of update mode has.
pub(super) fn chosen_before(turn: &mut Turn<'_>) -> Result<Option<Vec<String>>, PlaidError> {
    let Some(item_id) = turn.link_token()?.update_item.clone() else {
        return Ok(None);
    };
    Ok(turn
        .memory
        .item_by_id(&item_id)
        .map(|item| item.accounts().map(|account| account.id(&item_id)).collect()))
}

/// Products beyond `products` start on an Item when one of its accounts can have their data; the person has consented
/// to the others too (<https://plaid.com/docs/link/initializing-products/>).
fn settle_products(draft: &mut Draft, request: &LinkRequest) {
    let wanted = request.item_products(draft.institution);
    let starts = |product: &&str| {
        request.products().iter().any(|listed| listed == product)
            || draft.accounts().any(|account| data::fits(product, account))
    };
    let (on_item, left): (Vec<_>, Vec<_>) = wanted.into_iter().partition(starts);
    draft.products = on_item;
    draft.consented_products = products::of_names(request.additional_consented());
    draft.consented_products.extend(left);
}

/// `accounts`: the person's choice.
pub(super) fn choose(turn: &mut Turn<'_>) -> Result<Outcome, PlaidError> {
    let ids = turn.call.account_ids.clone();
    let request = sought(turn)?;
    let unfit = turn.guesses().unfit_accounts;
    let session = turn.session()?;
    let (Stage::Accounts(draft) | Stage::Connected(draft)) = &session.stage else {
        return Err(wrong_step());
    };
    let mut draft = draft.clone();
    let chosen: Vec<_> = offered(&request, &draft)
        .into_iter()
        .filter(|account| ids.contains(&account.id(&draft.item_id)))
        .collect();
    refuse_if(
        chosen.is_empty() || chosen.len() != ids.len(),
        "account_ids must name at least one of the offered accounts",
    )?;
    refuse_if(
        single_account(&request, session.method) && chosen.len() > 1,
        "account_ids must name one account",
    )?;
    let chosen_keys = chosen.iter().map(|account| account.key).collect();
    if let Some(error) = unmet(&request, &chosen, unfit) {
        return Ok(Outcome::Failed(error));
    }
    draft.accounts = Some(chosen_keys);
    settle_products(&mut draft, &request);
    let stage = match session.method {
        Some(_) => Stage::Numbers(Some(draft)),
        None => Stage::Connected(draft),
    };
    session.show(stage);
    Ok(Outcome::Pane)
}
