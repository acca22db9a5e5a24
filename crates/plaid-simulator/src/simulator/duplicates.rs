//! Duplicate Items (<https://plaid.com/docs/link/duplicate-items/>): one login, linked twice.
//!
//! Most banks let both Items live, and a caller recognizes them by institution and accounts, or by `persistent_account_id`.
//! Chase, PNC and Charles Schwab end the older one's login when the newer one has other accounts
//! (<https://plaid.com/docs/link/oauth/>).

use crate::items::{Draft, State};
use crate::simulator::Simulator;
use crate::spec::guesses::DuplicateItems;
use crate::spec::institutions::Trait;
use crate::spec::{Institution, PlaidError};
use crate::webhooks::Webhook;
use plaid_token_broker_core::clock::Timestamp;

impl Simulator {
    /// A public token for an Item to be; `of_session` when Link made it. An Item that this one replaces at its bank
    /// asks for a login from now on, and its webhook says so.
    pub(crate) fn new_public_token(
        &self,
        state: &mut State,
        draft: Draft,
        of_session: bool,
        now: Timestamp,
    ) -> String {
        if replaces(draft.institution, self.switches().guesses.duplicate_items) {
            for item in state.items_mut().filter(|item| item.is_replaced_by(&draft)) {
                if item.reset_login(now).is_ok() {
                    let webhook = Webhook::item_error(&PlaidError::item_login_required());
                    self.send_webhook(item, webhook, now);
                }
            }
        }
        state.new_public_token(draft, of_session, now)
    }
}

fn replaces(institution: &Institution, banks: DuplicateItems) -> bool {
    match banks {
        DuplicateItems::NamedBanks => institution.replaces_duplicates,
        DuplicateItems::OAuthBanks => institution.special == Trait::OAuth,
        DuplicateItems::Kept => false,
    }
}
