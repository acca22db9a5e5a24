//! Rules that everybody's money keeps, whatever the seed and the day on which an Item begins.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

use super::balance::Balances;
use super::calendar::last_on;
use super::calendar::{date_of, months_after, number_of};
use super::household::is_current;
use super::movement::{Form, Movement};
use super::{Account, History, Money, Person, card, liabilities, personas};
use crate::spec::Guesses;

const TWO_YEARS: i64 = 731;
/// How long an Item lives on in these tests.
const LATER: i64 = 300;
const SEEDS: [&str; 2] = ["0", "77"];
/// 2025-06-15 and later days of other months, weeks and fortnights.
const STARTS: [i64; 3] = [20_254, 20_271, 20_787];

fn people() -> impl Iterator<Item = Person> {
    let of = |username: &str| Person::of(username, "{}", &Guesses::default());
    personas::usernames().chain(["user_custom"]).map(of)
}

/// Each person with each seed, linked on each of the days.
fn everybody(mut check: impl FnMut(&History<'_>, i64)) {
    for person in people() {
        for seed in SEEDS {
            for start in STARTS {
                check(&History::new(&person, seed, "ins_109508", start * 24 + 6), start);
            }
        }
    }
}

fn of_kind<'a>(history: &History<'a>, kind: &str) -> Vec<&'a Account> {
    let accounts = history.person.accounts().iter();
    accounts.filter(|account| account.kind == kind).collect()
}

#[test]
fn balances_stay_within_limits() {
    everybody(|history, start| {
        for account in history.person.accounts() {
            let name = format!("{} of {}", account.name, history.person.persona().username);
            let (first, last) = (start - TWO_YEARS, start + LATER);
            let balances = Balances::of(history, account, first, last * 24 + 6);
            assert_eq!(
                balances.on(start),
                account.current,
                "{name}: it begins as published"
            );
            let mut in_credit = 0;
            for day in first..=last {
                let balance = balances.on(day);
                let told = format!("{name} has {balance} on {}", date_of(day));
                match account.kind {
                    "credit" => {
                        assert!(account.limit.is_none_or(|limit| balance <= limit), "{told}");
                        assert!(balance > Money::whole(-100), "{told}");
                        in_credit += i64::from(balance < Money::ZERO);
                    }
                    // A small overdraft.
                    "depository" if is_current(account) => assert!(balance > Money::whole(-100), "{told}"),
                    _ => assert!(balance > Money::ZERO, "{told}"),
                }
            }
            assert!(
                in_credit * 10 < last - first,
                "{name} is in credit for {in_credit} days"
            );
        }
    });
}

/// Whatever accounts a custom user has, nothing runs away from the balances that they were given.
#[test]
fn custom_accounts_stay_near_their_balances() {
    const SMALL: &str = r#"{"override_accounts": [
        {"type": "depository", "subtype": "checking", "starting_balance": 40},
        {"type": "depository", "subtype": "checking", "starting_balance": 9000},
        {"type": "depository", "subtype": "savings", "starting_balance": 500},
        {"type": "credit", "subtype": "credit card", "starting_balance": 0},
        {"type": "credit", "subtype": "credit card", "starting_balance": 950, "meta": {"limit": 1000}},
        {"type": "loan", "subtype": "auto", "starting_balance": 12000}
    ]}"#;
    const ALONE: &str = r#"{"override_accounts": [
        {"type": "credit", "subtype": "credit card", "starting_balance": 300}
    ]}"#;
    const PAID: &str = r#"{"override_accounts": [
        {"type": "depository", "subtype": "checking", "starting_balance": 2500,
         "inflow_model": {"type": "monthly-income", "income_amount": 3000, "payment_day_of_month": 10}}
    ]}"#;
    for configuration in [SMALL, ALONE, PAID, "{}"] {
        let person = Person::of("user_custom", configuration, &Guesses::default());
        let start = 20_254;
        let history = History::new(&person, "0", "ins_109508", start * 24 + 6);
        for account in person.accounts() {
            let (first, last) = (start - TWO_YEARS, start + LATER);
            let balances = Balances::of(&history, account, first, last * 24 + 6);
            for day in first..=last {
                let balance = balances.on(day);
                let told = format!(
                    "{} ({}) has {balance} on {}",
                    account.name,
                    account.current,
                    date_of(day)
                );
                assert!(balance > Money::whole(-150), "{told}");
                assert!(account.limit.is_none_or(|limit| balance <= limit), "{told}");
                if account.kind == "depository" {
                    assert!(balance <= account.current.times_whole(3), "{told}");
                }
            }
        }
    }
}

#[test]
fn wages_fit_what_is_spent() {
    everybody(|history, start| {
        let (mut came, mut spent) = (Money::ZERO, Money::ZERO);
        let mut shopped = 0;
        for account in history.person.accounts() {
            for movement in history.movements(account, start - 365, start) {
                let bought = movement.what.merchant.is_some();
                shopped += i64::from(bought && !movement.dropped);
                // Not what goes from one account of the household to another.
                match movement.what.primary {
                    "INCOME" => came = came - movement.amount,
                    "TRANSFER_IN" | "TRANSFER_OUT" if movement.what.detailed != "TRANSFER_OUT_WITHDRAWAL" => {
                    }
                    "LOAN_PAYMENTS" | "BANK_FEES" if !is_current(account) => {}
                    // The purchases on the card are counted, and so is not what pays for them.
                    _ if movement.what.detailed == "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT" => {}
                    _ => spent = spent + movement.amount,
                }
            }
        }
        let name = history.person.persona().username;
        assert!(shopped > 150, "{name} bought {shopped} things");
        let share = spent.number() / came.number();
        assert!((0.5..1.0).contains(&share), "{name} spends {spent} of {came}");
    });
}

