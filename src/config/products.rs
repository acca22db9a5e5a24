//! The four product lists of `/link/token/create`, and Plaid's rules for them.
//!
//! Sources: <https://plaid.com/docs/api/link/#linktokencreate> (the lists), and
//! <https://plaid.com/docs/errors/invalid-input/#invalid_product> (names that Link does not take).

use super::plaid::Environment;
use super::settings::Settings;
use super::values::list;

/// What holds without `PLAID_PRODUCTS`, except in production.
const DEFAULT: [&str; 5] = ["auth", "transactions", "identity", "investments", "liabilities"];

const PRODUCTS: &str = "PLAID_PRODUCTS";
const REQUIRED_IF_SUPPORTED: &str = "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS";
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
        let lists = Self {
            products: read_products(settings, environment),
            required_if_supported: read_list(settings, REQUIRED_IF_SUPPORTED),
            optional: read_list(settings, OPTIONAL),
            additional_consented: read_list(settings, ADDITIONAL_CONSENTED),
        };
        lists.check_overlaps(settings);
        lists.check_yield(settings);
        lists
    }

    /// Whether the product stands in any of the lists.
    pub(super) fn contains(&self, product: &str) -> bool {
        self.named()
            .iter()
            .any(|(_, list)| list.iter().any(|listed| listed == product))
    }

    fn named(&self) -> [(&'static str, &[String]); 4] {
        [
            (PRODUCTS, &self.products),
            (REQUIRED_IF_SUPPORTED, &self.required_if_supported),
            (OPTIONAL, &self.optional),
            (ADDITIONAL_CONSENTED, &self.additional_consented),
        ]
    }

    /// Plaid wants the four lists disjoint, each from each.
    fn check_overlaps(&self, settings: &mut Settings) {
        let by_default = if settings.is_given(PRODUCTS) {
            ""
        } else {
            ", which has its default value"
        };
        for (index, (later, list)) in self.named().into_iter().enumerate() {
            for (earlier, other) in self.named().into_iter().take(index) {
                let note = if earlier == PRODUCTS { by_default } else { "" };
                for product in list.iter().filter(|product| other.contains(product)) {
                    let expected =
                        format!("a product stands in one list only: this one is also in {earlier}{note}");
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

fn read_products(settings: &mut Settings, environment: Option<Environment>) -> Vec<String> {
    if settings.is_given(PRODUCTS) {
        let products = read_list(settings, PRODUCTS);
        if settings
            .text(PRODUCTS)
            .is_some_and(|text| list(text).next().is_none())
        {
            settings.problem(
                PRODUCTS,
                "name at least one product: the other lists only add to it",
            );
        }
        return products;
    }
    if environment == Some(Environment::Production) {
        settings.problem(
            PRODUCTS,
            "name the products you need: in production each one is billed, so there is no default (for example auth,transactions)",
        );
        return Vec::new();
    }
    DEFAULT.map(str::to_owned).to_vec()
}

fn read_list(settings: &mut Settings, name: &'static str) -> Vec<String> {
    let given: Vec<String> = settings
        .text(name)
        .map(|text| list(text).map(str::to_ascii_lowercase).collect())
        .unwrap_or_default();
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
fn no_token(product: &str) -> Option<&'static str> {
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
