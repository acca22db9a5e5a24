//! The four product lists of `/link/token/create`, and Plaid's rules for them.
//!
//! Sources: <https://plaid.com/docs/api/link/#linktokencreate> (the lists), and
//! <https://plaid.com/docs/errors/invalid-input/#invalid_product> (names that Link does not take).

use super::plaid::Environment;
use super::settings::Settings;
use super::values::names;

/// The defaults outside of production. `auth` is not in `products`, where it would filter accounts (see
/// [`AuthFilter`](super::AuthFilter)).
const DEFAULT_PRODUCTS: [&str; 1] = ["transactions"];
const DEFAULT_REQUIRED_IF_SUPPORTED: [&str; 4] = ["auth", "identity", "investments", "liabilities"];

/// The word for an empty list: an empty value counts as unset.
const NONE: &str = "none";

pub(super) const PRODUCTS: &str = "PLAID_PRODUCTS";
pub(super) const REQUIRED_IF_SUPPORTED: &str = "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS";
const OPTIONAL: &str = "PLAID_OPTIONAL_PRODUCTS";
const ADDITIONAL_CONSENTED: &str = "PLAID_ADDITIONAL_CONSENTED_PRODUCTS";

/// The names that Link may be started with, as Plaid's API description lists them.
const USABLE: [&str; 36] = [
    "assets",
    "auth",
    "balance_plus",
    "beacon",
    "cra_base_report",
    "cra_cashflow_insights",
    "cra_income_insights",
    "cra_lend_score",
    "cra_monitoring",
    "cra_network_insights",
    "cra_partner_insights",
    "cra_plaid_credit_score",
    "credit_details",
    "employment",
    "identity",
    "identity_match",
    "identity_verification",
    "income",
    "income_verification",
    "investments",
    "investments_auth",
    "layer",
    "liabilities",
    "pay_by_bank",
    "payment_initiation",
    "processor_identity",
    "processor_payments",
    "profile",
    "protect_linked_bank",
    "protect_transactions",
    "signal",
    "standing_orders",
    "statements",
    "transactions",
    "transactions_refresh",
    "transfer",
];

/// The four product lists of `/link/token/create`, checked to be disjoint. Names as Plaid spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductLists {
    /// `PLAID_PRODUCTS`: what every offered institution must support.
    pub products: Vec<String>,
    /// `PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS`.
    pub required_if_supported: Vec<String>,
    /// `PLAID_OPTIONAL_PRODUCTS`.
    pub optional: Vec<String>,
    /// `PLAID_ADDITIONAL_CONSENTED_PRODUCTS`.
    pub additional_consented: Vec<String>,
}

impl ProductLists {
    pub(super) fn read(settings: &mut Settings, environment: Option<Environment>) -> Self {
        let mut lists = Self {
            products: read_list(settings, PRODUCTS),
            required_if_supported: read_list(settings, REQUIRED_IF_SUPPORTED),
            optional: read_list(settings, OPTIONAL),
            additional_consented: read_list(settings, ADDITIONAL_CONSENTED),
        };
        if environment == Some(Environment::Production) {
            require_both(settings);
        } else if !settings.is_given(PRODUCTS) {
            lists.add_defaults(settings);
        }
        lists.check_overlaps(settings);
        lists.check_yield(settings);
        if let Some(cost) = lists.auth_filter() {
            let lines = cost.instead.join(" and ");
            settings.warn(format!("{} Set {lines} instead.", cost.found));
        }
        lists
    }

