//! The institutions that there are. Every bank of Production is in Plaid's Sandbox too; here are its test banks, a few
//! that are well known, and one for each further country.

use super::{Institution, Trait};
use crate::spec::products::MANUAL_PRODUCTS;

/// What the American Sandbox banks offer.
#[rustfmt::skip]
const US: &[&str] = &[
    "assets", "auth", "balance", "identity", "identity_match", "income_verification", "investments",
    "liabilities", "processor_payments", "signal", "statements", "transactions", "transfer",
];

/// What banks outside of the United States offer.
const ABROAD: &[&str] = &["assets", "auth", "balance", "identity", "transactions"];

/// And those that also start payments.
#[rustfmt::skip]
const OPEN_BANKING: &[&str] = &[
    "assets", "auth", "balance", "identity", "payment_initiation", "transactions",
];

const fn bank(id: &'static str, name: &'static str) -> Institution {
    Institution {
        id,
        name,
        country: "US",
        special: Trait::Ordinary,
        products: US,
        tokenizes_numbers: false,
        degraded: false,
        consent_days: None,
        replaces_duplicates: false,
    }
}

/// A bank of the United States whose login is at its own page.
const fn oauth(id: &'static str, name: &'static str) -> Institution {
    Institution {
        special: Trait::OAuth,
        ..bank(id, name)
    }
}

/// The same where consent is given for a year.
const fn yearly(id: &'static str, name: &'static str) -> Institution {
    Institution {
        consent_days: Some(365),
        ..oauth(id, name)
    }
}

/// Where consent is given for 180 days, and payments can be started.
const fn european(id: &'static str, name: &'static str, country: &'static str) -> Institution {
    Institution {
        country,
        products: OPEN_BANKING,
        consent_days: Some(180),
        ..bank(id, name)
    }
}

/// Where Instant Match and automated micro-deposits are tried.
pub(crate) const HOUNDSTOOTH: &str = "ins_109512";
/// Where instant micro-deposits are tried.
pub(crate) const WINDOWPANE: &str = "ins_135858";

/// In place of a bank when account numbers were typed in: the bank is then unknown.
pub(crate) static NO_BANK: Institution = Institution {
    products: MANUAL_PRODUCTS,
    ..bank("", "")
};

/// All of them; Link offers them in this order.
#[rustfmt::skip]
pub(crate) const ALL: &[Institution] = &[
    bank("ins_109508", "First Platypus Bank"),
    bank("ins_109509", "First Gingham Credit Union"),
    bank("ins_109510", "Tattersall Federal Credit Union"),
    bank("ins_109511", "Tartan Bank"),
    bank(HOUNDSTOOTH, "Houndstooth Bank"),
    bank("ins_130016", "First Platypus Balance Bank"),
    bank(WINDOWPANE, "Windowpane Bank"),
    bank("ins_135842", "Payroll Test Institution"),
    Institution { degraded: true, ..bank("ins_132363", "Unhealthy Platypus Bank - Degraded") },
    Institution { special: Trait::Down, ..bank("ins_132361", "Unhealthy Platypus Bank - Down") },
    Institution { special: Trait::Unsupported, ..bank("ins_133402", "Unsupported Platypus Bank") },
    Institution { tokenizes_numbers: true, ..oauth("ins_127287", "Platypus OAuth Bank") },
    oauth("ins_132241", "First Platypus OAuth App2App Bank"),
    yearly("ins_128026", "Capital One"),
    Institution { tokenizes_numbers: true, replaces_duplicates: true, ..oauth("ins_56", "Chase") },
    Institution { tokenizes_numbers: true, replaces_duplicates: true, ..yearly("ins_13", "PNC") },
    Institution { replaces_duplicates: true, ..oauth("ins_11", "Charles Schwab") },
    Institution { tokenizes_numbers: true, ..oauth("ins_127990", "U.S. Bank") },
    yearly("ins_127989", "Bank of America"),
    oauth("ins_127991", "Wells Fargo"),
    yearly("ins_5", "Citi"),
    yearly("ins_10", "American Express"),
    bank("ins_19", "Regions Bank"),
    // Older records of these banks, without a page of their own.
    bank("ins_3", "Chase"),
    bank("ins_4", "Wells Fargo"),
    Institution { country: "CA", products: ABROAD, ..bank("ins_43", "Tartan-Dominion Bank of Canada") },
    european("ins_117650", "Royal Bank of Plaid", "GB"),
    Institution { special: Trait::OAuth, ..european("ins_116834", "Flexible Platypus Open Banking", "GB") },
    Institution { special: Trait::OAuth, ..european("ins_117181", "Flexible Platypus Open Banking", "GB") },
    // Plaid's Sandbox has no bank of its own for these countries; ids and names are the simulator's.
    european("ins_900001", "Platypus Bank Austria", "AT"),
    european("ins_900002", "Platypus Bank Belgium", "BE"),
    european("ins_900003", "Platypus Bank Germany", "DE"),
    european("ins_900004", "Platypus Bank Denmark", "DK"),
    european("ins_900005", "Platypus Bank Estonia", "EE"),
    european("ins_900006", "Platypus Bank Spain", "ES"),
    european("ins_900007", "Platypus Bank Finland", "FI"),
    european("ins_900008", "Platypus Bank France", "FR"),
    european("ins_900009", "Platypus Bank Ireland", "IE"),
    european("ins_900010", "Platypus Bank Italy", "IT"),
    european("ins_900011", "Platypus Bank Lithuania", "LT"),
    european("ins_900012", "Platypus Bank Latvia", "LV"),
    european("ins_900013", "Platypus Bank Netherlands", "NL"),
    european("ins_900014", "Platypus Bank Norway", "NO"),
    european("ins_900015", "Platypus Bank Poland", "PL"),
    european("ins_900016", "Platypus Bank Portugal", "PT"),
    european("ins_900017", "Platypus Bank Sweden", "SE"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_bank_has_an_id_of_its_own() {
        let ids: BTreeSet<_> = ALL.iter().map(|bank| bank.id).collect();
        assert_eq!(ids.len(), ALL.len());
    }
}
