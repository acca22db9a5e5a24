//! `/institutions/get_by_id`: <https://plaid.com/docs/api/institutions/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::link_token_fields::COUNTRIES;
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, NON_EMPTY, optional, required};
use crate::spec::institutions::{self, Extras};

pub(super) const GET_BY_ID: &[Field] = &[
    required("institution_id", NON_EMPTY),
    required(
        "country_codes",
        Kind::List {
            of: &Kind::OneOf(COUNTRIES),
            min: 1,
        },
    ),
    optional(
        "options",
        Kind::Object(&[
            optional("include_optional_metadata", Kind::Bool),
            optional("include_status", Kind::Bool),
            optional("include_auth_metadata", Kind::Bool),
            optional("include_payment_initiation_metadata", Kind::Bool),
        ]),
    ),
];

#[derive(Deserialize)]
struct GetById {
    institution_id: String,
    country_codes: Vec<String>,
    #[serde(default)]
    options: Extras,
}

/// `/institutions/get_by_id`
pub(super) fn get_by_id(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: GetById = call.take()?;
    let institution = institutions::by_id(&request.institution_id)
        .filter(|institution| {
            request
                .country_codes
                .iter()
                .any(|code| code == institution.country)
        })
        .ok_or_else(PlaidError::invalid_institution)?;
    Ok(json!({"institution": institution.json(request.options)}))
}
