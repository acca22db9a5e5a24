//! `/user/create`: <https://plaid.com/docs/api/users/>.

use http::StatusCode;

use super::prelude::*;
use crate::items::link_request::{ID_NUMBERS, NAME};
use crate::items::user::{User, key};
use crate::spec::guesses::{KnownUser, UserToken};
use crate::spec::ids;
use crate::spec::json::set;

request! {
    pub(super) struct Create {
        required client_user_id: text(1, 128) => String,
        nullable identity: Identity::OBJECT => Option<Identity>,
        optional end_customer: text(0, 128),
        nullable consumer_report_user_identity: LegacyIdentity::OBJECT => Option<LegacyIdentity>,
        optional with_upgraded_user: Kind::Bool => bool,
    }

    pub(super) struct Identity {
        nullable name: NAME,
        nullable date_of_birth: Kind::Date,
        optional emails: list(&Datum::OBJECT) => Vec<Datum>,
        optional phone_numbers: list(&Datum::OBJECT) => Vec<Datum>,
        optional addresses: list(&Kind::Object(fields! {
            nullable street_1: TEXT,
            nullable street_2: TEXT,
            nullable city: TEXT,
            nullable region: TEXT,
            required country: TEXT,
            nullable postal_code: TEXT,
            required primary: Kind::Bool,
        })),
        optional id_numbers: list(&Kind::Object(fields! {
            required value: NON_EMPTY,
            required r#type: ID_NUMBERS,
        })),
    }

    pub(super) struct Datum {
        required data: TEXT => String,
        required primary: Kind::Bool,
    }

    pub(super) struct LegacyIdentity {
        required first_name: TEXT,
        required last_name: TEXT,
        required phone_numbers: TEXTS => Vec<String>,
        required emails: TEXTS => Vec<String>,
        nullable ssn_full: TEXT,
        nullable ssn_last_4: text(4, 4),
        stated date_of_birth: Kind::Date,
        required primary_address: Kind::Object(fields! {
            stated city: TEXT,
            stated region: TEXT,
            stated street: TEXT,
            stated postal_code: TEXT,
            stated country: TEXT,
        }),
    }
}

/// `/user/create`: the same `client_user_id` returns the same user.
pub(super) fn create(call: &Call<'_>, request: Create) -> Result<Value, PlaidError> {
    refuse_if(
        super::link_token::is_personal(&request.client_user_id, &call.guesses),
        "client_user_id must not contain personal data such as an e-mail address or a phone number",
    )?;
    let (emails, phones): (Vec<String>, Vec<String>) =
        match (request.identity, request.consumer_report_user_identity) {
            (Some(identity), _) => (texts(identity.emails), texts(identity.phone_numbers)),
            (None, Some(legacy)) => (legacy.emails, legacy.phone_numbers),
            (None, None) => Default::default(),
        };
    check_identity(&emails, &phones)?;
    let key = key(&call.client_id, &request.client_user_id);
    let mut state = call.simulator.state();
    let known = state.users.get(&key).cloned();
    let known = known.filter(|_| call.guesses.known_user == KnownUser::SameUser);
    let user = if let Some(user) = known {
        user
    } else {
        let user = User {
            id: ids::new_user_id(),
            token: ids::new_user_token(),
            client_id: call.client_id.to_string(),
            client_user_id: request.client_user_id,
        };
        let key = if state.users.contains(&key) {
            // Found by its id alone: the first one keeps the name.
            user.id.clone()
        } else {
            key
        };
        state.users.insert(key, user.clone());
        user
    };
    let mut answer = json!({"user_id": user.id});
    let reported = match call.guesses.user_token {
        UserToken::UnlessUpgraded => !request.with_upgraded_user,
        UserToken::Always => true,
        UserToken::Never => false,
    };
    if reported {
        set(&mut answer, "user_token", user.token);
    }
    Ok(answer)
}

fn texts(data: Vec<Datum>) -> Vec<String> {
    data.into_iter().map(|datum| datum.data).collect()
}

fn check_identity(emails: &[String], phones: &[String]) -> Result<(), PlaidError> {
    let is_mail = |text: &String| {
        text.split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    // E.164: a plus and up to 15 digits.
    let is_phone = |text: &String| {
        text.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let wrong = if !emails.iter().all(is_mail) {
        "an e-mail address is not one"
    } else if !phones.iter().all(is_phone) {
        "a phone number is not in E.164 format, like +14155550123"
    } else {
        return Ok(());
    };
    Err(PlaidError::new("USER_ERROR", "INVALID_USER_IDENTITY_DATA", wrong).with_status(StatusCode::FORBIDDEN))
}
