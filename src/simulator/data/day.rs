//! What one day brings to one account.

use std::borrow::Cow;

use jiff::civil::Date;

use super::calendar::date_of;
use super::dice::Dice;
use super::loan;
use super::merchants::SHOPS;
use super::money::Money;
use super::movement::{Movement, What, regular};
use super::person::Person;
use super::personas::Habit;
use crate::simulator::accounts::Account;

/// The movements that `person` makes on this account and day.
pub(super) fn movements<'a>(
    person: &'a Person,
    seed: &str,
    account: &'a Account,
    number: i64,
) -> Vec<Movement<'a>> {
    let mut day = Day {
        person,
        seed,
        account,
        number,
        date: date_of(number),
        dice: Dice::new(&[seed, account.key], number),
        movements: Vec::new(),
    };
    match (account.kind, &*account.subtype) {
        ("depository", "checking" | "cash management" | "prepaid" | "paypal") => day.on_checking(),
        ("depository", _) => day.on_savings(),
        ("credit", _) => day.on_card(),
        ("loan", _) => day.on_loan(),
        _ => {}
    }
    day.movements
}

struct Day<'a, 's> {
    person: &'a Person,
    seed: &'s str,
    account: &'a Account,
    number: i64,
    date: Date,
    dice: Dice,
    movements: Vec<Movement<'a>>,
}

const TRANSFER_OUT: (&str, &str) = ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS");
const TRANSFER_IN: (&str, &str) = ("TRANSFER_IN", "TRANSFER_IN_SAVINGS");
const WITHDRAWAL: (&str, &str) = ("TRANSFER_OUT", "TRANSFER_OUT_WITHDRAWAL");
const WAGES: (&str, &str) = ("INCOME", "INCOME_WAGES");
const INTEREST: (&str, &str) = ("INCOME", "INCOME_INTEREST_EARNED");
const CARD_PAYMENT: (&str, &str) = ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT");
const RENT: (&str, &str) = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_RENT");
const POWER: (&str, &str) = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_GAS_AND_ELECTRICITY");
const PHONE: (&str, &str) = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_TELEPHONE");
const OVERDRAFT: (&str, &str) = ("BANK_FEES", "BANK_FEES_OVERDRAFT_FEES");
const CHARGE: (&str, &str) = ("BANK_FEES", "BANK_FEES_INTEREST_CHARGE");
const ADVANCE: (&str, &str) = ("TRANSFER_IN", "TRANSFER_IN_CASH_ADVANCES_AND_LOANS");
const REPAYMENT: (&str, &str) = ("LOAN_PAYMENTS", "LOAN_PAYMENTS_PERSONAL_LOAN_PAYMENT");
const REVENUE: (&str, &str) = ("INCOME", "INCOME_OTHER_INCOME");

