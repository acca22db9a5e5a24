//! Credit cards and loans: <https://plaid.com/docs/api/products/liabilities/>.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::calendar::months_after;
use super::custom_liability::Liability;
use super::loan;
use super::money::Money;
use super::person::Person;
use crate::simulator::accounts::Account;

/// The kinds of debt that Plaid tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Kind {
    Credit,
    Mortgage,
    Student,
}

/// The kind of debt that an account is, if any.
pub(in crate::simulator) fn kind_of(account: &Account) -> Option<Kind> {
    match (account.kind, &*account.subtype) {
        ("credit", "credit card" | "paypal") => Some(Kind::Credit),
        ("loan", "mortgage") => Some(Kind::Mortgage),
        ("loan", "student") => Some(Kind::Student),
        _ => None,
    }
}

/// The `liabilities` of these accounts; a kind that none of them is, is null.
pub(in crate::simulator) fn json(
    person: &Person,
    accounts: &[&Account],
    item_id: &str,
    today: Date,
) -> Value {
    let usual = Liability::default();
    let of = |kind: Kind| {
        let debts: Vec<_> = accounts
            .iter()
            .filter(|account| kind_of(account) == Some(kind))
            .map(|account| {
                let own = person
                    .custom()
                    .and_then(|custom| custom.override_of(account))
                    .and_then(|wanted| wanted.liability.as_ref())
                    .unwrap_or(&usual);
                match kind {
                    Kind::Credit => credit(account, own, item_id, today),
                    Kind::Mortgage => mortgage(account, item_id, today),
                    Kind::Student => student(account, own, item_id, today),
                }
            })
            .collect();
        (!debts.is_empty()).then_some(debts)
    };
    json!({"credit": of(Kind::Credit), "mortgage": of(Kind::Mortgage), "student": of(Kind::Student)})
}

fn credit(account: &Account, own: &Liability, item_id: &str, today: Date) -> Value {
    let apr = |kind: &str, percentage: f64, balance: Money| {
        let interest = Money::of(balance.number() * percentage / 1200.0).floor_to_cents();
        json!({
            "apr_type": kind,
            "apr_percentage": percentage,
            "balance_subject_to_apr": balance.json(),
            "interest_charge_amount": interest.json(),
        })
    };
    let mut aprs = vec![
        apr(
            "balance_transfer_apr",
            own.balance_transfer_apr.unwrap_or(15.24),
            Money::ZERO,
        ),
        apr("cash_apr", own.cash_apr.unwrap_or(28.99), Money::ZERO),
        apr("purchase_apr", own.purchase_apr.unwrap_or(12.5), account.current),
    ];
    if let Some(special) = own.special_apr {
        aprs.push(apr("special", special, Money::ZERO));
    }
    let statement = last_on(28, today);
    let minimum = account.current.percent(2).floor_to_cents().max(Money::whole(20));
    json!({
        "account_id": account.id(item_id),
        "aprs": aprs,
        "is_overdue": own.is_overdue.unwrap_or(false),
        "last_payment_amount": own.last_payment_amount.unwrap_or(Money::cents(16_825)).json(),
        "last_payment_date": last_on(25, today).to_string(),
        "last_statement_issue_date": statement.to_string(),
        "last_statement_balance": account.current.json(),
        "minimum_payment_amount": own.minimum_payment_amount.unwrap_or(minimum).json(),
        "next_payment_due_date": months_after(last_on(25, today), 1).to_string(),
    })
}

fn mortgage(account: &Account, item_id: &str, today: Date) -> Value {
    let schedule = loan::schedule(account, today);
    json!({
        "account_id": account.id(item_id),
        "account_number": format!("31200{}", account.mask.as_deref().unwrap_or("8888")),
        "current_late_fee": 0,
        "escrow_balance": 3141.54,
        "has_pmi": false,
        "has_prepayment_penalty": false,
        "interest_rate": {"percentage": loan::terms(account).rate, "type": "fixed"},
        "last_payment_amount": schedule.payment.json(),
        "last_payment_date": schedule.last_payment.to_string(),
        "loan_type_description": "conventional",
        "loan_term": "30 year",
        "maturity_date": schedule.end.to_string(),
        "next_monthly_payment": schedule.payment.json(),
        "next_payment_due_date": schedule.next_payment.to_string(),
        "origination_date": schedule.origination.to_string(),
        "origination_principal_amount": schedule.principal.json(),
        "past_due_amount": 0,
        "property_address": {
            "street": "2992 Cameron Road",
            "city": "Malakoff",
            "region": "NY",
            "postal_code": "14236",
            "country": "US",
        },
        "ytd_interest_paid": schedule.interest_this_year.json(),
        "ytd_principal_paid": schedule.principal_this_year.json(),
    })
}

fn student(account: &Account, own: &Liability, item_id: &str, today: Date) -> Value {
    let schedule = loan::schedule(account, today);
    let end = own.expected_payoff_date.map_or(schedule.end, |day| day.0);
    let origination = own.origination_date.map_or(schedule.origination, |day| day.0);
    let status = own.loan_status.clone();
    let address = own.servicer_address.clone();
    json!({
        "account_id": account.id(item_id),
        "account_number": format!("427754{}", account.mask.as_deref().unwrap_or("7777")),
        "disbursement_dates": [origination.to_string()],
        "expected_payoff_date": end.to_string(),
        "guarantor": own.guarantor.as_deref().unwrap_or("DEPT OF ED"),
        "interest_rate_percentage": own.nominal_apr.unwrap_or(loan::terms(account).rate),
        "is_overdue": own.is_overdue.unwrap_or(false),
        "last_payment_amount": schedule.payment.json(),
        "last_payment_date": schedule.last_payment.to_string(),
        "last_statement_balance": account.current.json(),
        "last_statement_issue_date": last_on(28, today).to_string(),
        "loan_name": own.loan_name.as_deref().unwrap_or("Consolidation"),
        "loan_status": status.unwrap_or_else(|| json!({
            "type": "repayment",
            "end_date": end.to_string(),
        })),
        "minimum_payment_amount": own.minimum_payment_amount.unwrap_or(schedule.payment).json(),
        "next_payment_due_date": schedule.next_payment.to_string(),
        "origination_date": origination.to_string(),
        "origination_principal_amount": own.principal.unwrap_or(schedule.principal).json(),
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
        "servicer_address": address.unwrap_or_else(|| json!({
            "street": "123 Relaxation Road",
            "city": "San Matias",
            "region": "CA",
            "postal_code": "99415",
            "country": "US",
        })),
        "ytd_interest_paid": schedule.interest_this_year.json(),
        "ytd_principal_paid": schedule.principal_this_year.json(),
    })
}

/// The last time that the month had this day, today included.
fn last_on(day: i8, today: Date) -> Date {
    let this_month = Date::new(today.year(), today.month(), day).unwrap_or(today);
    if this_month <= today {
        this_month
    } else {
        months_after(this_month, -1)
    }
}
