//! `/institutions/get` and `/institutions/search`: <https://plaid.com/docs/api/institutions/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::link_token_fields::COUNTRIES;
use crate::spec::error::PlaidError;
use crate::spec::fields::{Field, Kind, NON_EMPTY, TEXT, nullable, optional, required};
use crate::spec::institutions::{self, Extras, Institution};
use crate::spec::products;

const COUNTRY_CODES: Field = required(
    "country_codes",
    Kind::List {
        of: &Kind::OneOf(COUNTRIES),
        min: 1,
    },
);
const PRODUCTS: Field = nullable("products", Kind::List { of: &TEXT, min: 1 });

/// Plaid answers at most so many hits of a search.
const MOST_HITS: usize = 10;

pub(super) const GET: &[Field] = &[
    required("count", Kind::Integer { min: 1, max: 500 }),
    required(
        "offset",
        Kind::Integer {
            min: 0,
            max: i64::MAX,
        },
    ),
    COUNTRY_CODES,
    optional(
        "options",
        Kind::Object(&[
            PRODUCTS,
            nullable("routing_numbers", Kind::List { of: &TEXT, min: 0 }),
            nullable("oauth", Kind::Bool),
            optional("include_optional_metadata", Kind::Bool),
            optional("include_auth_metadata", Kind::Bool),
            optional("include_payment_initiation_metadata", Kind::Bool),
        ]),
    ),
];

#[derive(Deserialize)]
struct Get {
    count: usize,
    offset: usize,
    country_codes: Vec<String>,
    #[serde(default)]
    options: Filters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filters {
    products: Option<Vec<String>>,
    routing_numbers: Option<Vec<String>>,
    oauth: Option<bool>,
    #[serde(flatten)]
    extras: Extras,
}

impl Filters {
    fn pass(&self, institution: &Institution) -> bool {
        self.oauth.is_none_or(|oauth| oauth == institution.is_oauth())
            && self
                .products
                .iter()
                .flatten()
                .all(|product| institution.supports(product))
            && self
                .routing_numbers
                .as_ref()
                .is_none_or(|numbers| institution.has_routing_number(numbers))
    }
}

/// `/institutions/get`
pub(super) fn get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Get = call.take()?;
    check_products(request.options.products.as_deref())?;
    let matching: Vec<_> = institutions::ALL
        .iter()
        .filter(|institution| {
            request
                .country_codes
                .iter()
                .any(|code| code == institution.country)
        })
        .filter(|institution| request.options.pass(institution))
        .collect();
    let page: Vec<_> = matching
        .iter()
        .skip(request.offset)
        .take(request.count)
        .map(|institution| institution.json(request.options.extras))
        .collect();
    Ok(json!({"institutions": page, "total": matching.len()}))
}

pub(super) const SEARCH: &[Field] = &[
    required("query", NON_EMPTY),
    COUNTRY_CODES,
    PRODUCTS,
    optional(
        "options",
        Kind::Object(&[
            nullable("oauth", Kind::Bool),
            optional("include_optional_metadata", Kind::Bool),
            nullable("include_auth_metadata", Kind::Bool),
            nullable("include_payment_initiation_metadata", Kind::Bool),
            nullable(
                "payment_initiation",
                Kind::Object(&[nullable("payment_id", TEXT), nullable("consent_id", TEXT)]),
            ),
        ]),
    ),
];

#[derive(Deserialize)]
struct Search {
    query: String,
    country_codes: Vec<String>,
    products: Option<Vec<String>>,
    #[serde(default)]
    options: SearchOptions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SearchOptions {
    oauth: Option<bool>,
    include_optional_metadata: bool,
    include_auth_metadata: Option<bool>,
}

/// `/institutions/search`
pub(super) fn search(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Search = call.take()?;
    check_products(request.products.as_deref())?;
    let filters = Filters {
        products: request.products,
        routing_numbers: None,
        oauth: request.options.oauth,
        extras: Extras::new(
            request.options.include_optional_metadata,
            request.options.include_auth_metadata.unwrap_or(false),
        ),
    };
    let query = request.query.trim().to_lowercase();
    let hits: Vec<_> = institutions::ALL
        .iter()
        .filter(|institution| {
            request
                .country_codes
                .iter()
                .any(|code| code == institution.country)
        })
        .filter(|institution| filters.pass(institution))
        .filter(|institution| institution.name.to_lowercase().contains(&query))
        .take(MOST_HITS)
        .map(|institution| institution.json(filters.extras))
        .collect();
    Ok(json!({"institutions": hits}))
}

fn check_products(products: Option<&[String]>) -> Result<(), PlaidError> {
    match products
        .into_iter()
        .flatten()
        .find(|product| !products::is_known(product))
    {
        Some(unknown) => Err(PlaidError::invalid_field(format!(
            "products names no product: {unknown:?}"
        ))),
        None => Ok(()),
    }
}
