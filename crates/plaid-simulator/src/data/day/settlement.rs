//! The transfers that keep the accounts for daily use where they are: what comes in and goes out between two of them
//! is moved to, or taken from, a reserve. After each the balance is again what it was after the one before.

use super::{FRIDAY, Rhythm};
use crate::data::personas::Habit;
use crate::data::{Account, History, Money, movement, shopping};

/// What is transferred on a day, if anything; what leaves the account is positive.
pub(super) fn of_day<'a>(history: &History<'a>, account: &'a Account, day: i64) -> Option<Money> {
    let household = history.household;
    let flows = |first: i64| -> Money { (first..=day).map(|day| regular(history, account, day)).sum() };
    let bought = |after: i64| shopping::posted(history, account, after, day);
    let rhythm = Rhythm::of(day);
    let missing = if household.is_tight(account) {
        let week = if rhythm.weekday == FRIDAY {
            bought(day - 7)
        } else {
            Money::ZERO
        };
        flows(day) + week
    } else {
        let twice = history.person.persona().habits.contains(&Habit::SecondJob);
        let days = if twice { 7 } else { 14 };
        let paid = rhythm.is_payday() || (twice && rhythm.is_second_payday());
        if !paid {
            return None;
        }
        flows(day - days + 1) + bought(day - days)
    };
    (missing != Money::ZERO).then_some(-missing)
}

/// What came and went on a day beside purchases.
fn regular<'a>(history: &History<'a>, account: &'a Account, day: i64) -> Money {
    let own = movement::own_income(history, account, day).map_or(Money::ZERO, |income| income.amount);
    if history.household.is_main(account) {
        let flows = super::of_main(history, day).into_iter();
        flows.map(|flow| flow.amount).sum::<Money>() + own
    } else {
        own
    }
}
