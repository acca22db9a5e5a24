//! The object `auth` of `/link/token/create`, and in which sessions account numbers can be typed:
//! <https://plaid.com/docs/auth/coverage/>.

use super::link_request::LinkRequest;
use crate::spec::error::refuse_if;
use crate::spec::guesses::{AuthTypeSelectAlone, DepositFlags, DepositRules};
use crate::spec::institutions::{HOUNDSTOOTH, WINDOWPANE};
use crate::spec::products::MANUAL_PRODUCTS;
use crate::spec::{Guesses, Institution, PlaidError};

fn is_on(flag: Option<bool>, guesses: &Guesses) -> bool {
    flag.unwrap_or(guesses.deposit_flags == DepositFlags::On)
}

impl LinkRequest {
    /// Deposits are made in the United States, and any other country beside it turns the flows off.
    fn is_american(&self) -> bool {
        self.country_codes == ["US"]
    }

    fn moves_money(&self) -> bool {
        let products = self.products();
        products
            .iter()
            .any(|product| MANUAL_PRODUCTS.contains(&&**product))
    }

    /// Whether the products are such that nobody has to log in for them.
    fn can_be_manual(&self) -> bool {
        let mut products = self.products().iter();
        self.moves_money() && products.all(|product| MANUAL_PRODUCTS.contains(&&**product))
    }

    /// Whether micro-deposits verify the numbers that are typed after a login at this bank.
    pub(crate) fn has_automated_deposits(&self, institution: &Institution, guesses: &Guesses) -> bool {
        institution.id == HOUNDSTOOTH
            && self.is_american()
            && self.moves_money()
            && is_on(self.auth.automated_microdeposits_enabled, guesses)
    }

    /// Whether typed numbers are compared with the bank's: yes, unless it is turned off.
    pub(crate) fn has_instant_match(&self, institution: &Institution) -> bool {
        institution.id == HOUNDSTOOTH
            && self.is_american()
            && self.products().iter().any(|product| product == "auth")
            && self.auth.instant_match_enabled != Some(false)
    }

    /// Whether account numbers alone are enough.
    pub(crate) fn has_same_day_deposits(&self, guesses: &Guesses) -> bool {
        self.is_american() && self.can_be_manual() && is_on(self.auth.same_day_microdeposits_enabled, guesses)
    }

    /// Whether deposits are waited for where they reach an account at once.
    pub(crate) fn has_instant_deposits(&self, guesses: &Guesses) -> bool {
        self.is_american() && self.can_be_manual() && is_on(self.auth.instant_microdeposits_enabled, guesses)
    }

    /// Whether this bank is one where nobody logs in, because deposits reach it at once.
    pub(crate) fn has_instant_deposits_at(&self, institution: &Institution, guesses: &Guesses) -> bool {
        institution.id == WINDOWPANE && self.has_instant_deposits(guesses)
    }

    /// Whether Link asks first how the person wants to connect.
    pub(crate) fn selects_auth_type(&self, guesses: &Guesses) -> bool {
        self.auth.auth_type_select_enabled == Some(true) && self.has_same_day_deposits(guesses)
    }

    /// The rules of the object `auth`.
    pub(crate) fn check_auth(&self, guesses: &Guesses) -> Result<(), PlaidError> {
        let flags = &self.auth;
        let same_day = is_on(flags.same_day_microdeposits_enabled, guesses);
        if flags.auth_type_select_enabled == Some(true) && !same_day {
            let why = "auth.auth_type_select_enabled needs auth.same_day_microdeposits_enabled";
            match guesses.auth_type_select_alone {
                AuthTypeSelectAlone::InvalidField => return Err(PlaidError::invalid_field(why)),
                AuthTypeSelectAlone::InvalidConfiguration => {
                    return Err(PlaidError::invalid_configuration(why));
                }
                AuthTypeSelectAlone::Ignored => {}
            }
        }
        if guesses.deposit_rules == DepositRules::NotOffered || self.access_token.is_some() {
            return Ok(());
        }
        let manual = flags.same_day_microdeposits_enabled == Some(true)
            || flags.instant_microdeposits_enabled == Some(true);
        let automated = flags.automated_microdeposits_enabled == Some(true);
        refuse_if(
            manual && !self.can_be_manual() || automated && !self.moves_money(),
            "products do not go with the micro-deposits that auth asks for",
        )?;
        refuse_if(
            (manual || automated) && !self.is_american(),
            "country_codes must be [\"US\"] for the micro-deposits that auth asks for",
        )?;
        Ok(())
    }
}