    /// Every listed product, strongest list first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let lists = self.named().into_iter();
        lists.flat_map(|(_, list)| list.iter().map(String::as_str))
    }

    /// Whether any of the lists has the product.
    #[must_use]
    pub fn contains(&self, product: &str) -> bool {
        self.all().any(|listed| listed == product)
    }

    /// Each list with the setting that it comes from.
    pub(crate) fn named(&self) -> [(&'static str, &[String]); 4] {
        [
            (PRODUCTS, &self.products),
            (REQUIRED_IF_SUPPORTED, &self.required_if_supported),
            (OPTIONAL, &self.optional),
            (ADDITIONAL_CONSENTED, &self.additional_consented),
        ]
    }

    /// What holds without `PLAID_PRODUCTS`. A product that another setting names is not added a second time.
    fn add_defaults(&mut self, settings: &mut Settings) {
        let unlisted = |defaults: &[&str]| -> Vec<String> {
            let unlisted = defaults.iter().filter(|product| !self.contains(product));
            unlisted.map(|product| (*product).to_owned()).collect()
        };
        let products = unlisted(&DEFAULT_PRODUCTS);
        let required_if_supported = unlisted(&DEFAULT_REQUIRED_IF_SUPPORTED);
        if products.is_empty() {
            settings.problem(
                PRODUCTS,
                "name at least one product: another list has its default, transactions",
            );
        }
        if !settings.is_given(REQUIRED_IF_SUPPORTED) {
            self.required_if_supported = required_if_supported;
        }
        self.products = products;
    }

    /// Plaid wants the four lists disjoint, each from each.
    fn check_overlaps(&self, settings: &mut Settings) {
        for (index, (later, list)) in self.named().into_iter().enumerate() {
            for (earlier, other) in self.named().into_iter().take(index) {
                for product in list.iter().filter(|product| other.contains(product)) {
                    let expected = format!("list a product only once: this one is in {earlier} as well");
                    settings.problem_with(later, product, &expected);
                }
            }
        }
    }

    /// The broker's work ends with an Item's access token, so Link must be started with something that makes one.
    fn check_yield(&self, settings: &mut Settings) {
        let all = self.named();
        let initiates = |list: &[String]| list.iter().any(|product| product == "payment_initiation");
        if let Some((name, _)) = all.into_iter().find(|(_, list)| initiates(list)) {
            settings.problem_with(
                name,
                "payment_initiation",
                "remove it: Plaid wants it alone, and alone it gives no public token and so no access token",
            );
            return;
        }
        let without_token: Vec<_> = self
            .products
            .iter()
            .filter_map(|product| Some((product, no_token(product)?)))
            .collect();
        if let Some((product, reason)) = without_token.first()
            && without_token.len() == self.products.len()
        {
            let expected =
                format!("add a product that opens a bank account, such as auth or transactions: {reason}");
            settings.problem_with(PRODUCTS, product, &expected);
            return;
        }
        for (name, list) in all {
            for product in list.iter().filter(|product| no_token(product).is_some()) {
                settings.warn(format!(
                    "{name} has {product}, for which Plaid wants settings that the broker does not send; Link will \
                     probably refuse to start."
                ));
            }
        }
    }
}

/// In production there are no defaults: Plaid bills every product that an Item supports when it is created.
fn require_both(settings: &mut Settings) {
    for (name, expected) in [
        (
            PRODUCTS,
            "name the products that every connection must have: in production each one is billed, so there is no default \
             (for example transactions)",
        ),
        (
            REQUIRED_IF_SUPPORTED,
            "name the products to add where the bank and the account support them, or write none: in production each one \
             is billed, so there is no default (for example auth,identity,investments,liabilities)",
        ),
    ] {
        if !settings.is_given(name) {
            settings.problem(name, expected);
        }
    }
}

fn read_list(settings: &mut Settings, name: &'static str) -> Vec<String> {
    let given: Vec<String> = settings
        .text(name)
        .map(|text| names(text).map(str::to_ascii_lowercase).collect())
        .unwrap_or_default();
    let is_none = given.iter().any(|product| product == NONE);
    match name {
        PRODUCTS if is_none || (given.is_empty() && settings.text(name).is_some()) => {
            settings.problem(name, "name at least one product: Plaid Link cannot start without");
        }
        REQUIRED_IF_SUPPORTED if given.is_empty() && settings.text(name).is_some() => {
            settings.problem(name, "name at least one product, or write none");
        }
        _ if is_none && given.len() > 1 => {
            settings.problem_with(name, NONE, "write none alone, or remove it");
        }
        _ => {}
    }
    if is_none {
        return Vec::new();
    }
    let mut products: Vec<String> = Vec::new();
    for product in given {
        if products.contains(&product) {
            settings.problem_with(name, &product, "remove the duplicate");
        } else if let Some(reason) = unusable(&product) {
            settings.problem_with(name, &product, reason);
        } else {
            products.push(product);
        }
    }
    products
}

/// Whether this is a product that Link may be started with: what `scope` can name.
#[must_use]
pub fn is_product(name: &str) -> bool {
    USABLE.contains(&name)
}

/// Why Link cannot be started with this name; `None`: it can.
fn unusable(product: &str) -> Option<&'static str> {
    match product {
        "balance" => {
            Some("remove it: Balance cannot start Link and comes with every other product by itself")
        }
        "recurring_transactions" => Some("use transactions: recurring transactions come with it"),
        "investments_refresh" => Some("use investments: its refresh is a call for connections that have it"),
        "monitor" => Some("remove it: Monitor screens people without Link"),
        _ if USABLE.contains(&product) => None,
        _ => {
            Some("is no product of Plaid; the names are at https://plaid.com/docs/api/link/#linktokencreate")
        }
    }
}

/// Why this product alone ends without an access token; `None`: it ends with one, as far as Plaid says.
pub(super) fn no_token(product: &str) -> Option<&'static str> {
    match product {
        "identity_verification" => {
            Some("Identity Verification alone looks at documents and opens no account")
        }
        "income" | "income_verification" | "employment" => {
            Some("income and employment alone read payrolls and documents and give no access token to a bank")
        }
        _ if product.starts_with("cra_") => {
            Some("Plaid Check alone makes reports about a user and no access token")
        }
        _ => None,
    }
}
