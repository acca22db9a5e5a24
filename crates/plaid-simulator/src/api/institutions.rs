//! `/institutions/…`: <https://plaid.com/docs/api/institutions/>.

use super::prelude::*;
use crate::items::link_request::COUNTRIES;
use crate::spec::institutions::{self, Extras};
use crate::spec::{Institution, products};

/// The most hits of a search.
const MOST_HITS: usize = 10;

request! {
    pub(super) struct Get {
        required count: int(1, 500) => usize,
        required offset: FROM_ZERO => usize,
        required country_codes: COUNTRIES => Vec<String>,
        optional options: GetOptions::OBJECT => GetOptions,
    }

    pub(super) struct GetOptions {
        nullable products: some(&TEXT) => Option<Vec<String>>,
        nullable routing_numbers: TEXTS => Option<Vec<String>>,
        nullable oauth: Kind::Bool => Option<bool>,
        optional include_optional_metadata: Kind::Bool => bool,
        optional include_auth_metadata: Kind::Bool => bool,
        optional include_payment_initiation_metadata: Kind::Bool,
    }

    pub(super) struct Search {
        required query: NON_EMPTY => String,
        required country_codes: COUNTRIES => Vec<String>,
        nullable products: some(&TEXT) => Option<Vec<String>>,
        optional options: SearchOptions::OBJECT => SearchOptions,
    }

    pub(super) struct SearchOptions {
        nullable oauth: Kind::Bool => Option<bool>,
        optional include_optional_metadata: Kind::Bool => bool,
        nullable include_auth_metadata: Kind::Bool => Option<bool>,
        nullable include_payment_initiation_metadata: Kind::Bool,
        nullable payment_initiation: Kind::Object(fields! {
            nullable payment_id: TEXT,
            nullable consent_id: TEXT,
        }),
    }

    pub(super) struct GetById {
        required institution_id: NON_EMPTY => String,
        required country_codes: COUNTRIES => Vec<String>,
        optional options: GetByIdOptions::OBJECT => GetByIdOptions,
    }

    pub(super) struct GetByIdOptions {
        optional include_optional_metadata: Kind::Bool => bool,
        optional include_status: Kind::Bool => bool,
        optional include_auth_metadata: Kind::Bool => bool,
        optional include_payment_initiation_metadata: Kind::Bool,
    }
}

/// The institutions of these countries that have all these products.
fn matching(
    countries: &[String],
    products: Option<&[String]>,
    oauth: Option<bool>,
) -> Result<impl Iterator<Item = &'static Institution>, PlaidError> {
    let products = products.unwrap_or_default();
    if let Some(unknown) = products.iter().find(|product| !products::is_known(product)) {
        let why = format!("products names no product: {unknown:?}");
        return Err(PlaidError::invalid_field(why));
    }
    Ok(institutions::ALL.iter().filter(move |institution| {
        countries.iter().any(|code| code == institution.country)
            && oauth.is_none_or(|oauth| oauth == institution.is_oauth())
            && products.iter().all(|product| institution.supports(product))
    }))
}

/// `/institutions/get`
pub(super) fn get(_: &Call<'_>, request: Get) -> Result<Value, PlaidError> {
    let options = request.options;
    let numbers = options.routing_numbers.as_deref();
    let matching: Vec<_> = matching(&request.country_codes, options.products.as_deref(), options.oauth)?
        .filter(|institution| numbers.is_none_or(|numbers| institution.has_routing_number(numbers)))
        .collect();
    let extras = Extras {
        optional_metadata: options.include_optional_metadata,
        auth_metadata: options.include_auth_metadata,
        status: false,
    };
    let page = matching.iter().skip(request.offset).take(request.count);
    let page: Vec<_> = page.map(|institution| institution.json(extras)).collect();
    Ok(json!({"institutions": page, "total": matching.len()}))
}

/// `/institutions/search`
pub(super) fn search(_: &Call<'_>, request: Search) -> Result<Value, PlaidError> {
    let options = request.options;
    let extras = Extras {
        optional_metadata: options.include_optional_metadata,
        auth_metadata: options.include_auth_metadata.unwrap_or_default(),
        status: false,
    };
    let query = request.query.trim().to_lowercase();
    let hits: Vec<_> = matching(&request.country_codes, request.products.as_deref(), options.oauth)?
        .filter(|institution| institution.name.to_lowercase().contains(&query))
        .take(MOST_HITS)
        .map(|institution| institution.json(extras))
        .collect();
    Ok(json!({"institutions": hits}))
}

/// `/institutions/get_by_id`
pub(super) fn get_by_id(_: &Call<'_>, request: GetById) -> Result<Value, PlaidError> {
    let institution = institutions::by_id(&request.institution_id)
        .filter(|institution| {
            request
                .country_codes
                .iter()
                .any(|code| code == institution.country)
        })
        .ok_or_else(PlaidError::invalid_institution)?;
    let extras = Extras {
        optional_metadata: request.options.include_optional_metadata,
        status: request.options.include_status,
        auth_metadata: request.options.include_auth_metadata,
    };
    Ok(json!({"institution": institution.json(extras)}))
}
