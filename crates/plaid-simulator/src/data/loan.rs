//! Loans that are paid back in equal monthly parts. Seen from the day when the account was linked, whose balance is
//! known, each earlier payment has lowered it and each later one lowers it, by what of it is no interest.

use jiff::civil::Date;

use super::calendar::{last_on, months_after};
use super::custom_liability::Liability;
use super::{Account, Money, Person};

/// The day of the month on which loans are paid.
pub(super) const PAYMENT_DAY: i8 = 5;

/// What a payment is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) interest: Money,
    pub(super) principal: Money,
}

/// Terms of a loan.
struct Terms {
    /// Percent a year.
    rate: f64,
    /// Months from the start to the last payment.
    months: i32,
    /// Months that are left when the account is linked.
    left: i32,
}

fn usual_terms(account: &Account) -> Terms {
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
            months: 72,
            left: 36,
        },
    }
}

/// What is paid each month as a rule.
pub(super) fn monthly_payment(person: &Person, account: &Account) -> Money {
    let terms = usual_terms(account);
    let rate = person.liability_of(account).nominal_apr.unwrap_or(terms.rate);
    annuity(account.current, rate, terms.left)
}

/// The equal part that brings a debt to nothing in this number of months.
fn annuity(owed: Money, rate: f64, months: i32) -> Money {
    let month = rate / 1200.0;
    let factor = if month > 0.0 {
        month / (1.0 - (1.0 + month).powi(-months))
    } else {
        1.0 / f64::from(months)
    };
    Money::of(owed.number() * factor).floor_to_cents()
}

/// How a loan goes from its origination to its end.
pub(super) struct Course {
    pub(super) rate: f64,
    pub(super) monthly: Money,
    pub(super) origination: Date,
    pub(super) end: Date,
    /// The months from the first payment to the last.
    pub(super) months: i32,
    /// What is owed after `known_on`, the last payment before the account was linked.
    known: Money,
    known_on: Date,
    left: i32,
}

impl Course {
    pub(super) fn seen_from(account: &Account, own: &Liability, linked_on: Date) -> Self {
        let terms = usual_terms(account);
        let rate = own.nominal_apr.unwrap_or(terms.rate);
        let known_on = last_on(PAYMENT_DAY, linked_on);
        let months = own.months().unwrap_or(terms.months);
        let given_end = own.expected_payoff_date.map(|day| day.0);
        let given_start = own.origination_date.map(|day| day.0);
        let end = given_end
            .or_else(|| given_start.map(|start| months_after(start, months)))
            .or_else(|| {
                own.months().map(|months| months_after(known_on, months / 2)) // Half of it has passed.
            })
            .unwrap_or_else(|| months_after(known_on, terms.left));
        let left = months_between(known_on, end).max(1);
        let monthly = annuity(account.current, rate, left);
        Self {
            rate,
            monthly,
            origination: given_start.unwrap_or_else(|| months_after(end, -months)),
            end,
            months,
            known: account.current,
            known_on,
            left,
        }
    }

    /// What is owed after the payment of this month, counted from the known one.
    fn owed_after(&self, payments: i32) -> Money {
        let month = self.rate / 1200.0;
        let mut owed = self.known;
        for _ in payments..0 {
            owed = Money::of((owed + self.monthly).number() / (1.0 + month)).floor_to_cents();
        }
        for payment in 1..=payments {
            let interest = Money::of(owed.number() * month).floor_to_cents();
            // The last payment also has the cents that rounding left.
            let paid = if payment < self.left {
                self.monthly
            } else {
                owed + interest
            };
            owed = (owed + interest - paid).max(Money::ZERO);
        }
        owed
    }

    /// The payment of this day's month, if the loan was there already and is there still.
    pub(super) fn payment_on(&self, date: Date) -> Option<Payment> {
        let at = months_between(self.known_on, date);
        if date <= self.origination || self.known <= Money::ZERO || at > self.left {
            return None;
        }
        let (before, after) = (self.owed_after(at - 1), self.owed_after(at));
        if before == Money::ZERO {
            return None;
        }
        let principal = before - after;
        let interest = if after == Money::ZERO {
            Money::of(before.number() * self.rate / 1200.0).floor_to_cents()
        } else {
            self.monthly - principal
        };
        Some(Payment { interest, principal })
    }

    /// The payments of a year up to a day, interest and principal.
    pub(super) fn of_year(&self, today: Date) -> Payment {
        let mut year = Payment {
            interest: Money::ZERO,
            principal: Money::ZERO,
        };
        let months = (1..=today.month()).filter_map(|month| Date::new(today.year(), month, PAYMENT_DAY).ok());
        for payment in months
            .filter(|date| *date <= today)
            .filter_map(|date| self.payment_on(date))
        {
            year.interest = year.interest + payment.interest;
            year.principal = year.principal + payment.principal;
        }
        year
    }

    /// The next payment after a day and its date, if there is one to come.
    pub(super) fn next_after(&self, today: Date) -> Option<(Date, Money)> {
        let date = months_after(last_on(PAYMENT_DAY, today), 1);
        let payment = self.payment_on(date)?;
        Some((date, payment.interest + payment.principal))
    }

    /// What was owed at the beginning.
    pub(super) fn principal(&self) -> Money {
        self.owed_after(months_between(self.known_on, self.origination))
    }
}

/// The months from one payment day to that of a date's month.
fn months_between(from: Date, to: Date) -> i32 {
    let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
    months(to) - months(from)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "tests fail by panicking"
    )]

    use jiff::civil::date;

    use super::*;
    use crate::data::accounts;

    fn course(at: usize, linked_on: Date) -> Course {
        Course::seen_from(&accounts::ALL[at], &Liability::default(), linked_on)
    }

    #[test]
    fn each_payment_lowers_what_is_owed_by_its_principal() {
        for at in [7, 8] {
            let course = course(at, date(2025, 6, 15));
            let mut owed = course.principal();
            let mut day = months_after(last_on(PAYMENT_DAY, course.origination), 1);
            while day <= course.end {
                let payment = course.payment_on(day).unwrap();
                owed = owed - payment.principal;
                assert!(
                    payment.interest >= Money::ZERO && payment.principal > Money::ZERO,
                    "{day}"
                );
                if day == date(2025, 6, 5) {
                    assert_eq!(owed, accounts::ALL[at].current);
                }
                if day < course.end {
                    assert_eq!(payment.interest + payment.principal, course.monthly);
                }
                day = months_after(day, 1);
            }
            assert_eq!(owed, Money::ZERO);
            assert_eq!(course.payment_on(day), None, "after the end nothing is paid");
        }
    }

    #[test]
    fn a_year_is_the_sum_of_its_payments() {
        let course = course(8, date(2025, 6, 15));
        let year = course.of_year(date(2025, 6, 15));
        assert_eq!(year.interest + year.principal, course.monthly.times_whole(6));
        assert_eq!(course.of_year(date(2025, 1, 4)).principal, Money::ZERO);
    }

    #[test]
    fn the_dates_are_those_of_the_day_when_it_was_linked() {
        let course = course(8, date(2025, 6, 4));
        assert_eq!(course.known_on, date(2025, 5, 5));
        assert_eq!(course.end, date(2029, 5, 5));
        assert_eq!(course.origination, date(1999, 5, 5));
    }
}
