//! What the person lets be done with an Item: the permission that was taken back, and consent to more.

use super::{Item, Stage};
use crate::items::LinkRequest;
use crate::spec::guesses::PermissionRevoked;
use crate::spec::{Guesses, PlaidError, products};

/// The products that update mode adds to an Item; with others in `products` it only looks whether the Item could have
/// them (<https://plaid.com/docs/api/link/#link-token-create-request-products>).
const ADDED_BY_UPDATES: &[&str] = &["assets", "statements", "income_verification", "employment"];

impl Item {
    /// Refuses whatever is asked of an Item whose permission the person took back.
    pub(crate) fn permitted(&self, guesses: &Guesses) -> Result<(), PlaidError> {
        if self.stage == Stage::Revoked {
            Err(revoked(guesses))
        } else {
            Ok(())
        }
    }

    /// The person agreed to what a link token of update mode asks for
    /// (<https://plaid.com/docs/link/update-mode/#requesting-additional-consented-products-accounts-permissions-or-use-cases>).
    pub(crate) fn widen(&mut self, request: &LinkRequest) {
        let had_transactions = self.has("transactions");
        let institution = self.draft.institution;
        let supported = |names: &[String]| {
            let mut names = products::of_names(names);
            names.retain(|product| institution.supports(product));
            names
        };
        for product in supported(request.products()) {
            if ADDED_BY_UPDATES.contains(&product) && !self.has(product) {
                self.draft.products.push(product);
            }
        }
        self.draft
            .consented_products
            .extend(supported(request.additional_consented()));
        let on_item = self.draft.products.clone();
        let mut consented = Vec::new();
        for product in std::mem::take(&mut self.draft.consented_products) {
            if !on_item.contains(&product) && !consented.contains(&product) {
                consented.push(product);
            }
        }
        self.draft.consented_products = consented;
        let source = &mut self.draft.source;
        if let Some(period) = request.statements {
            source.statements = Some((period.start_date.0, period.end_date.0));
        }
        let days = request.transactions.and_then(|asked| asked.days_requested);
        if !had_transactions && days.is_some() {
            source.days_requested = days;
        }
    }
}

/// The error of a permission that was taken back.
pub(super) fn revoked(guesses: &Guesses) -> PlaidError {
    PlaidError::user_permission_revoked(match guesses.permission_revoked {
        PermissionRevoked::InvalidInput => "INVALID_INPUT",
        PermissionRevoked::ItemError => "ITEM_ERROR",
    })
}