#[test]
fn cards_are_paid_what_was_bought_with_them() {
    everybody(|history, start| {
        for account in of_kind(history, "credit") {
            let main = history.household.main.unwrap();
            for ago in 0..24 {
                let day = months_after(last_on(card::PAYMENT_DAY, date_of(start)), -ago);
                let number = number_of(day);
                let paid = sum(&history.movements(account, number, number), |movement| {
                    movement.amount < Money::ZERO
                });
                let from_main = sum(&history.movements(main, number, number), |movement| {
                    movement.what.detailed == "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"
                });
                assert_eq!(-paid, from_main);
                let statement = last_on(card::STATEMENT_DAY, months_after(day, -1).last_of_month());
                let before = number_of(months_after(statement, -1));
                let to = number_of(statement);
                let charged = sum(&history.movements(account, before - 8, to), |movement| {
                    let posted = movement.date(Form::Posted);
                    movement.amount > Money::ZERO && !movement.dropped && posted > before && posted <= to
                });
                assert_eq!(from_main, charged, "{day}");
                assert!(charged > Money::whole(40), "{day}");
            }
        }
    });
}

#[test]
fn loans_fall_by_the_principal_of_each_payment() {
    everybody(|history, start| {
        for account in of_kind(history, "loan") {
            let balances = Balances::of(history, account, start - TWO_YEARS, (start + LATER) * 24);
            let mut paid = 0;
            for day in start - TWO_YEARS + 1..start + LATER {
                let fell = balances.on(day - 1) - balances.on(day);
                let payment = sum(&history.movements(account, day, day), |movement| {
                    movement.amount < Money::ZERO
                });
                let interest = sum(&history.movements(account, day, day), |movement| {
                    movement.amount > Money::ZERO
                });
                assert_eq!(fell, -payment - interest);
                if payment != Money::ZERO {
                    paid += 1;
                    assert!(interest > Money::ZERO && fell > Money::ZERO);
                }
            }
            assert!(paid >= 33, "{paid} payments in almost three years");
        }
    });
}

/// Debts at a moment agree with their transactions.
#[test]
fn liabilities_agree_with_transactions() {
    everybody(|history, start| {
        let accounts: Vec<_> = history.person.accounts().iter().collect();
        for now in [start, start + 17, start + 200] {
            let told = liabilities::json(history, &accounts, "item", now * 24 + 6);
            let debts = ["credit", "mortgage", "student"]
                .iter()
                .filter_map(|kind| told.get(kind)?.as_array());
            for debt in debts.flatten() {
                let account = accounts
                    .iter()
                    .find(|account| debt["account_id"] == account.id("item").as_str())
                    .unwrap();
                let moved = history.movements(account, now - 70, now);
                let payment = moved
                    .iter()
                    .rfind(|movement| movement.amount < Money::ZERO)
                    .unwrap();
                assert_eq!(debt["last_payment_amount"], (-payment.amount).json());
                assert_eq!(debt["last_payment_date"], date_of(payment.day).to_string());
                let charged = moved
                    .iter()
                    .rfind(|movement| movement.what.detailed == "BANK_FEES_INTEREST_CHARGE");
                if account.kind == "credit" {
                    let interest = charged.map_or(Money::ZERO, |charged| charged.amount);
                    assert_eq!(debt["aprs"][2]["interest_charge_amount"], interest.json());
                    continue;
                }
                let new_year = number_of(date_of(now).first_of_year());
                let year = history.movements(account, new_year, now);
                let interest = sum(&year, |movement| movement.amount > Money::ZERO);
                assert_eq!(debt["ytd_interest_paid"], interest.json());
                assert_eq!(debt["ytd_principal_paid"], (-sum(&year, |_| true)).json());
            }
        }
    });
}

/// The clock moves on, and the days before stay as they were.
#[test]
fn the_past_stays_as_it_was() {
    everybody(|history, start| {
        for account in history.person.accounts() {
            let tell = |now: i64| {
                let balances = Balances::of(history, account, start - 100, now * 24 + 6);
                (start - 100..=start + 3)
                    .map(move |day| balances.on(day))
                    .collect::<Vec<_>>()
            };
            assert_eq!(tell(start + 3), tell(start + 150));
        }
        let accounts: Vec<_> = history.person.accounts().iter().collect();
        let [now, later] =
            [start, start + 28].map(|day| liabilities::json(history, &accounts, "item", day * 24 + 6));
        for field in [
            "/mortgage/0/origination_date",
            "/mortgage/0/maturity_date",
            "/mortgage/0/origination_principal_amount",
            "/student/0/origination_date",
            "/student/0/expected_payoff_date",
        ] {
            assert_eq!(now.pointer(field), later.pointer(field), "{field}");
        }
    });
}

/// Money that leaves one account of the household for another arrives there on the same day.
#[test]
fn transfers_have_two_ends() {
    for person in people() {
        let history = History::new(&person, "0", "ins_109508", 20_254 * 24 + 6);
        let own = |movement: &Movement<'_>| movement.what.detailed.ends_with("_SAVINGS");
        for day in 20_254 - TWO_YEARS..20_254 {
            let moved: Vec<_> = person
                .accounts()
                .iter()
                .flat_map(|account| history.movements(account, day, day))
                .collect();
            assert_eq!(sum(&moved, own), Money::ZERO, "{}", date_of(day));
        }
    }
}

fn sum(movements: &[Movement<'_>], fits: impl Fn(&Movement<'_>) -> bool) -> Money {
    let fitting = movements.iter().filter(|movement| fits(movement));
    fitting.map(|movement| movement.amount).sum()
}
