//! Plaid's ready-made test users (<https://plaid.com/docs/sandbox/test-credentials/>): what they own and how they
//! live. Beside `user_good` Plaid publishes no figures, so these are our own.

use std::sync::LazyLock;

use super::accounts::{self, CHECKING, CREDIT_CARD, SAVINGS, account};
use super::{Account, Money};

/// How a test user lives.
#[derive(Debug)]
pub(super) struct Persona {
    pub(super) username: &'static str,
    pub(super) owner: &'static str,
    pub(super) accounts: fn() -> &'static [Account],
    /// Who pays what every second Friday.
    pub(super) payroll: (&'static str, Money),
    /// Of a month, or of a fortnight for those who pay it by wage.
    pub(super) rent: Money,
    /// Purchases on a day, at most.
    pub(super) purchases: i64,
    /// What is spent in a week with a card, and from the checking account, at most.
    pub(super) card_week: Money,
    pub(super) cash_week: Money,
    /// Of a hundred.
    pub(super) price_level: i64,
    /// What makes this user special.
    pub(super) habits: &'static [Habit],
    pub(super) dynamic: bool,
}

/// Movements that only some test users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Overdraft fees and cash advances.
    ShortOfMoney,
    /// Small advances on the wage, paid back on pay day.
    EarnedWageAccess,
    /// A bonus each March.
    Bonus,
    /// Card takings on each working day.
    Takings,
    /// A second employer.
    SecondJob,
    /// Rent is paid on pay day.
    RentByWage,
}

impl Persona {
    pub(super) fn pays_rent_by_wage(&self) -> bool {
        self.habits.contains(&Habit::RentByWage)
    }
}

fn standard() -> &'static [Account] {
    &accounts::ALL
}

/// Makes a function that returns these accounts.
macro_rules! accounts {
    ($name:ident: $($account:expr,)+) => {
        fn $name() -> &'static [Account] {
            static ALL: LazyLock<Vec<Account>> = LazyLock::new(|| vec![$($account,)+]);
            &ALL
        }
    };
}

accounts! { modest:
    account("1001", "Plaid Checking", CHECKING, Money::cents(68_412)).available(Money::cents(66_120)),
    account("1002", "Plaid Saving", SAVINGS, Money::whole(25)).available(Money::whole(25)),
    account("1003", "Plaid Credit Card", CREDIT_CARD, Money::cents(209_055)).limited(Money::whole(2_800)),
}

accounts! { solid:
    account("2001", "Plaid Checking", CHECKING, Money::cents(432_177)).available(Money::cents(425_177)),
    account("2002", "Plaid Saving", SAVINGS, Money::whole(15_400)).available(Money::whole(15_400)),
    account("2003", "Plaid Credit Card", CREDIT_CARD, Money::cents(118_240)).limited(Money::whole(12_000)),
}

accounts! { wealthy:
    account("3001", "Plaid Checking", CHECKING, Money::cents(1_890_412)).available(Money::cents(1_872_412)),
    account("3002", "Plaid Saving", SAVINGS, Money::whole(61_250)).available(Money::whole(61_250)),
    account("3003", "Plaid Credit Card", CREDIT_CARD, Money::cents(241_803)).limited(Money::whole(35_000)),
    account("3004", "Plaid Brokerage", ("investment", "brokerage"), Money::cents(8_430_255)),
}

accounts! { business:
    account("4001", "Plaid Business Checking", CHECKING, Money::cents(2_704_518))
        .available(Money::cents(2_618_018))
        .of_business(),
    account("4002", "Plaid Business Saving", SAVINGS, Money::whole(9_000)).available(Money::whole(9_000)).of_business(),
    account("4003", "Plaid Business Credit Card", CREDIT_CARD, Money::cents(361_270))
        .limited(Money::whole(20_000))
        .of_business(),
}

pub(super) static STANDARD: Persona = Persona {
    username: "user_good",
    owner: "Alberta Bobbeth Charleson",
    accounts: standard,
    payroll: ("GUSTO PAY 123456", Money::cents(158_500)),
    rent: Money::whole(1_150),
    purchases: 3,
    card_week: Money::whole(70),
    cash_week: Money::whole(60),
    price_level: 100,
    habits: &[],
    dynamic: false,
};

/// What comes in every second week, what the rent is, and what is spent in a week with the card and without.
type Means = [i64; 4];

const fn persona(
    username: &'static str,
    accounts: fn() -> &'static [Account],
    [wage, rent, card, cash]: Means,
    level: i64,
) -> Persona {
    Persona {
        username,
        accounts,
        payroll: ("PLATYPUS WORKS PAYROLL", Money::whole(wage)),
        rent: Money::whole(rent),
        card_week: Money::whole(card),
        cash_week: Money::whole(cash),
        price_level: level,
        ..STANDARD
    }
}

#[rustfmt::skip]
static SPECIAL: &[Persona] = &[
    Persona {
        dynamic: true,
        purchases: 6,
        ..persona("user_transactions_dynamic", standard, [1_620, 1_150, 70, 60], 100)
    },
    Persona {
        owner: "Emil Wagner",
        habits: &[Habit::EarnedWageAccess, Habit::RentByWage],
        ..persona("user_ewa_user", modest, [980, 390, 45, 50], 70)
    },
    Persona {
        owner: "Yara Upton",
        purchases: 4,
        ..persona("user_yuppie", wealthy, [4_600, 3_700, 360, 640], 180)
    },
    Persona {
        owner: "Sam's Bike Repair LLC",
        habits: &[Habit::Takings],
        ..persona("user_small_business", business, [0, 1_850, 480, 150], 220)
    },
    Persona {
        owner: "Bo Inkwell",
        habits: &[Habit::SecondJob],
        ..persona("user_bank_income", solid, [1_650, 1_750, 160, 280], 100)
    },
    Persona {
        owner: "Pat Overdale",
        habits: &[Habit::ShortOfMoney, Habit::RentByWage],
        ..persona("user_credit_profile_poor", modest, [850, 360, 45, 50], 90)
    },
    Persona {
        owner: "Gwen Oakley",
        ..persona("user_credit_profile_good", solid, [2_150, 1_650, 160, 250], 100)
    },
    Persona {
        owner: "Ed Castle",
        ..persona("user_credit_profile_excellent", wealthy, [4_100, 3_300, 320, 560], 120)
    },
    Persona {
        owner: "Bonnie Nash",
        habits: &[Habit::Bonus],
        ..persona("user_credit_bonus", solid, [2_600, 1_950, 170, 300], 110)
    },
    Persona {
        owner: "Jo and Lee Nettle",
        habits: &[Habit::SecondJob],
        ..persona("user_credit_joint_account", solid, [1_900, 2_050, 170, 300], 110)
    },
];

/// The special test user with this name.
pub(super) fn by_username(username: &str) -> Option<&'static Persona> {
    SPECIAL.iter().find(|persona| persona.username == username)
}

/// The names of all test users that have a life of their own.
#[cfg(test)]
pub(super) fn usernames() -> impl Iterator<Item = &'static str> {
    std::iter::once(&STANDARD)
        .chain(SPECIAL)
        .map(|persona| persona.username)
}
