//! Who owns an account: <https://plaid.com/docs/api/products/identity/>.

use serde_json::{Value, json};

use super::person::Person;
use crate::data::accounts::Account;

/// The `owners` of an account.
pub(crate) fn owners(person: &Person, account: &Account) -> Value {
    let own = person
        .custom()
        .and_then(|custom| custom.override_of(account))
        .and_then(|wanted| wanted.identity.as_ref());
    if let Some(own) = own {
        return json!([{
            "names": own.names,
            "phone_numbers": own.phone_numbers,
            "emails": own.emails,
            "addresses": own.addresses,
        }]);
    }
    json!([{
        "names": [person.persona().owner],
        "phone_numbers": [
            {"data": "2025550123", "primary": false, "type": "home"},
            {"data": "1112224444", "primary": false, "type": "work"},
            {"data": "1112225555", "primary": true, "type": "mobile"},
        ],
        "emails": [
            {"data": "accountholder0@example.com", "primary": true, "type": "primary"},
            {"data": "accountholder1@example.com", "primary": false, "type": "secondary"},
        ],
        "addresses": [
            {
                "data": {
                    "street": "2992 Cameron Road",
                    "city": "Malakoff",
                    "region": "NY",
                    "postal_code": "14236",
                    "country": "US",
                },
                "primary": true,
            },
            {
                "data": {
                    "street": "2493 Leisure Lane",
                    "city": "San Matias",
                    "region": "CA",
                    "postal_code": "93405-2255",
                    "country": "US",
                },
                "primary": false,
            },
        ],
    }])
}
