//! Credit cards and loans: <https://plaid.com/docs/api/products/liabilities/>.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::balance::Balances;
use super::calendar::last_on;
use super::calendar::{date_of, months_after, number_of};
use super::custom_liability::Liability;
use super::identity::address;
use super::movement::Form;
use super::{Account, History, Money, card};

/// The kinds of debt that Plaid reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Credit,
    Mortgage,
    Student,
}

/// The kind of debt that an account is, if any.
pub(crate) fn kind_of(account: &Account) -> Option<Kind> {
    match (account.kind, &*account.subtype) {
        ("credit", "credit card" | "paypal") => Some(Kind::Credit),
        ("loan", "mortgage") => Some(Kind::Mortgage),
        ("loan", "student") => Some(Kind::Student),
        _ => None,
    }
}

/// The `liabilities` of these accounts on a day, as their transactions have it; a kind that none of them is, is null.
pub(crate) fn json<'a>(history: &History<'a>, accounts: &[&'a Account], item_id: &str, hour: i64) -> Value {
    let of = |kind: Kind| {
        let debts: Vec<_> = accounts
            .iter()
            .filter(|account| kind_of(account) == Some(kind))
            .map(|account| {
                let debt = Debt::of(history, account, hour);
                match kind {
                    Kind::Credit => debt.credit(item_id),
                    Kind::Mortgage => debt.mortgage(item_id),
                    Kind::Student => debt.student(item_id),
                }
            })
            .collect();
        (!debts.is_empty()).then_some(debts)
    };
    json!({"credit": of(Kind::Credit), "mortgage": of(Kind::Mortgage), "student": of(Kind::Student)})
}

/// What posted on a debt, and what was owed.
struct Debt<'a, 'h> {
    history: &'h History<'a>,
    account: &'a Account,
    own: &'a Liability,
    today: Date,
    /// Days and amounts, oldest first.
    payments: Vec<(i64, Money)>,
    statement: Date,
    /// What was owed on the day of the statement.
    statement_balance: Money,
}

impl<'a, 'h> Debt<'a, 'h> {
    fn of(history: &'h History<'a>, account: &'a Account, hour: i64) -> Self {
        /// Two months have a payment in them.
        const BACK: i64 = 62;
        let today = hour.div_euclid(24);
        let statement = last_on(card::STATEMENT_DAY, date_of(today));
        let day = number_of(statement);
        let payments = history
            .movements(account, today - BACK, today)
            .into_iter()
            .filter(|movement| movement.amount < Money::ZERO)
            .filter(|movement| movement.form(hour).is_some_and(|form| form != Form::Pending))
            .map(|movement| (movement.date(Form::Posted), -movement.amount))
            .collect();
        Self {
            history,
            account,
            own: history.liability_of(account),
            today: date_of(today),
            payments,
            statement,
            statement_balance: Balances::of(history, account, day, hour).on(day),
        }
    }

    fn last_payment(&self) -> (Option<String>, Option<Money>) {
        let last = self.payments.iter().max_by_key(|(day, _)| *day);
        let day = last.map(|(day, _)| date_of(*day).to_string());
        (day, last.map(|(_, amount)| *amount))
    }

    fn credit(&self, item_id: &str) -> Value {
        let (account, own) = (self.account, self.own);
        let lived_in = self.history.household.is_lived_in(account);
        let charged = lived_in.then(|| card::interest(self.history, account, self.statement));
        let apr = |kind: &str, percentage: f64, charged: Option<(Money, Money)>| {
            json!({
                "apr_type": kind,
                "apr_percentage": percentage,
                "balance_subject_to_apr": charged.map(|(_, balance)| balance.json()),
                "interest_charge_amount": charged.map(|(interest, _)| interest.json()),
            })
        };
        let nothing = Some((Money::ZERO, Money::ZERO));
        let mut aprs = vec![
            apr(
                "balance_transfer_apr",
                own.balance_transfer_apr.unwrap_or(15.24),
                nothing,
            ),
            apr("cash_apr", own.cash_apr.unwrap_or(28.99), nothing),
            apr(
                "purchase_apr",
                own.purchase_apr.unwrap_or(card::USUAL_APR),
                charged,
            ),
        ];
        if let Some(special) = own.special_apr {
            aprs.push(apr("special", special, nothing));
        }
        let owed = self.statement_balance.max(Money::ZERO);
        let minimum = owed.percent(2).floor_to_cents().max(Money::whole(20)).min(owed);
        let (paid_on, paid) = self.last_payment();
        let due = months_after(last_on(card::PAYMENT_DAY, self.today), 1);
        json!({
            "account_id": account.id(item_id),
            "aprs": aprs,
            "is_overdue": own.is_overdue.unwrap_or(false),
            "last_payment_amount": own.last_payment_amount.or(paid).map(Money::json),
            "last_payment_date": paid_on,
            "last_statement_issue_date": self.statement.to_string(),
            "last_statement_balance": self.statement_balance.json(),
            "minimum_payment_amount": own.minimum_payment_amount.unwrap_or(minimum).json(),
            "next_payment_due_date": due.to_string(),
        })
    }

