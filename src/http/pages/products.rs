//! Plaid's products in the words of the people whose data it is.

/// What a connection always gives, whatever the product: Plaid answers `/accounts/get` for every Item.
const ALWAYS: &str = "Account names, types and balances";

/// What is shared when `names` (as Plaid spells them) are asked for, one short phrase each, without repeats.
/// A name that is not known here is put in readable form. No names: nothing.
#[must_use]
pub fn plain_products(names: &[String]) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::with_capacity(names.len() + 1);
    for name in names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        if phrases.is_empty() {
            phrases.push(ALWAYS.to_owned());
        }
        let phrase = known(name).map_or_else(|| readable(name), str::to_owned);
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    }
    phrases
}

/// The products of plaid.com/docs/api/link (`products` of `/link/token/create`).
fn known(name: &str) -> Option<&'static str> {
    Some(match name {
        "auth" => "Account and routing numbers",
        "balance" | "balance_plus" => ALWAYS,
        "transactions" | "transactions_refresh" => "Transaction history",
        "recurring_transactions" => "Recurring payments and income",
        "identity" => "Account holder’s name, address, phone and email",
        "identity_match" => "Whether your name and address match the bank’s records",
        "investments" => "Investment holdings and trades",
        "investments_auth" => "Investment account numbers and holdings",
        "liabilities" => "Credit card and loan details",
        "credit_details" => "Credit card details",
        "assets" => "A report of your balances and past transactions",
        "statements" => "Bank statements",
        "standing_orders" => "Standing orders",
        "income" | "income_verification" => "Your income",
        "employment" => "Your employment",
        "signal" => "How likely a payment from your account is to fail",
        "transfer" => "Moving money to or from your account",
        "payment_initiation" | "pay_by_bank" => "Starting payments from your account",
        "identity_verification" => "Proof of who you are",
        "processor_payments" => "Payment details for a payment processor",
        "processor_identity" => "Account holder’s details for a payment processor",
        _ => return None,
    })
}

/// `cra_base_report` as "Cra base report": not pretty, but nothing is hidden from the one who consents.
fn readable(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
