//! `/sandbox/…`: <https://plaid.com/docs/api/sandbox/>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::item::OfItem;
use crate::simulator::data::Source;
use crate::simulator::data::person::Person;
use crate::simulator::error::PlaidError;
use crate::simulator::fields::{Field, Kind, TEXT, nullable, optional, required};
use crate::simulator::guesses::{AuthAccounts, SandboxNotInitial, SandboxUnsupported};
use crate::simulator::item::Draft;
use crate::simulator::link_token::{Period, TransactionsRequest};
use crate::simulator::products;
use crate::simulator::test_users::{Login, log_in};
use crate::simulator::webhook::Webhook;
use crate::simulator::{accounts, ids, institutions};

const DAYS_REQUESTED: Kind = Kind::Integer { min: 1, max: 730 };

pub(super) const PUBLIC_TOKEN_CREATE: &[Field] = &[
    required("institution_id", TEXT),
    required("initial_products", Kind::List { of: &TEXT, min: 1 }),
    optional(
        "options",
        Kind::Object(&[
            optional("webhook", Kind::Url),
            nullable("override_username", TEXT),
            nullable("override_password", TEXT),
            nullable(
                "transactions",
                Kind::Object(&[
                    optional("start_date", Kind::Date),
                    optional("end_date", Kind::Date),
                    optional("days_requested", DAYS_REQUESTED),
                ]),
            ),
            optional(
                "statements",
                Kind::Object(&[
                    required("start_date", Kind::Date),
                    required("end_date", Kind::Date),
                ]),
            ),
            optional(
                "income_verification",
                Kind::Object(&[
                    optional(
                        "income_source_types",
                        Kind::List {
                            of: &Kind::OneOf(&["bank", "payroll"]),
                            min: 0,
                        },
                    ),
                    optional(
                        "bank_income",
                        Kind::Object(&[optional("days_requested", DAYS_REQUESTED)]),
                    ),
                ]),
            ),
        ]),
    ),
    optional("user_token", TEXT),
    optional("user_id", TEXT),
];

#[derive(Deserialize)]
struct PublicTokenCreate {
    institution_id: String,
    initial_products: Vec<String>,
    #[serde(default)]
    options: PublicTokenOptions,
}

#[derive(Default, Deserialize)]
struct PublicTokenOptions {
    webhook: Option<String>,
    override_username: Option<String>,
    override_password: Option<String>,
    statements: Option<Period>,
    transactions: Option<TransactionsRequest>,
}

/// `/sandbox/public_token/create`
pub(super) fn public_token_create(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: PublicTokenCreate = call.take()?;
    let institution =
        institutions::by_id(&request.institution_id).ok_or_else(PlaidError::invalid_institution)?;
    let wanted = request.initial_products;
    if let Some(unknown) = wanted.iter().find(|product| !products::is_known(product)) {
        return Err(PlaidError::invalid_field(format!(
            "initial_products names no product: {unknown:?}"
        )));
    }
    products::check_initial(&wanted).map_err(|error| match call.guesses.sandbox_not_initial {
        SandboxNotInitial::InvalidProduct => error,
        SandboxNotInitial::InvalidField => PlaidError::invalid_field(error.message),
    })?;
    call.simulator.check_enabled(&call.client_id, &wanted)?;
    if let Some(product) = wanted.iter().find(|product| !institution.supports(product)) {
        let error = PlaidError::products_not_supported(product);
        return Err(match call.guesses.sandbox_unsupported {
            SandboxUnsupported::ProductsNotSupported => error,
            SandboxUnsupported::InvalidProduct => PlaidError::invalid_product(error.message),
            SandboxUnsupported::InvalidField => PlaidError::invalid_field(error.message),
        });
    }
    if wanted.iter().any(|product| product == "statements") && request.options.statements.is_none() {
        return Err(PlaidError::missing_fields(&["options.statements".to_owned()]));
    }
    let username = request
        .options
        .override_username
        .as_deref()
        .unwrap_or("user_good");
    let password = request
        .options
        .override_password
        .as_deref()
        .unwrap_or("pass_good");
    if let Login::Refused(error) = log_in(username, password, &call.guesses) {
        return Err(error);
    }
    let person = Person::of(username, password, &call.guesses);
    let fitting = call.guesses.auth_accounts == AuthAccounts::Fitting;
    let accounts = (fitting && wanted.iter().any(|product| product == "auth")).then(|| {
        let offered = accounts::offered(person.accounts(), true, None);
        offered.map(|account| account.key).collect()
    });
    let draft = Draft {
        item_id: ids::new_item_id().into(),
        client_id: call.client_id,
        institution,
        products: products::of_names(&wanted),
        consented_products: Vec::new(),
        webhook: request.options.webhook,
        login: None,
        source: Source {
            person,
            days_requested: request
                .options
                .transactions
                .and_then(|asked| asked.days_requested),
            statements: request
                .options
                .statements
                .map(|period| (period.start_date.0, period.end_date.0)),
        },
        accounts,
    };
    let mut state = call.simulator.state();
    let public_token = call
        .simulator
        .new_public_token(&mut state, draft, false, call.now);
    Ok(json!({"public_token": public_token}))
}

pub(super) const RESET_LOGIN: &[Field] = &[required("access_token", TEXT)];

/// `/sandbox/item/reset_login`
pub(super) fn reset_login(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: OfItem = call.take()?;
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    item.reset_login(call.now)?;
    let webhook = Webhook::item_error(&PlaidError::item_login_required());
    call.simulator.send_webhook(item, webhook, call.now);
    Ok(json!({"reset_login": true}))
}