    fn mortgage(&self, item_id: &str) -> Value {
        let account = self.account;
        let course = self.history.loan(account);
        let year = course.of_year(self.today);
        let (paid_on, paid) = self.last_payment();
        let next = course.next_after(self.today);
        json!({
            "account_id": account.id(item_id),
            "account_number": format!("31200{}", account.mask.as_deref().unwrap_or("8888")),
            "current_late_fee": 0,
            "escrow_balance": 3141.54,
            "has_pmi": false,
            "has_prepayment_penalty": false,
            "interest_rate": {"percentage": course.rate, "type": "fixed"},
            "last_payment_amount": paid.map(Money::json),
            "last_payment_date": paid_on,
            "loan_type_description": "conventional",
            "loan_term": format!("{} year", course.months / 12),
            "maturity_date": course.end.to_string(),
            "next_monthly_payment": next.map(|(_, amount)| amount.json()),
            "next_payment_due_date": next.map(|(date, _)| date.to_string()),
            "origination_date": course.origination.to_string(),
            "origination_principal_amount": course.principal().json(),
            "past_due_amount": 0,
            "property_address": address("2992 Cameron Road", "Malakoff", "NY", "14236"),
            "ytd_interest_paid": year.interest.json(),
            "ytd_principal_paid": year.principal.json(),
        })
    }

    fn student(&self, item_id: &str) -> Value {
        let (account, own) = (self.account, self.own);
        let course = self.history.loan(account);
        let year = course.of_year(self.today);
        let (paid_on, paid) = self.last_payment();
        let next = course.next_after(self.today);
        let (origination, end) = (course.origination, course.end);
        let status = own.loan_status.clone();
        let servicer = own.servicer_address.clone();
        json!({
            "account_id": account.id(item_id),
            "account_number": format!("427754{}", account.mask.as_deref().unwrap_or("7777")),
            "disbursement_dates": [origination.to_string()],
            "expected_payoff_date": end.to_string(),
            "guarantor": own.guarantor.as_deref().unwrap_or("DEPT OF ED"),
            "interest_rate_percentage": own.nominal_apr.unwrap_or(course.rate),
            "is_overdue": own.is_overdue.unwrap_or(false),
            "last_payment_amount": paid.map(Money::json),
            "last_payment_date": paid_on,
            "last_statement_balance": self.statement_balance.json(),
            "last_statement_issue_date": self.statement.to_string(),
            "loan_name": own.loan_name.as_deref().unwrap_or("Consolidation"),
            "loan_status": status.unwrap_or_else(|| json!({
                "type": "repayment",
                "end_date": end.to_string(),
            })),
            "minimum_payment_amount": own.minimum_payment_amount.or(next.map(|(_, amount)| amount)).map(Money::json),
            "next_payment_due_date": next.map(|(date, _)| date.to_string()),
            "origination_date": origination.to_string(),
            "origination_principal_amount": own.principal.unwrap_or_else(|| course.principal()).json(),
            "outstanding_interest_amount": 0,
            "payment_reference_number": own.payment_reference_number.as_deref().unwrap_or("4277075694"),
            "pslf_status": {
                "estimated_eligibility_date": null,
                "payments_made": null,
                "payments_remaining": null,
            },
            "repayment_plan": {
                "description": own.repayment_plan_description.as_deref().unwrap_or("Standard Repayment"),
                "type": own.repayment_plan_type.as_deref().unwrap_or("standard"),
            },
            "sequence_number": own.sequence_number.as_deref().unwrap_or("1"),
            "servicer_address": servicer.unwrap_or_else(|| address("123 Relaxation Road", "San Matias", "CA", "99415")),
            "ytd_interest_paid": year.interest.json(),
            "ytd_principal_paid": year.principal.json(),
        })
    }
}
