//! `/user/create`: <https://plaid.com/docs/api/users/>.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use crate::items::user::{User, key};
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, NON_EMPTY, TEXT, nullable, optional, required, stated};
use crate::spec::guesses::{KnownUser, UserToken};
use crate::spec::ids;

const PRIMARY: Field = required("primary", Kind::Bool);
const TEXTS: Kind = Kind::List { of: &TEXT, min: 0 };

/// The kinds of numbers that states give to people.
pub(super) const ID_NUMBERS: &[&str] = &[
    "ar_dni",
    "au_drivers_license",
    "au_passport",
    "br_cpf",
    "ca_sin",
    "cl_run",
    "cn_resident_card",
    "co_nit",
    "dk_cpr",
    "eg_national_id",
    "es_dni",
    "es_nie",
    "hk_hkid",
    "in_epic",
    "in_pan",
    "it_cf",
    "jo_civil_id",
    "jp_my_number",
    "ke_huduma_namba",
    "kw_civil_id",
    "mx_curp",
    "mx_rfc",
    "my_nric",
    "ng_nin",
    "nz_drivers_license",
    "om_civil_id",
    "ph_psn",
    "pl_pesel",
    "ro_cnp",
    "sa_national_id",
    "se_pin",
    "sg_nric",
    "tr_tc_kimlik",
    "us_ssn",
    "us_ssn_last_4",
    "za_smart_id",
];

pub(super) const CREATE: &[Field] = &[
    required("client_user_id", Kind::Text { min: 1, max: 128 }),
    nullable(
        "identity",
        Kind::Object(&[
            nullable(
                "name",
                Kind::Object(&[required("given_name", TEXT), required("family_name", TEXT)]),
            ),
            nullable("date_of_birth", Kind::Date),
            optional(
                "emails",
                Kind::List {
                    of: &Kind::Object(&[required("data", TEXT), PRIMARY]),
                    min: 0,
                },
            ),
            optional(
                "phone_numbers",
                Kind::List {
                    of: &Kind::Object(&[required("data", TEXT), PRIMARY]),
                    min: 0,
                },
            ),
            optional(
                "addresses",
                Kind::List {
                    of: &Kind::Object(&[
                        nullable("street_1", TEXT),
                        nullable("street_2", TEXT),
                        nullable("city", TEXT),
                        nullable("region", TEXT),
                        required("country", TEXT),
                        nullable("postal_code", TEXT),
                        PRIMARY,
                    ]),
                    min: 0,
                },
            ),
            optional(
                "id_numbers",
                Kind::List {
                    of: &Kind::Object(&[
                        required("value", NON_EMPTY),
                        required("type", Kind::OneOf(ID_NUMBERS)),
                    ]),
                    min: 0,
                },
            ),
        ]),
    ),
    optional("end_customer", Kind::Text { min: 0, max: 128 }),
    nullable(
        "consumer_report_user_identity",
        Kind::Object(&[
            required("first_name", TEXT),
            required("last_name", TEXT),
            required("phone_numbers", TEXTS),
            required("emails", TEXTS),
            nullable("ssn_full", TEXT),
            nullable("ssn_last_4", Kind::Text { min: 4, max: 4 }),
            stated("date_of_birth", Kind::Date),
            required(
                "primary_address",
                Kind::Object(&[
                    stated("city", TEXT),
                    stated("region", TEXT),
                    stated("street", TEXT),
                    stated("postal_code", TEXT),
                    stated("country", TEXT),
                ]),
            ),
        ]),
    ),
    optional("with_upgraded_user", Kind::Bool),
];

#[derive(Deserialize)]
struct Create {
    client_user_id: String,
    identity: Option<Identity>,
    consumer_report_user_identity: Option<LegacyIdentity>,
    #[serde(default)]
    with_upgraded_user: bool,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(default)]
    emails: Vec<Datum>,
    #[serde(default)]
    phone_numbers: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    data: String,
}

#[derive(Deserialize)]
struct LegacyIdentity {
    phone_numbers: Vec<String>,
    emails: Vec<String>,
}

/// `/user/create`: the same `client_user_id` gives the same user again.
pub(super) fn create(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Create = call.take()?;
    if super::link_token::is_personal(&request.client_user_id, &call.guesses) {
        return Err(PlaidError::invalid_field(
            "client_user_id must not contain personal data such as an e-mail address or a phone number",
        ));
    }
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
    let told = match call.guesses.user_token {
        UserToken::UnlessUpgraded => !request.with_upgraded_user,
        UserToken::Always => true,
        UserToken::Never => false,
    };
    if let (Some(answer), true) = (answer.as_object_mut(), told) {
        answer.insert("user_token".to_owned(), user.token.into());
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
    Err(PlaidError {
        status: StatusCode::FORBIDDEN,
        ..PlaidError::new("USER_ERROR", "INVALID_USER_IDENTITY_DATA", wrong)
    })
}
