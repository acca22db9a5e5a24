//! The regular movements of one day: wages and bills, payments of cards and loans, and the transfers between.

mod settlement;

use std::borrow::Cow;

use jiff::civil::Date;

use super::calendar::date_of;
use super::household::{is_current, month_saved};
use super::movement::{Movement, What, listed, own_income, regular};
use super::personas::Habit;
use super::rng::Rng;
use super::shopping::{self, week_of};
use super::{Account, History, Money, card, loan};

/// Money that comes or goes, before it is on an account. What leaves is positive.
pub(super) struct Flow<'a> {
    pub(super) amount: Money,
    raw: Cow<'a, str>,
    category: Category,
}

type Category = (&'static str, &'static str);

const TRANSFER_OUT: Category = ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS");
const TRANSFER_IN: Category = ("TRANSFER_IN", "TRANSFER_IN_SAVINGS");
const ELSEWHERE_OUT: Category = ("TRANSFER_OUT", "TRANSFER_OUT_ACCOUNT_TRANSFER");
const ELSEWHERE_IN: Category = ("TRANSFER_IN", "TRANSFER_IN_ACCOUNT_TRANSFER");
const INVESTED: Category = ("TRANSFER_OUT", "TRANSFER_OUT_INVESTMENT_AND_RETIREMENT_FUNDS");
const WAGES: Category = ("INCOME", "INCOME_WAGES");
const INTEREST: Category = ("INCOME", "INCOME_INTEREST_EARNED");
const CARD_PAYMENT: Category = ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT");
const RENT: Category = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_RENT");
const POWER: Category = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_GAS_AND_ELECTRICITY");
const PHONE: Category = ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_TELEPHONE");
const OVERDRAFT: Category = ("BANK_FEES", "BANK_FEES_OVERDRAFT_FEES");
/// What banks charge for money that they lend.
pub(super) const CHARGE: Category = ("BANK_FEES", "BANK_FEES_INTEREST_CHARGE");
const ADVANCE: Category = ("TRANSFER_IN", "TRANSFER_IN_CASH_ADVANCES_AND_LOANS");
const REPAYMENT: Category = ("LOAN_PAYMENTS", "LOAN_PAYMENTS_PERSONAL_LOAN_PAYMENT");
const REVENUE: Category = ("INCOME", "INCOME_OTHER_INCOME");
const GOODS: Category = (
    "GENERAL_MERCHANDISE",
    "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE",
);
const STAFF: Category = ("GENERAL_SERVICES", "GENERAL_SERVICES_OTHER_GENERAL_SERVICES");

/// Where a day is in its week and fortnight; 1970-01-01 was a Thursday.
#[derive(Clone, Copy)]
pub(super) struct Rhythm {
    pub(super) weekday: i64,
    pub(super) fortnight: i64,
}

pub(super) const FRIDAY: i64 = 1;

impl Rhythm {
    pub(super) fn of(day: i64) -> Self {
        Self {
            weekday: day.rem_euclid(7),
            fortnight: day.rem_euclid(14),
        }
    }

    pub(super) fn is_payday(self) -> bool {
        self.fortnight == FRIDAY
    }

    pub(super) fn is_second_payday(self) -> bool {
        self.fortnight == FRIDAY + 7
    }
}

impl<'a> History<'a> {
    /// The movements that the person made from one day to another, both included, oldest first.
    pub(crate) fn movements(&self, account: &'a Account, first: i64, last: i64) -> Vec<Movement<'a>> {
        let custom = self.person.override_of(account);
        if let Some(list) = custom.filter(|custom| custom.transactions.is_some()) {
            return listed(list, account, first, last);
        }
        let mut movements: Vec<_> = (first..=last)
            .flat_map(|day| {
                let mut made = movements(self, account, day);
                made.extend(own_income(self, account, day));
                made
            })
            .collect();
        if account.kind == "credit" || is_current(account) {
            let bought = (week_of(first)..=week_of(last))
                .flat_map(|week| shopping::purchases(self, account, week))
                .filter(|bought| (first..=last).contains(&bought.day));
            movements.extend(bought);
            movements.sort_by_key(|movement| movement.day);
        }
        movements
    }
}

/// The regular movements of this account and day.
pub(super) fn movements<'a>(history: &History<'a>, account: &'a Account, number: i64) -> Vec<Movement<'a>> {
    let mut day = Day::new(history, number);
    if is_current(account) {
        if history.household.is_main(account) {
            day.on_main();
        }
        day.settle(account);
    } else {
        match account.kind {
            "depository" => day.on_savings(account),
            "credit" => day.on_card(account),
            "loan" => day.on_loan(account),
            _ => {}
        }
    }
    let flows = day.flows.into_iter().enumerate();
    flows
        .map(|(ordinal, flow)| Movement {
            ordinal,
            ..regular(account, number, flow.amount, flow.what())
        })
        .collect()
}

/// What a day brings and takes on the main account, before the transfers that make up for it.
pub(super) fn of_main<'a>(history: &History<'a>, number: i64) -> Vec<Flow<'a>> {
    let mut day = Day::new(history, number);
    day.on_main();
    day.flows
}

