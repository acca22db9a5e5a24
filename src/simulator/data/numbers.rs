//! Account and routing numbers: <https://plaid.com/docs/api/products/auth/>. The American ones are those of Plaid's
//! samples; the others only look right.

use serde_json::{Value, json};

use super::person::Person;
use crate::simulator::accounts::Account;
use crate::simulator::deposits::Deposit;

/// The account number that a bank in the United States has for an account.
pub(in crate::simulator) fn account_number(account: &Account) -> String {
    format!("111122223333{}", account.mask.as_deref().unwrap_or("0000"))
}

/// The `numbers` of `/auth/get`. Those of an account whose numbers were typed in are these, and the one for wires is not
/// known.
pub(in crate::simulator) fn json<'a>(
    person: &Person,
    typed: Option<&Deposit>,
    accounts: impl Iterator<Item = &'a Account>,
    item_id: &str,
    country: &str,
) -> Value {
    let (mut ach, mut eft, mut bacs, mut international) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for account in accounts.filter(|account| account.has_numbers()) {
        let id = account.id(item_id);
        let own = person
            .custom()
            .and_then(|custom| custom.override_of(account))
            .and_then(|wanted| wanted.numbers.as_ref());
        let given = |of: Option<&String>, usual: &str| of.map_or_else(|| usual.to_owned(), Clone::clone);
        let mask = account.mask.as_deref().unwrap_or("0000");
        let given_account = own.and_then(|own| own.account.as_ref());
        match country {
            "CA" => eft.push(json!({
                "account_id": id,
                "account": given(given_account, &format!("11112222{mask}")),
                "institution": given(own.and_then(|own| own.eft_institution.as_ref()), "021"),
                "branch": given(own.and_then(|own| own.eft_branch.as_ref()), "01140"),
            })),
            "GB" => {
                bacs.push(json!({
                    "account_id": id,
                    "account": given(given_account, &format!("3192{mask}")),
                    "sort_code": given(own.and_then(|own| own.bacs_sort_code.as_ref()), "601613"),
                }));
                international.push(json!({
                    "account_id": id,
                    "iban": given(
                        own.and_then(|own| own.international_iban.as_ref()),
                        &format!("GB29NWBK6016133192{mask}"),
                    ),
                    "bic": given(own.and_then(|own| own.international_bic.as_ref()), "NWBKGB21"),
                }));
            }
            _ => ach.push(match typed.filter(|typed| typed.is_of(account)) {
                Some(typed) => json!({
                    "account_id": id,
                    "account": typed.numbers.account,
                    "routing": typed.numbers.routing,
                    "wire_routing": null,
                }),
                None => json!({
                "account_id": id,
                "account": given(given_account, &account_number(account)),
                "routing": given(own.and_then(|own| own.ach_routing.as_ref()), "011401533"),
                "wire_routing": given(own.and_then(|own| own.ach_wire_routing.as_ref()), "021000021"),
                }),
            }),
        }
    }
    json!({"ach": ach, "eft": eft, "international": international, "bacs": bacs})
}
