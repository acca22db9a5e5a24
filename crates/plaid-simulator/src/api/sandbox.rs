//! `/sandbox/…`: <https://plaid.com/docs/api/sandbox/>.

use jiff::civil::Date;

use super::item::OfItem;
use super::link_token::check_known_user;
use super::link_token_rules::callers_today;
use super::prelude::*;
use crate::data::accounts::account_number;
use crate::data::calendar::{Day, number_of};
use crate::data::deposits::{self, Deposit, Method, Numbers};
use crate::data::test_users::{Login, log_in};
use crate::data::{Person, Source, accounts};
use crate::items::Draft;
use crate::items::link_request::Period;
use crate::spec::guesses::{AuthAccounts, SandboxDeposits, SandboxNotInitial, SandboxUnsupported};
use crate::spec::products::{self, MANUAL_PRODUCTS};
use crate::spec::{Guesses, Institution, ids, institutions};
use crate::webhooks::Webhook;

request! {
    pub(super) struct PublicTokenCreate {
        required institution_id: TEXT => String,
        required initial_products: some(&TEXT) => Vec<String>,
        optional options: PublicTokenOptions::OBJECT => PublicTokenOptions,
        optional user_token: TEXT => Option<String>,
        optional user_id: TEXT => Option<String>,
    }

    pub(super) struct PublicTokenOptions {
        optional webhook: Kind::Url => Option<String>,
        nullable override_username: TEXT => Option<String>,
        nullable override_password: TEXT => Option<String>,
        nullable transactions: Transactions::OBJECT => Option<Transactions>,
        nullable statements: Period::OBJECT => Option<Period>,
        optional income_verification: Kind::Object(fields! {
            optional income_source_types: list(&Kind::OneOf(&["bank", "payroll"])),
            optional bank_income: Kind::Object(fields! { optional days_requested: int(1, 730), }),
        }),
    }

    /// Which transactions the Item brings.
    pub(super) struct Transactions {
        optional start_date: Kind::Date => Option<Day>,
        optional end_date: Kind::Date => Option<Day>,
        optional days_requested: int(1, 730) => Option<u16>,
    }
}

impl Transactions {
    /// The days to go back: those that were requested, or as many as `start_date` needs.
    fn days_requested(&self, today: Date) -> Option<u16> {
        let since = |start: Day| (number_of(today) - number_of(start.0)).clamp(1, 730);
        self.days_requested
            .or_else(|| u16::try_from(self.start_date.map(since)?).ok())
    }
}

/// `/sandbox/public_token/create`
pub(super) fn public_token_create(call: &Call<'_>, request: PublicTokenCreate) -> Result<Value, PlaidError> {
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
    if let Some(flaw) = request
        .options
        .statements
        .and_then(|period| period.flaw(callers_today(call)))
    {
        return Err(PlaidError::invalid_field(format!("options.statements: {flaw}")));
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
    let deposit = deposit(institution, username, password, &wanted, &call.guesses);
    if deposit.is_none()
        && let Login::Refused(error) = log_in(username, password, &call.guesses)
    {
        return Err(error);
    }
    let person = Person::of(username, password, &call.guesses);
    let fitting = call.guesses.auth_accounts == AuthAccounts::Fitting;
    let auth = wanted.iter().any(|product| product == "auth");
    let accounts = (fitting && auth).then(|| {
        let offered = accounts::offered(person.accounts(), true, None);
        offered.map(|account| account.key).collect()
    });
    let accounts = if deposit.is_some() {
        Some(vec![DEPOSIT_ACCOUNT])
    } else {
        accounts
    };
    let asked = request.options.transactions.unwrap_or_default();
    let mut state = call.simulator.state();
    let user = (request.user_id.as_deref(), request.user_token.as_deref());
    check_known_user(user, call, &state)?;
    let days_requested = asked.days_requested(call.today());
    let draft = Draft {
        item_id: ids::new_item_id().into(),
        client_id: call.client_id.clone(),
        institution,
        products: products::of_names(&wanted),
        consented_products: Vec::new(),
        auth_hides_accounts: auth,
        webhook: request.options.webhook,
        login: None,
        deposit,
        source: Source {
            person,
            days_requested,
            transactions: (asked.start_date, asked.end_date),
            statements: request
                .options
                .statements
                .map(|period| (period.start_date.0, period.end_date.0)),
        },
        accounts,
    };
    state.note_user(&draft.client_id, &draft.item_id, user);
    let public_token = call
        .simulator
        .new_public_token(&mut state, draft, false, call.now);
    Ok(json!({"public_token": public_token}))
}

/// The account of `user_good` whose numbers Plaid's test guide has for automated micro-deposits.
const DEPOSIT_ACCOUNT: &str = "0000";

/// What the login of automated micro-deposits would have typed into Link.
fn deposit(
    institution: &Institution,
    username: &str,
    password: &str,
    products: &[String],
    guesses: &Guesses,
) -> Option<Deposit> {
    let wanted = guesses.sandbox_deposits == SandboxDeposits::Pending
        && deposits::is_login(institution, username, password)
        && products
            .iter()
            .any(|product| MANUAL_PRODUCTS.contains(&&**product));
    let account = accounts::ALL
        .iter()
        .find(|account| account.key == DEPOSIT_ACCOUNT)?;
    let numbers = Numbers::typed(deposits::ROUTING_NUMBER, &account_number(account));
    wanted.then(|| Deposit::new(Method::Automated, DEPOSIT_ACCOUNT, numbers, None))
}

/// `/sandbox/item/reset_login`
pub(super) fn reset_login(call: &Call<'_>, request: OfItem) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    item.reset_login(call.now)?;
    let webhook = Webhook::item_error(&PlaidError::item_login_required());
    call.simulator.send_webhook(item, webhook, call.now);
    Ok(json!({"reset_login": true}))
}