impl<'a> Flow<'a> {
    fn what(self) -> What<'a> {
        What {
            raw: self.raw,
            merchant: None,
            primary: self.category.0,
            detailed: self.category.1,
            channel: "other",
        }
    }
}

struct Day<'a, 'h> {
    history: &'h History<'a>,
    number: i64,
    date: Date,
    flows: Vec<Flow<'a>>,
}

impl<'a, 'h> Day<'a, 'h> {
    fn new(history: &'h History<'a>, number: i64) -> Self {
        Self {
            history,
            number,
            date: date_of(number),
            flows: Vec::new(),
        }
    }

    fn on_main(&mut self) {
        self.income();
        let persona = self.history.person.persona();
        let household = self.history.household;
        let rents = household.pays_rent();
        if rents && persona.pays_rent_by_wage() && Rhythm::of(self.number).is_payday() {
            self.add(persona.rent, "PLATYPUS PROPERTIES RENT", RENT);
        }
        match self.date.day() {
            1 if rents && !persona.pays_rent_by_wage() => {
                self.add(persona.rent, "PLATYPUS PROPERTIES RENT", RENT);
            }
            3 => {
                for account in household.lived_in() {
                    self.add(self.saved_on(account), "ONLINE TRANSFER TO SAVING", TRANSFER_OUT);
                }
            }
            12 => self.add(self.monthly("power", 4_200, 13_800), "BAY POWER AND LIGHT", POWER),
            18 => self.add(Money::cents(6_499), "DUCKBILL MOBILE", PHONE),
            card::PAYMENT_DAY => self.pay_cards(),
            loan::PAYMENT_DAY => self.pay_loans(),
            _ => {}
        }
    }

    fn income(&mut self) {
        let persona = self.history.person.persona();
        let (payer, wage) = persona.payroll;
        let rhythm = Rhythm::of(self.number);
        if rhythm.is_payday() && !self.history.has_own_income() {
            self.add_raw(-wage, Cow::Owned(format!("ACH Electronic Credit{payer}")), WAGES);
        }
        for habit in persona.habits {
            self.habit(*habit, wage, rhythm);
        }
    }

    fn habit(&mut self, habit: Habit, wage: Money, rhythm: Rhythm) {
        let day_of_month = self.date.day();
        match habit {
            Habit::SecondJob if rhythm.is_second_payday() => {
                self.add(-wage.percent(40), "NIGHT SHIFT STAFFING DIR DEP", WAGES);
            }
            Habit::Bonus if (self.date.month(), day_of_month) == (3, 15) => {
                let bonus = wage.percent(300);
                self.add(-bonus, "PLATYPUS WORKS ANNUAL BONUS", WAGES);
                self.add(bonus, "TRANSFER TO BROKERAGE", INVESTED);
            }
            Habit::EarnedWageAccess if rhythm.fortnight == 11 => {
                self.add(Money::whole(-80), "EARLYBIRD WAGE ADVANCE", ADVANCE);
            }
            Habit::EarnedWageAccess if rhythm.is_payday() => {
                self.add(Money::cents(8_299), "EARLYBIRD REPAYMENT", REPAYMENT);
            }
            // In the days before the wage comes.
            Habit::ShortOfMoney if rhythm.fortnight == 13 && self.rng("fee").one_in(2) => {
                self.add(Money::whole(35), "OVERDRAFT FEE", OVERDRAFT);
            }
            Habit::ShortOfMoney if day_of_month == 20 => {
                self.add(Money::whole(-200), "QUICK CASH ADVANCE", ADVANCE);
            }
            Habit::ShortOfMoney if day_of_month == 8 => {
                self.add(Money::whole(218), "QUICK CASH REPAYMENT", REPAYMENT);
            }
            Habit::Takings => self.trade(rhythm),
            _ => {}
        }
    }

    /// A small shop's day: closed on Saturday and Sunday, goods on Tuesday, wages on every second Thursday.
    fn trade(&mut self, rhythm: Rhythm) {
        let mut rng = self.rng("trade");
        let takings = rng.between(30_000, 110_000);
        let goods = rng.between(60_000, 150_000);
        if !matches!(rhythm.weekday, 2 | 3) {
            self.add(Money::cents(-takings), "CARD TAKINGS BATCH", REVENUE);
        }
        if rhythm.weekday == 5 {
            self.add(Money::cents(goods), "SPROCKET WHOLESALE INVOICE", GOODS);
        }
        if rhythm.fortnight == 0 {
            self.add(Money::whole(1_900), "STAFF PAYROLL BATCH", STAFF);
        }
    }

