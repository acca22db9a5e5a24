//! The four product lists of `/link/token/create`, and Plaid's rules for them.
//!
//! Sources: <https://plaid.com/docs/api/link/#linktokencreate> (the lists), and
//! <https://plaid.com/docs/errors/invalid-input/#invalid_product> (names that Link does not take).

use super::choices::Environment;
use super::settings::{self, PLAID_PRODUCTS, PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS};
use super::values::Values;
use super::variable::{Setting, Variable};

/// The word for an empty list: an empty value counts as unset.
const NONE: &str = "none";

const REQUIRED_IN_PRODUCTION: [(&Variable, &str); 2] = [
    (
        PLAID_PRODUCTS.variable,
        "name the products that every connection must have: in production each one is billed, so there is no default (for \
         example transactions)",
    ),
    (
        PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS.variable,
        "name the products to add where the bank and the account support them, or write none: in production each one is \
         billed, so there is no default (for example auth,identity,investments,liabilities)",
    ),
];

/// The names that Link may be started with, as Plaid's API description lists them.
const USABLE: &str = "assets auth balance_plus beacon cra_base_report cra_cashflow_insights cra_income_insights \
     cra_lend_score cra_monitoring cra_network_insights cra_partner_insights cra_plaid_credit_score \
     credit_details employment identity identity_match identity_verification income income_verification \
     investments investments_auth layer liabilities pay_by_bank payment_initiation processor_identity \
     processor_payments profile protect_linked_bank protect_transactions signal standing_orders \
     statements transactions transactions_refresh transfer";

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
    pub(super) fn read(values: &mut Values, environment: Option<Environment>) -> Self {
        let mut lists = Self {
            products: read_list(values, &PLAID_PRODUCTS),
            required_if_supported: read_list(values, &PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS),
            optional: read_list(values, &settings::PLAID_OPTIONAL_PRODUCTS),
            additional_consented: read_list(values, &settings::PLAID_ADDITIONAL_CONSENTED_PRODUCTS),
        };
        if environment == Some(Environment::Production) {
            // Plaid bills every product that an Item supports when it is created.
            for (list, expected) in REQUIRED_IN_PRODUCTION {
                if !values.is_given(list) {
                    values.problem(list, expected);
                }
            }
        } else if !values.is_given(&PLAID_PRODUCTS) {
            lists.add_defaults(values);
        }
        lists.check_overlaps(values);
        lists.check_yield(values);
        if let Some(cost) = lists.auth_filter() {
            let lines = cost.instead.join(" and ");
            values.warn(format!("{} Set {lines} instead.", cost.found));
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
    pub(crate) fn named(&self) -> [(&'static Variable, &[String]); 4] {
        [
            (PLAID_PRODUCTS.variable, &self.products),
            (
                PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS.variable,
                &self.required_if_supported,
            ),
            (settings::PLAID_OPTIONAL_PRODUCTS.variable, &self.optional),
            (
                settings::PLAID_ADDITIONAL_CONSENTED_PRODUCTS.variable,
                &self.additional_consented,
            ),
        ]
    }

    /// What holds without `PLAID_PRODUCTS`. A product that another setting names is not added a second time.
    fn add_defaults(&mut self, values: &mut Values) {
        let unlisted = |list: &Setting<Vec<String>>| -> Vec<String> {
            let defaults = list.default().into_iter();
            defaults.filter(|product| !self.contains(product)).collect()
        };
        let (products, required_if_supported) = (
            unlisted(&PLAID_PRODUCTS),
            unlisted(&PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS),
        );
        if products.is_empty() {
            values.problem(
                &PLAID_PRODUCTS,
                "name at least one product: another list has its default, transactions",
            );
        }
        if !values.is_given(&PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS) {
            self.required_if_supported = required_if_supported;
        }
        self.products = products;
    }

    /// Plaid wants the four lists disjoint, each from each.
    fn check_overlaps(&self, values: &mut Values) {
        for (index, (later, list)) in self.named().into_iter().enumerate() {
            for (earlier, other) in self.named().into_iter().take(index) {
                for product in list.iter().filter(|product| other.contains(product)) {
                    let expected = format!(
                        "list a product only once: this one is in {} as well",
                        earlier.name
                    );
                    values.problem_with(later, product, &expected);
                }
            }
        }
    }

    /// The broker's work ends with an Item's access token, so Link must be started with something that makes one.
    fn check_yield(&self, values: &mut Values) {
        let all = self.named();
        let initiates = |list: &[String]| list.iter().any(|product| product == "payment_initiation");
        if let Some((list, _)) = all.into_iter().find(|(_, products)| initiates(products)) {
            values.problem_with(
                list,
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
            values.problem_with(&PLAID_PRODUCTS, product, &expected);
            return;
        }
        for (list, products) in all {
            for product in products.iter().filter(|product| no_token(product).is_some()) {
                values.warn(format!(
                    "{} has {product}, for which Plaid wants settings that the broker does not send; Link will \
                     probably refuse to start.",
                    list.name
                ));
            }
        }
    }
}

fn read_list(values: &mut Values, list: &Setting<Vec<String>>) -> Vec<String> {
    let Some(given) = values.optional(list) else {
        return Vec::new();
    };
    let given: Vec<String> = given.iter().map(|product| product.to_ascii_lowercase()).collect();
    let is_none = given.iter().any(|product| product == NONE);
    match list.name {
        name if name == PLAID_PRODUCTS.name && (is_none || given.is_empty()) => {
            values.problem(list, "name at least one product: Plaid Link cannot start without");
        }
        name if name == PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS.name && given.is_empty() => {
            values.problem(list, "name at least one product, or write none");
        }
        _ if is_none && given.len() > 1 => values.problem_with(list, NONE, "write none alone, or remove it"),
        _ => {}
    }
    if is_none {
        return Vec::new();
    }
    let mut products: Vec<String> = Vec::new();
    for product in given {
        let duplicate = products.contains(&product).then_some("remove the duplicate");
        match duplicate.or_else(|| unusable(&product)) {
            Some(expected) => values.problem_with(list, &product, expected),
            None => products.push(product),
        }
    }
    products
}

/// Whether this is a product that Link may be started with: what `scope` can name.
#[must_use]
pub fn is_product(name: &str) -> bool {
    USABLE.split(' ').any(|usable| usable == name)
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
        _ if is_product(product) => None,
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
