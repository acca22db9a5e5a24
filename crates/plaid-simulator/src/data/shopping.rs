//! What people buy: a week at a time, so that a week's purchases stay within what they have for it.

use std::borrow::Cow;

use super::merchants::{Merchant, SHOPS};
use super::movement::{Movement, What, regular};
use super::rng::Rng;
use super::{Account, History, Money};

/// Purchases are counted from here, beside the other movements of a day.
const FIRST_ORDINAL: usize = 1_000;
/// Longer than any purchase takes to post.
const LONGEST_PENDING: i64 = 4;

/// The week of a day.
pub(super) fn week_of(day: i64) -> i64 {
    day.div_euclid(7)
}

/// What is bought in a week with this account, oldest first.
pub(super) fn purchases<'a>(history: &History<'a>, account: &'a Account, week: i64) -> Vec<Movement<'a>> {
    let persona = history.person.persona();
    let with_card = account.kind == "credit";
    let mut shopper = Shopper {
        account,
        rng: Rng::new(&[&history.seed, account.key, "week"], week),
        price_level: persona.price_level,
        left: Money::ZERO,
        bought: Vec::new(),
    };
    let budget = history.household.week(account);
    let mut given = Money::ZERO;
    for weekday in 1..=7 {
        let day = week * 7 + weekday - 1;
        // Each day a seventh more, so that not all is spent on the first.
        let so_far = budget.part(weekday, 7);
        shopper.left = shopper.left + so_far - given;
        given = so_far;
        if !with_card && shopper.rng.one_in(12) {
            shopper.withdraw(day);
        }
        let count = shopper.rng.between(0, persona.purchases) / if with_card { 1 } else { 2 };
        for _ in 0..count {
            shopper.visit(day);
        }
    }
    shopper.bought
}

/// What of it posts after one day and up to another.
pub(super) fn posted<'a>(history: &History<'a>, account: &'a Account, after: i64, to: i64) -> Money {
    (week_of(after - LONGEST_PENDING)..=week_of(to))
        .flat_map(|week| purchases(history, account, week))
        .filter(|bought| !bought.dropped)
        .filter(|bought| (after + 1..=to).contains(&bought.settled.div_euclid(24)))
        .map(|bought| bought.amount)
        .sum()
}

struct Shopper<'a> {
    account: &'a Account,
    rng: Rng,
    /// Of a hundred.
    price_level: i64,
    left: Money,
    bought: Vec<Movement<'a>>,
}

impl<'a> Shopper<'a> {
    fn visit(&mut self, day: i64) {
        let Some(shop) = self.rng.pick(SHOPS) else { return };
        let cents = self.rng.between(shop.from, shop.to) * self.price_level / 100;
        let pending_amount = Money::cents(cents);
        let amount = if shop.detailed == "FOOD_AND_DRINK_RESTAURANT" {
            // With a tip.
            Money::cents(cents * 118 / 100)
        } else {
            pending_amount
        };
        let hour = day * 24 + self.rng.between(7, 22);
        let settled = (day + self.rng.between(2, LONGEST_PENDING)) * 24 + 5;
        let (dropped, corrected) = (self.rng.one_in(40), self.rng.one_in(20));
        if amount > self.left {
            return;
        }
        self.left = self.left - amount;
        let movement = Movement {
            seen: hour,
            settled,
            dropped,
            corrected: corrected.then_some(settled + 48),
            pending_amount,
            ..regular(self.account, day, amount, what(shop))
        };
        self.keep(movement);
    }

    fn withdraw(&mut self, day: i64) {
        let amount = Money::whole(20 * self.rng.between(1, 5));
        if amount > self.left {
            return;
        }
        self.left = self.left - amount;
        let what = What {
            raw: Cow::Borrowed("ATM WITHDRAWAL 002144"),
            merchant: None,
            primary: "TRANSFER_OUT",
            detailed: "TRANSFER_OUT_WITHDRAWAL",
            channel: "other",
        };
        self.keep(regular(self.account, day, amount, what));
    }

    fn keep(&mut self, movement: Movement<'a>) {
        let ordinal = FIRST_ORDINAL + self.bought.len();
        self.bought.push(Movement { ordinal, ..movement });
    }
}

fn what<'a>(shop: &'static Merchant) -> What<'a> {
    What {
        raw: Cow::Borrowed(shop.raw),
        merchant: Some(shop),
        primary: shop.primary,
        detailed: shop.detailed,
        channel: shop.channel,
    }
}
