//! What `auth` in `products` costs: Link then offers only checking, savings and cash management accounts. In the other
//! lists it has no such effect.
//!
//! Source: <https://plaid.com/docs/api/link/#link-token-create-request-account-filters>.

use super::products::{ProductLists, no_token};
use super::settings::{PLAID_PRODUCTS, PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS};

/// The product that filters accounts.
const AUTH: &str = "auth";
/// Products of accounts that `auth` hides, each with Link's error when no offered account has it
/// (<https://plaid.com/docs/errors/item/>).
const HIDDEN: [(&str, &str); 3] = [
    ("investments", "NO_INVESTMENT_ACCOUNTS"),
    ("investments_auth", "NO_INVESTMENT_ACCOUNTS"),
    ("liabilities", "NO_LIABILITY_ACCOUNTS"),
];
/// What `required_if_supported_products` accepts, according to Plaid's API description.
const REQUIRABLE: &str = "auth identity investments liabilities protect_linked_bank protect_transactions signal statements \
     transactions";

/// Products that cannot be shared, and the settings that avoid it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFilter {
    /// What these lists cost, in sentences.
    pub found: String,
    /// Whether people cannot even finish Link, as such a product is in `products`.
    pub ends_link: bool,
    /// The lines to use instead, as in `.env`.
    pub instead: Vec<String>,
}

impl ProductLists {
    /// Whether Link offers only checking, savings and cash management accounts.
    #[must_use]
    pub fn offers_only_auth_accounts(&self) -> bool {
        self.products.iter().any(|product| product == AUTH)
    }

    /// Whether people can share the data of the product with these lists: it is listed, and Link offers accounts that
    /// have it.
    #[must_use]
    pub fn delivers(&self, product: &str) -> bool {
        self.contains(product) && !(self.offers_only_auth_accounts() && error_of(product).is_some())
    }

    /// The listed products of accounts that Link does not offer.
    fn hidden(&self) -> Vec<&str> {
        self.all().filter(|product| !self.delivers(product)).collect()
    }

    /// What `auth` in `products` costs; `None`: nothing that is listed.
    #[must_use]
    pub fn auth_filter(&self) -> Option<AuthFilter> {
        let hidden = self.hidden();
        if hidden.is_empty() {
            return None;
        }
        let mut errors: Vec<&str> = self
            .products
            .iter()
            .filter_map(|product| error_of(product))
            .collect();
        errors.dedup();
        let ends = if errors.is_empty() {
            String::new()
        } else {
            let errors = errors.join(" or ");
            format!(", and Link itself can end with {errors} before anything is connected")
        };
        let found = format!(
            "auth is in {}, so Plaid Link offers only checking, savings and cash management accounts: people \
             cannot share accounts with {}{ends}.",
            PLAID_PRODUCTS.name,
            hidden.join(" and ")
        );
        // A product that is required already and hides nothing, else one that nearly every account has. None of the other
        // lists: what is optional there must not become a condition.
        let mut required = self.products.iter().map(String::as_str);
        let first = required
            .find(|product| *product != AUTH && error_of(product).is_none() && no_token(product).is_none());
        let instead = self.with_only(first.unwrap_or("transactions"));
        let lines = instead.named().into_iter().zip(self.named());
        let always = [PLAID_PRODUCTS.name, PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS.name];
        let changed = lines.filter(|((list, new), (_, old))| always.contains(&list.name) || new != old);
        let instead = changed
            .map(|((list, products), _)| format!("{}={}", list.name, products.join(",")))
            .collect();
        Some(AuthFilter {
            found,
            ends_link: !errors.is_empty(),
            instead,
        })
    }

    /// The listed product that leaves most accounts and banks to choose from, for a list that needs at least one.
    #[must_use]
    pub fn least_demanding(&self) -> Option<&str> {
        self.all().min_by_key(|product| match *product {
            _ if no_token(product).is_some() => 3,
            AUTH => 2,
            _ if error_of(product).is_some() => 1,
            _ => 0,
        })
    }

    /// The same products with `first` in `products`, and beside it only what the other lists do not accept.
    #[must_use]
    pub fn with_only(&self, first: &str) -> Self {
        let mut lists = self.clone();
        lists.move_to_products(first);
        let (moved, kept): (Vec<_>, Vec<_>) = lists.products.drain(..).partition(|product| {
            product != first && REQUIRABLE.split(' ').any(|requirable| requirable == product)
        });
        lists.products = kept;
        lists.required_if_supported.splice(..0, moved);
        lists
    }

    /// The same products, with `auth` moved to where it hides no accounts if another product needs them, and unless the
    /// lists are as configured also if any other product is beside it in `products`. Link needs a product in `products`:
    /// when none is left there, the least demanding one moves there.
    #[must_use]
    pub fn without_hidden_accounts(mut self, as_configured: bool) -> Self {
        let beside_others = self.offers_only_auth_accounts() && self.products.len() > 1;
        if !self.hidden().is_empty() || (beside_others && !as_configured) {
            self.products.retain(|product| product != AUTH);
            self.required_if_supported.insert(0, AUTH.to_owned());
        }
        if self.products.is_empty()
            && let Some(first) = self.least_demanding().map(str::to_owned)
        {
            self.move_to_products(&first);
        }
        self
    }

    fn move_to_products(&mut self, product: &str) {
        if self.products.iter().any(|listed| listed == product) {
            return;
        }
        for list in [
            &mut self.required_if_supported,
            &mut self.optional,
            &mut self.additional_consented,
        ] {
            list.retain(|listed| listed != product);
        }
        self.products.insert(0, product.to_owned());
    }
}

/// Link's error when `auth` has left no account with the product; `None`: such accounts can have it.
fn error_of(product: &str) -> Option<&'static str> {
    let mut hidden = HIDDEN.into_iter();
    hidden.find_map(|(name, error)| (name == product).then_some(error))
}
