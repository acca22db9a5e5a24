//! What a person's accounts are for, and how much may pass through them: balances are published figures, so what is
//! spent and paid has to fit them, at whatever moment they are looked at.

use super::{Account, Money, Person, loan};

/// The parts that the accounts play.
#[derive(Clone, Copy, Debug)]
pub(super) struct Household<'a> {
    person: &'a Person,
    /// Wages come to it, and bills are paid from it.
    pub(super) main: Option<&'a Account>,
    /// Takes what is left on `main`, and lends what is missing there; without one an account elsewhere does.
    pub(super) reserve: Option<&'a Account>,
    main_is_tight: bool,
}

/// Wages and bills go through these.
pub(super) fn is_current(account: &Account) -> bool {
    account.kind == "depository"
        && matches!(
            &*account.subtype,
            "checking" | "cash management" | "prepaid" | "paypal"
        )
}

impl<'a> Household<'a> {
    pub(super) fn of(person: &'a Person) -> Self {
        let mut household = Self {
            person,
            main: None,
            reserve: None,
            main_is_tight: false,
        };
        household.main = household.lived_in().find(|account| is_current(account));
        let wage = person.persona().payroll.1;
        // Two years of what is left of the wages have to be on it.
        household.reserve = household
            .lived_in()
            .find(|account| account.subtype == "money market" && account.current >= wage.times_whole(24));
        household.main_is_tight = household
            .main
            .is_some_and(|main| main.current < household.two_weeks() + household.own_income(main));
        household
    }

    /// The accounts whose movements are made up, and not listed by a custom user.
    pub(super) fn lived_in(&self) -> impl Iterator<Item = &'a Account> + use<'a> {
        let household = *self;
        let accounts = household.person.accounts().iter();
        accounts.filter(move |account| household.is_lived_in(account))
    }

    pub(super) fn is_lived_in(&self, account: &Account) -> bool {
        let own = self.person.override_of(account);
        own.is_none_or(|own| own.transactions.is_none())
    }

    pub(super) fn is_main(&self, account: &Account) -> bool {
        self.main.is_some_and(|main| main.key == account.key)
    }

    pub(super) fn is_reserve(&self, account: &Account) -> bool {
        self.reserve.is_some_and(|reserve| reserve.key == account.key)
    }

    /// Who has a mortgage does not rent.
    pub(super) fn pays_rent(&self) -> bool {
        !self.lived_in().any(|account| account.subtype == "mortgage")
    }

    /// Whether two weeks' bills are more than the balance has: then each is covered from elsewhere on its day.
    pub(super) fn is_tight(&self, account: &Account) -> bool {
        !self.is_main(account) || self.main_is_tight
    }

    /// What two weeks may bring of bills.
    fn two_weeks(&self) -> Money {
        const UTILITIES: Money = Money::whole(200);
        let persona = self.person.persona();
        let bills = self.lived_in().map(|account| match account.kind {
            "credit" => self.card_week(account).times_whole(5),
            "loan" => loan::monthly_payment(self.person, account),
            _ => Money::ZERO,
        });
        let rent = if self.pays_rent() && !persona.pays_rent_by_wage() {
            persona.rent
        } else {
            Money::ZERO
        };
        bills.sum::<Money>() + rent + UTILITIES
    }

    /// What a custom user's income may add between two transfers.
    fn own_income(&self, account: &Account) -> Money {
        let own = self.person.override_of(account);
        let income = own.and_then(|own| own.inflow_model.as_ref()?.income_amount);
        income.unwrap_or_default()
    }

    /// What is spent in a week on this account, at most.
    pub(super) fn week(&self, account: &Account) -> Money {
        if account.kind == "credit" {
            return self.card_week(account);
        }
        // Some of one week and some of the next may post between two transfers.
        let share = if self.is_tight(account) { 40 } else { 8 };
        let fits = account.current.percent(share).max(Money::ZERO);
        self.person.persona().cash_week.min(fits)
    }

    /// A balance on a card is between what was just paid and two months of purchases.
    fn card_week(&self, card: &Account) -> Money {
        /// For cards with hardly any balance; paying it makes a little credit at times.
        const LEAST: Money = Money::whole(15);
        let below = card.current.percent(15);
        let above = card.limit.map(|limit| (limit - card.current).percent(10));
        let fits = above.map_or(below, |above| below.min(above)).max(LEAST);
        self.person.persona().card_week.min(fits)
    }
}

/// What goes to these savings in a month, at most: two years of it are less than what is there.
pub(super) fn month_saved(account: &Account) -> Money {
    const WORTH_IT: Money = Money::whole(4);
    let most = account.current.percent(3).min(Money::whole(250));
    let saves = account.kind == "depository" && account.subtype == "savings" && most >= WORTH_IT;
    if saves { most } else { Money::ZERO }
}
