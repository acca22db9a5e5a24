//! The `liability` of a custom account, for a credit card or a student loan.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::Money;
use super::calendar::Day;

/// What of a liability the caller decides; the rest is made up.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Liability {
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
    pub(super) repayment_model: Option<RepaymentModel>,
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

/// How a student loan is paid back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RepaymentModel {
    non_repayment_months: Option<f64>,
    repayment_months: Option<f64>,
}

impl Liability {
    /// One of which the caller decides nothing.
    pub(super) fn usual() -> &'static Self {
        static USUAL: LazyLock<Liability> = LazyLock::new(Liability::default);
        &USUAL
    }

    /// The months from origination to the last payment, if the caller says.
    pub(super) fn months(&self) -> Option<i32> {
        /// Longer than any loan.
        const MOST: f64 = 1_200.0;
        let model = self.repayment_model.as_ref()?;
        let months = model.repayment_months? + model.non_repayment_months.unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "it is clamped before")]
        let months = months.clamp(1.0, MOST) as i32;
        Some(months)
    }
}