    /// What makes up for wages and bills: see [`settlement`].
    fn settle(&mut self, account: &'a Account) {
        let Some(amount) = settlement::of_day(self.history, account, self.number) else {
            return;
        };
        let reserve = self.history.household.reserve;
        let inside = reserve.is_some() && self.history.household.is_main(account);
        let (raw, category) = match (inside, amount > Money::ZERO) {
            (true, true) => ("ONLINE TRANSFER TO MONEY MARKET", TRANSFER_OUT),
            (true, false) => ("ONLINE TRANSFER FROM MONEY MARKET", TRANSFER_IN),
            (false, true) => ("ONLINE TRANSFER TO ACCT ...8842", ELSEWHERE_OUT),
            (false, false) => ("ONLINE TRANSFER FROM ACCT ...8842", ELSEWHERE_IN),
        };
        self.add(amount, raw, category);
    }

    fn on_savings(&mut self, account: &'a Account) {
        let household = self.history.household;
        if household.is_reserve(account)
            && let Some(main) = household.main
            && let Some(amount) = settlement::of_day(self.history, main, self.number)
        {
            let (raw, category) = if amount > Money::ZERO {
                ("ONLINE TRANSFER FROM CHECKING", TRANSFER_IN)
            } else {
                ("ONLINE TRANSFER TO CHECKING", TRANSFER_OUT)
            };
            self.add(-amount, raw, category);
        }
        match self.date.day() {
            3 => self.add(
                -self.saved_on(account),
                "ONLINE TRANSFER FROM CHECKING",
                TRANSFER_IN,
            ),
            28 => self.add(-month_of_interest(account), "INTRST PYMNT", INTEREST),
            _ => {}
        }
    }

    fn on_card(&mut self, account: &'a Account) {
        match self.date.day() {
            card::PAYMENT_DAY => {
                let paid = card::payment(self.history, account, self.date);
                self.add(-paid, "AUTOMATIC PAYMENT - THANK", CARD_PAYMENT);
            }
            card::STATEMENT_DAY => {
                let (interest, _) = card::interest(self.history, account, self.date);
                self.add(interest, "INTEREST CHARGE ON PURCHASES", CHARGE);
            }
            _ => {}
        }
    }

    fn on_loan(&mut self, account: &'a Account) {
        if self.date.day() == loan::PAYMENT_DAY
            && let Some(payment) = self.history.loan(account).payment_on(self.date)
        {
            let (name, category) = loan_words(account);
            self.add(-(payment.interest + payment.principal), name, category);
            self.add(payment.interest, "INTEREST CHARGE", CHARGE);
        }
    }

    fn pay_cards(&mut self) {
        for card in self.history.household.lived_in() {
            if card.kind == "credit" {
                let mask = card.mask.as_deref().unwrap_or_default();
                let raw = format!("CREDIT CARD {mask} PAYMENT *//");
                let paid = card::payment(self.history, card, self.date);
                self.add_raw(paid, Cow::Owned(raw), CARD_PAYMENT);
            }
        }
    }

    fn pay_loans(&mut self) {
        for loan in self.history.household.lived_in() {
            if loan.kind == "loan"
                && let Some(payment) = self.history.loan(loan).payment_on(self.date)
            {
                let (name, category) = loan_words(loan);
                self.add(payment.interest + payment.principal, name, category);
            }
        }
    }

    fn add(&mut self, amount: Money, raw: &'static str, category: Category) {
        self.add_raw(amount, Cow::Borrowed(raw), category);
    }

    fn add_raw(&mut self, amount: Money, raw: Cow<'a, str>, category: Category) {
        if amount != Money::ZERO {
            self.flows.push(Flow {
                amount,
                raw,
                category,
            });
        }
    }

    fn rng(&self, name: &str) -> Rng {
        Rng::new(&[&self.history.seed, name], self.number)
    }

    /// An amount that two accounts agree on in one month.
    fn monthly(&self, name: &str, from: i64, to: i64) -> Money {
        Money::cents(self.history.month_rng(name, self.date).between(from, to))
    }

    fn saved_on(&self, account: &Account) -> Money {
        let most = month_saved(account);
        if most == Money::ZERO {
            return Money::ZERO;
        }
        let share = self.history.month_rng(account.key, self.date).between(50, 100);
        most.percent(share).floor_to_cents()
    }
}

/// A month's interest on savings, by the rates that the accounts of `user_good` have in their names.
fn month_of_interest(account: &Account) -> Money {
    let yearly_rate = match &*account.subtype {
        "money market" => 1.85,
        "cd" => 0.2,
        _ => 0.1,
    };
    Money::of(account.current.number() * yearly_rate / 1200.0)
        .floor_to_cents()
        .max(Money::ZERO)
}

fn loan_words(account: &Account) -> (&'static str, Category) {
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
