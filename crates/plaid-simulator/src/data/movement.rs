//! A movement on an account: seen, perhaps pending, then posted, dropped or corrected. What it looks like is a
//! function of the hour, so nothing has to happen for it to change.

use std::borrow::Cow;

use jiff::civil::Date;

use super::calendar::{date_of, number_of};
use super::custom::{InflowModel, Override};
use super::custom_liability::Liability;
use super::household::Household;
use super::loan::Course;
use super::merchants::Merchant;
use super::rng::Rng;
use super::{Account, Money, Person};

/// One movement.
#[derive(Clone, Debug)]
pub(crate) struct Movement<'a> {
    pub(crate) account: &'a Account,
    /// When the person paid.
    pub(crate) day: i64,
    /// Tells the movements of one account and day apart.
    pub(super) ordinal: usize,
    /// The hour from which the bank shows it.
    pub(super) seen: i64,
    /// The hour at which it posts, or is dropped.
    pub(super) settled: i64,
    pub(super) dropped: bool,
    /// The hour at which Plaid knows the merchant better.
    pub(super) corrected: Option<i64>,
    /// Money that leaves the account is positive, as Plaid has it.
    pub(crate) amount: Money,
    /// Before a tip was added, for one.
    pub(super) pending_amount: Money,
    pub(super) what: What<'a>,
    pub(super) currency: &'a str,
}

/// What it was for.
#[derive(Clone, Debug)]
pub(super) struct What<'a> {
    pub(super) raw: Cow<'a, str>,
    pub(super) merchant: Option<&'static Merchant>,
    pub(super) primary: &'static str,
    pub(super) detailed: &'static str,
    pub(super) channel: &'static str,
}

/// What a movement looks like at some hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pending,
    Posted,
    /// Posted, with the merchant known.
    Corrected,
}

impl Movement<'_> {
    /// How it looks at this hour, if at all.
    pub(crate) fn form(&self, hour: i64) -> Option<Form> {
        if hour < self.seen {
            None
        } else if hour < self.settled {
            Some(Form::Pending)
        } else if self.dropped {
            None
        } else if self.corrected.is_some_and(|at| hour >= at) {
            Some(Form::Corrected)
        } else {
            Some(Form::Posted)
        }
    }

    /// What the bank calls it.
    pub(super) fn name(&self) -> &str {
        &self.what.raw
    }

    /// Whether it was, or is, pending.
    pub(super) fn was_pending(&self) -> bool {
        self.settled > self.seen
    }

    /// The day that Plaid's `date` has: of posting, or while pending of payment.
    pub(crate) fn date(&self, form: Form) -> i64 {
        match form {
            Form::Pending => self.day,
            Form::Posted | Form::Corrected => self.settled.div_euclid(24).max(self.day),
        }
    }
}

/// All movements of one person's accounts.
pub(crate) struct History<'a> {
    pub(crate) person: &'a Person,
    pub(super) seed: String,
    /// The hour of the first pull, whose balances are the published ones.
    pub(super) linked_at: i64,
    pub(super) household: Household<'a>,
}

impl<'a> History<'a> {
    /// The history of this person at this bank, of all that the simulator's seed allows, as an Item tells it that
    /// was linked at this hour.
    pub(crate) fn new(
        person: &'a Person,
        simulator_seed: &str,
        institution_id: &str,
        linked_at: i64,
    ) -> Self {
        Self {
            person,
            seed: format!("{simulator_seed}/{}/{institution_id}", person.seed()),
            linked_at,
            household: Household::of(person),
        }
    }

    /// The day up to which the first pull's balances count.
    pub(super) fn linked_on(&self) -> i64 {
        self.linked_at.div_euclid(24)
    }

    /// What a custom user wants of a debt.
    pub(super) fn liability_of(&self, account: &Account) -> &'a Liability {
        self.person.liability_of(account)
    }

    /// How a loan goes from its origination to its end.
    pub(super) fn loan(&self, account: &Account) -> Course {
        Course::seen_from(account, self.liability_of(account), date_of(self.linked_on()))
    }

    /// Whether a custom user's income takes the place of wages.
    pub(super) fn has_own_income(&self) -> bool {
        self.household
            .main
            .is_some_and(|main| inflow_of(self.person, main).is_some())
    }

    /// Chance that is the same all month long, whichever account asks.
    pub(super) fn month_rng(&self, name: &str, date: Date) -> Rng {
        let month = i64::from(date.year()) * 12 + i64::from(date.month());
        Rng::new(&[&self.seed, name], month)
    }
}

fn inflow_of<'a>(person: &'a Person, account: &Account) -> Option<&'a InflowModel> {
    person.override_of(account)?.inflow_model.as_ref()
}

/// The income of a custom user's account on this day.
pub(super) fn own_income<'a>(history: &History<'a>, account: &'a Account, day: i64) -> Option<Movement<'a>> {
    income(inflow_of(history.person, account)?, account, day)
}

/// The movements that a custom user names.
pub(super) fn listed<'a>(
    custom: &'a Override,
    account: &'a Account,
    first: i64,
    last: i64,
) -> Vec<Movement<'a>> {
    let given = custom.transactions.as_deref().unwrap_or_default();
    let mut movements: Vec<_> = given
        .iter()
        .enumerate()
        .map(|(ordinal, given)| {
            let day = number_of(given.date_transacted.0);
            Movement {
                ordinal,
                settled: number_of(given.date_posted.0).max(day) * 24,
                currency: given.currency.as_deref().unwrap_or(&account.currency),
                ..regular(account, day, given.amount, what(&given.description))
            }
        })
        .filter(|movement| (first..=last).contains(&movement.day))
        .collect();
    movements.sort_by_key(|movement| movement.day);
    if let Some(model) = &custom.inflow_model {
        movements.extend((first..=last).filter_map(|day| income(model, account, day)));
    }
    movements
}

fn what(description: &str) -> What<'_> {
    What {
        raw: Cow::Borrowed(description),
        merchant: None,
        primary: "GENERAL_MERCHANDISE",
        detailed: "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE",
        channel: "other",
    }
}

/// Income on the day of the month that the custom user wants.
fn income<'a>(model: &'a InflowModel, account: &'a Account, day: i64) -> Option<Movement<'a>> {
    let wanted = model.payment_day_of_month.unwrap_or(1);
    let amount = model.income_amount?;
    if model.kind == "none" || date_of(day).day() != wanted {
        return None;
    }
    let what = What {
        primary: "INCOME",
        detailed: "INCOME_WAGES",
        ..what(model.transaction_name.as_deref().unwrap_or("INCOME"))
    };
    Some(Movement {
        ordinal: usize::MAX,
        ..regular(account, day, -amount, what)
    })
}

/// A movement that posts on the day it is made.
pub(super) fn regular<'a>(account: &'a Account, day: i64, amount: Money, what: What<'a>) -> Movement<'a> {
    Movement {
        account,
        day,
        ordinal: 0,
        seen: day * 24,
        settled: day * 24,
        dropped: false,
        corrected: None,
        amount,
        pending_amount: amount,
        what,
        currency: &account.currency,
    }
}
