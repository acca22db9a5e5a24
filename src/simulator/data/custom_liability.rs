//! The `liability` of a custom account, for a credit card or a student loan.

use serde::Deserialize;
use serde_json::Value;

use super::calendar::Day;
use super::money::Money;

/// What of a liability the caller decides; the rest is made up.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::simulator) struct Liability {
    pub(super) purchase_apr: Option<f64>,
    pub(super) cash_apr: Option<f64>,
    pub(super) balance_transfer_apr: Option<f64>,
    pub(super) special_apr: Option<f64>,
    pub(super) last_payment_amount: Option<Money>,
    pub(super) minimum_payment_amount: Option<Money>,
    pub(super) is_overdue: Option<bool>,
    pub(super) origination_date: Option<Day>,
    pub(super) principal: Option<Money>,
    pub(super) nominal_apr: Option<f64>,
    pub(super) expected_payoff_date: Option<Day>,
    pub(super) guarantor: Option<String>,
    pub(super) loan_name: Option<String>,
    pub(super) loan_status: Option<Value>,
    pub(super) payment_reference_number: Option<String>,
    pub(super) repayment_plan_description: Option<String>,
    pub(super) repayment_plan_type: Option<String>,
    pub(super) sequence_number: Option<String>,
    pub(super) servicer_address: Option<Value>,
}
