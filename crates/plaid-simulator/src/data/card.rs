//! A credit card's month: charges until the statement, which are paid four weeks later. A part of the balance is
//! carried along all the time, and costs interest.

use jiff::civil::Date;

use super::calendar::{months_after, number_of};
use super::{Account, History, Money, shopping};

/// The day of the month on which cards are paid.
pub(super) const PAYMENT_DAY: i8 = 25;
/// And on which banks close the month.
pub(super) const STATEMENT_DAY: i8 = 28;

/// The yearly rate, in percent, that the card of `user_good` has in its name.
pub(super) const USUAL_APR: f64 = 12.5;

/// What is paid on this payment day: the charges of the last statement.
pub(super) fn payment<'a>(history: &History<'a>, card: &'a Account, day: Date) -> Money {
    let statement = statement_before(day);
    let before = months_after(statement, -1);
    let bought = shopping::posted(history, card, number_of(before), number_of(statement));
    bought + interest(history, card, statement).0
}

/// The statement that is paid on a payment day.
fn statement_before(day: Date) -> Date {
    let month = months_after(day, -1);
    Date::new(month.year(), month.month(), STATEMENT_DAY).unwrap_or(month)
}

/// The interest that a statement charges, and the part of the balance that it is charged on.
pub(super) fn interest(history: &History<'_>, card: &Account, statement: Date) -> (Money, Money) {
    let share = history.month_rng(card.key, statement).between(20, 50);
    let carried = card.current.percent(share).floor_to_cents().max(Money::ZERO);
    let rate = history.liability_of(card).purchase_apr.unwrap_or(USUAL_APR);
    let interest = Money::of(carried.number() * rate / 1200.0).floor_to_cents();
    (interest, carried)
}
