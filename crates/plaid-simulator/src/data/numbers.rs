//! Account and routing numbers: <https://plaid.com/docs/api/products/auth/>. The American ones are those of Plaid's
//! samples; the others only look right.

use serde_json::{Value, json};

use super::accounts::account_number;
use super::deposits::Deposit;
use super::rng::Rng;
use super::{Account, Person};
use crate::spec::Institution;

/// The `numbers` of `/auth/get`. Those of an account whose numbers were typed in are these, and the one for wires is not
/// known.
pub(crate) fn json<'a>(
    person: &Person,
    typed: Option<&Deposit>,
    accounts: impl Iterator<Item = &'a Account>,
    item_id: &str,
    institution: &Institution,
) -> Value {
    let (mut ach, mut eft, mut bacs, mut international) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for account in accounts.filter(|account| account.has_numbers()) {
        let id = account.id(item_id);
        let own = person
            .override_of(account)
            .and_then(|wanted| wanted.numbers.as_ref());
        let given = |of: Option<&String>, usual: &str| of.map_or_else(|| usual.to_owned(), Clone::clone);
        let mask = account.mask.as_deref().unwrap_or("0000");
        let given_account = own.and_then(|own| own.account.as_ref());
        match institution.country {
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
            "US" => {
                let typed = typed.filter(|typed| typed.is_of(account));
                let tokenized = typed.is_none() && institution.tokenizes_numbers && given_account.is_none();
                let usual = if tokenized {
                    tokenized_number(item_id, account.key)
                } else {
                    account_number(account)
                };
                ach.push(typed.map_or_else(
                    || {
                        json!({
                            "account_id": id,
                            "account": given(given_account, &usual),
                            "is_tokenized_account_number": tokenized,
                            "routing": given(own.and_then(|own| own.ach_routing.as_ref()), "011401533"),
                            "wire_routing": given(own.and_then(|own| own.ach_wire_routing.as_ref()), "021000021"),
                        })
                    },
                    |typed| {
                        json!({
                            "account_id": id,
                            "account": typed.numbers.account,
                            "is_tokenized_account_number": false,
                            "routing": typed.numbers.routing,
                            "wire_routing": null,
                        })
                    },
                ));
            }
            country => international.push(json!({
                "account_id": id,
                "iban": given(own.and_then(|own| own.international_iban.as_ref()), &iban(country, mask)),
                "bic": given(
                    own.and_then(|own| own.international_bic.as_ref()),
                    &format!("PLTY{country}21"),
                ),
            })),
        }
    }
    json!({"ach": ach, "eft": eft, "international": international, "bacs": bacs})
}

/// A number that the bank made for this connection alone.
fn tokenized_number(item_id: &str, key: &str) -> String {
    let number = Rng::new(&[item_id, key, "number"], 0).between(0, 999_999_999_999);
    format!("9007{number:012}")
}

/// An IBAN of the country's length with a right check sum; of its parts only the mask says anything.
fn iban(country: &str, mask: &str) -> String {
    let (letters, length): (&str, usize) = match country {
        "NO" => ("", 15),
        "BE" => ("", 16),
        "DK" | "FI" => ("", 18),
        "NL" => ("PLTY", 18),
        "AT" | "EE" | "LT" => ("", 20),
        "LV" => ("PLTY", 21),
        "IE" => ("PLTY", 22),
        "ES" | "SE" => ("", 24),
        "PT" => ("", 25),
        "IT" => ("X", 27),
        "FR" => ("", 27),
        "PL" => ("", 28),
        _ => ("", 22),
    };
    let digits: String = mask.chars().filter(char::is_ascii_digit).collect();
    let width = length - 4 - letters.len();
    let rest = format!("{letters}{digits:0>width$}");
    let check = 98 - remainder_of_97(&format!("{rest}{country}00"));
    format!("{country}{check:02}{rest}")
}

/// Of the number that an IBAN is, with its letters counted from 10.
fn remainder_of_97(text: &str) -> u32 {
    text.chars()
        .filter_map(|letter| letter.to_digit(36))
        .fold(0, |rest, value| {
            let shifted = if value < 10 { rest * 10 } else { rest * 100 };
            (shifted + value) % 97
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_have_their_check_sum() {
        assert_eq!(remainder_of_97("NWBK60161331926819GB29"), 1);
        for (country, length) in [
            ("DE", 22),
            ("NO", 15),
            ("FR", 27),
            ("NL", 18),
            ("IT", 27),
            ("LV", 21),
        ] {
            let iban = iban(country, "0000");
            assert_eq!(iban.len(), length, "{iban}");
            let (head, rest) = iban.split_at(4);
            assert_eq!(remainder_of_97(&format!("{rest}{head}")), 1, "{iban}");
        }
    }

    #[test]
    fn connections_have_numbers_of_their_own() {
        let numbers =
            [("a", "0000"), ("b", "0000"), ("a", "1111")].map(|(item, key)| tokenized_number(item, key));
        assert!(numbers.iter().all(|number| number.len() == 16));
        assert!(numbers[0] != numbers[1] && numbers[0] != numbers[2]);
    }
}