impl<'a> Day<'a, '_> {
    fn on_checking(&mut self) {
        self.income();
        let persona = self.person.persona();
        match self.date.day() {
            1 => self.add(persona.rent, "PLATYPUS PROPERTIES RENT", RENT),
            3 => self.add(self.saved(), "ONLINE TRANSFER TO SAVING", TRANSFER_OUT),
            12 => self.add(self.monthly("power", 4_200, 13_800), "BAY POWER AND LIGHT", POWER),
            18 => self.add(Money::cents(6_499), "DUCKBILL MOBILE", PHONE),
            25 => self.pay_cards(),
            loan::PAYMENT_DAY => self.pay_loans(),
            _ => {}
        }
        if self.dice.one_in(18) {
            let bills = self.dice.between(1, 6);
            self.add(Money::whole(20 * bills), "ATM WITHDRAWAL 002144", WITHDRAWAL);
        }
        self.purchases(2);
    }

    fn income(&mut self) {
        let persona = self.person.persona();
        let (payer, wage) = persona.payroll;
        let (fortnight, weekday) = (self.number.rem_euclid(14), self.number.rem_euclid(7));
        // 1970-01-01 was a Thursday.
        let payday = fortnight == 1;
        if payday && wage > Money::ZERO {
            self.add_raw(-wage, Cow::Owned(format!("ACH Electronic Credit{payer}")), WAGES);
        }
        for habit in persona.habits {
            match habit {
                Habit::SecondJob if fortnight == 8 => {
                    self.add(-wage.percent(40), "NIGHT SHIFT STAFFING DIR DEP", WAGES);
                }
                Habit::Bonus if (self.date.month(), self.date.day()) == (3, 15) => {
                    self.add(-wage.percent(300), "PLATYPUS WORKS ANNUAL BONUS", WAGES);
                }
                Habit::EarnedWageAccess if fortnight == 11 => {
                    self.add(Money::whole(-80), "EARLYBIRD WAGE ADVANCE", ADVANCE);
                }
                Habit::EarnedWageAccess if payday => {
                    self.add(Money::cents(8_299), "EARLYBIRD REPAYMENT", REPAYMENT);
                }
                Habit::ShortOfMoney if self.dice.one_in(12) => {
                    self.add(Money::whole(35), "OVERDRAFT FEE", OVERDRAFT);
                }
                Habit::ShortOfMoney if self.date.day() == 20 => {
                    self.add(Money::whole(-200), "QUICK CASH ADVANCE", ADVANCE);
                }
                Habit::Takings if !matches!(weekday, 2 | 3) => {
                    let takings = self.dice.between(30_000, 240_000);
                    self.add(Money::cents(-takings), "CARD TAKINGS BATCH", REVENUE);
                }
                _ => {}
            }
        }
    }

    fn on_savings(&mut self) {
        if self.account.subtype == "savings" && self.date.day() == 3 {
            self.add(-self.saved(), "ONLINE TRANSFER FROM CHECKING", TRANSFER_IN);
        }
        if self.date.day() == 28 {
            let interest = Money::cents(1) + self.account.current.percent(1).floor_to_cents();
            self.add(-interest.percent(15).floor_to_cents(), "INTRST PYMNT", INTEREST);
        }
    }

    fn on_card(&mut self) {
        match self.date.day() {
            25 => {
                let paid = self.paid_on(self.account);
                self.add(-paid, "AUTOMATIC PAYMENT - THANK", CARD_PAYMENT);
            }
            28 => self.add(
                self.monthly("interest", 150, 1_900),
                "INTEREST CHARGE ON PURCHASES",
                CHARGE,
            ),
            _ => {}
        }
        self.purchases(1);
    }

    fn on_loan(&mut self) {
        if self.date.day() == loan::PAYMENT_DAY {
            let (name, category) = loan_words(self.account);
            self.add(-loan::monthly_payment(self.account), name, category);
        }
    }

    fn pay_cards(&mut self) {
        for account in self.person.accounts() {
            if account.kind == "credit" {
                let mask = account.mask.as_deref().unwrap_or_default();
                let raw = format!("CREDIT CARD {mask} PAYMENT *//");
                self.add_raw(self.paid_on(account), Cow::Owned(raw), CARD_PAYMENT);
            }
        }
    }

    fn pay_loans(&mut self) {
        for account in self.person.accounts() {
            if account.kind == "loan" {
                let (name, category) = loan_words(account);
                self.add(loan::monthly_payment(account), name, category);
            }
        }
    }

    /// Purchases; on a checking account every `rarely`th as many as with a card.
    fn purchases(&mut self, rarely: i64) {
        let persona = self.person.persona();
        let count = self.dice.between(0, persona.purchases) / rarely;
        for _ in 0..count {
            self.purchase(persona.price_level);
        }
    }

    fn purchase(&mut self, price_level: i64) {
        let Some(shop) = self.dice.pick(SHOPS) else { return };
        // Few people fly or buy a bicycle every week.
        if shop.to > 20_000 && !self.dice.one_in(6) {
            return;
        }
        let cents = self.dice.between(shop.from, shop.to) * price_level / 100;
        let pending_amount = Money::cents(cents);
        let tip = shop.detailed == "FOOD_AND_DRINK_RESTAURANT";
        let hour = self.number * 24 + self.dice.between(7, 22);
        let settled = (self.number + self.dice.between(2, 4)) * 24 + 5;
        let what = What {
            raw: Cow::Borrowed(shop.raw),
            merchant: Some(shop),
            primary: shop.primary,
            detailed: shop.detailed,
            channel: shop.channel,
        };
        let movement = Movement {
            ordinal: self.movements.len(),
            seen: hour,
            settled,
            dropped: self.dice.one_in(40),
            corrected: self.dice.one_in(20).then_some(settled + 48),
            pending_amount,
            ..regular(
                self.account,
                self.number,
                if tip {
                    Money::cents(cents * 118 / 100)
                } else {
                    pending_amount
                },
                what,
            )
        };
        self.movements.push(movement);
    }

    fn add(&mut self, amount: Money, raw: &'static str, category: (&'static str, &'static str)) {
        self.add_raw(amount, Cow::Borrowed(raw), category);
    }

    fn add_raw(
        &mut self,
        amount: Money,
        raw: Cow<'a, str>,
        (primary, detailed): (&'static str, &'static str),
    ) {
        if amount == Money::ZERO {
            return;
        }
        let what = What {
            raw,
            merchant: None,
            primary,
            detailed,
            channel: "other",
        };
        self.movements.push(Movement {
            ordinal: self.movements.len(),
            ..regular(self.account, self.number, amount, what)
        });
    }

    /// An amount that two accounts agree on in one month.
    fn monthly(&self, name: &str, from: i64, to: i64) -> Money {
        let month = i64::from(self.date.year()) * 12 + i64::from(self.date.month());
        Money::cents(Dice::new(&[self.seed, name], month).between(from, to))
    }

    fn saved(&self) -> Money {
        let saves = self
            .person
            .accounts()
            .iter()
            .any(|account| account.subtype == "savings");
        if saves {
            self.monthly("saved", 2_500, 25_000)
        } else {
            Money::ZERO
        }
    }

    fn paid_on(&self, card: &Account) -> Money {
        self.monthly(card.key, 12_000, 78_000)
    }
}

fn loan_words(account: &Account) -> (&'static str, (&'static str, &'static str)) {
    match &*account.subtype {
        "student" => (
            "STUDENT LOAN PAYMENT",
            ("LOAN_PAYMENTS", "LOAN_PAYMENTS_STUDENT_LOAN_PAYMENT"),
        ),
        "mortgage" => (
            "MORTGAGE PAYMENT",
            ("LOAN_PAYMENTS", "LOAN_PAYMENTS_MORTGAGE_PAYMENT"),
        ),
        _ => ("LOAN PAYMENT", ("LOAN_PAYMENTS", "LOAN_PAYMENTS_OTHER_PAYMENT")),
    }
}
