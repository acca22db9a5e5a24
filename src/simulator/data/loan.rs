//! Loans that are paid back in equal monthly parts, worked backwards from today's balance.

use jiff::civil::Date;

use super::calendar::{months_after, number_of};
use super::money::Money;
use crate::simulator::accounts::Account;

/// The day of the month on which loans are paid.
pub(super) const PAYMENT_DAY: i8 = 5;

/// Terms of a loan.
pub(super) struct Terms {
    /// Percent a year.
    pub(super) rate: f64,
    /// Months from the start to the last payment.
    pub(super) months: i32,
    /// Months that are left.
    pub(super) left: i32,
}

/// The terms that accounts of this kind have.
pub(super) fn terms(account: &Account) -> Terms {
    match &*account.subtype {
        "mortgage" => Terms {
            rate: 3.99,
            months: 360,
            left: 48,
        },
        "student" => Terms {
            rate: 5.25,
            months: 240,
            left: 180,
        },
        _ => Terms {
            rate: 6.5,
            months: 60,
            left: 36,
        },
    }
}

/// What is paid each month: the annuity that brings today's balance to nothing.
pub(super) fn monthly_payment(account: &Account) -> Money {
    let terms = terms(account);
    let month = terms.rate / 1200.0;
    let factor = month / (1.0 - (1.0 + month).powi(-terms.left));
    Money::of(account.current.number() * factor).floor_to_cents()
}

/// What was owed `months` ago.
pub(super) fn owed_before(account: &Account, months: i32) -> Money {
    let month = terms(account).rate / 1200.0;
    let payment = monthly_payment(account).number();
    let owed = (0..months).fold(account.current.number(), |owed, _| {
        (owed + payment) / (1.0 + month)
    });
    Money::of(owed).floor_to_cents()
}

/// The dates and sums of a loan, seen from `today`.
pub(super) struct Schedule {
    pub(super) payment: Money,
    pub(super) origination: Date,
    pub(super) principal: Money,
    pub(super) last_payment: Date,
    pub(super) next_payment: Date,
    pub(super) end: Date,
    pub(super) interest_this_year: Money,
    pub(super) principal_this_year: Money,
}

/// The schedule of this account's loan.
pub(super) fn schedule(account: &Account, today: Date) -> Schedule {
    let terms = terms(account);
    let this_month = Date::new(today.year(), today.month(), PAYMENT_DAY).unwrap_or(today);
    let paid = number_of(this_month) <= number_of(today);
    let last_payment = if paid {
        this_month
    } else {
        months_after(this_month, -1)
    };
    let payments_this_year = if last_payment.year() == today.year() {
        i32::from(last_payment.month())
    } else {
        0
    };
    let payment = monthly_payment(account);
    let principal_this_year = owed_before(account, payments_this_year) - account.current;
    let paid_this_year: Money = (0..payments_this_year).map(|_| payment).sum();
    Schedule {
        payment,
        origination: months_after(last_payment, terms.left - terms.months),
        principal: owed_before(account, terms.months - terms.left),
        last_payment,
        next_payment: months_after(last_payment, 1),
        end: months_after(last_payment, terms.left),
        interest_this_year: paid_this_year - principal_this_year,
        principal_this_year,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

    use jiff::civil::date;

    use super::*;
    use crate::simulator::accounts;

    #[test]
    fn schedules_add_up() {
        for account in &accounts::ALL[7..] {
            let schedule = schedule(account, date(2025, 6, 15));
            let paid: Money = (0..6).map(|_| schedule.payment).sum();
            assert_eq!(schedule.interest_this_year + schedule.principal_this_year, paid);
            assert_eq!(
                owed_before(account, 6) - schedule.principal_this_year,
                account.current
            );
            assert_eq!(schedule.last_payment, date(2025, 6, 5));
            assert_eq!(schedule.next_payment, date(2025, 7, 5));
            assert!(schedule.principal > account.current && schedule.interest_this_year > Money::ZERO);
        }
    }

    #[test]
    fn before_the_day_of_payment_the_last_one_was_a_month_ago() {
        let schedule = schedule(&accounts::ALL[7], date(2025, 1, 4));
        assert_eq!(schedule.last_payment, date(2024, 12, 5));
        assert_eq!(schedule.principal_this_year, Money::ZERO);
    }
}
