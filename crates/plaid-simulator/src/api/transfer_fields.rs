//! What `/transfer/…` takes: <https://plaid.com/docs/api/products/transfer/initiating-transfers/>.

use crate::spec::fields::{Field, Kind, NON_EMPTY, TEXT, nullable, optional, required};

const TYPE: Kind = Kind::OneOf(&["debit", "credit"]);
const NETWORK: Kind = Kind::OneOf(&["ach", "same-day-ach", "rtp", "wire"]);
const ACH_CLASS: Kind = Kind::OneOf(&["ccd", "ppd", "tel", "web"]);
const KEY: Kind = Kind::Text { min: 0, max: 50 };

const ADDRESS: Kind = Kind::Object(&[
    optional("street", TEXT),
    optional("city", TEXT),
    optional("region", TEXT),
    optional("postal_code", TEXT),
    optional("country", TEXT),
]);

pub(super) const AUTHORIZATION: &[Field] = &[
    required("access_token", TEXT),
    required("account_id", TEXT),
    required("type", TYPE),
    required("network", NETWORK),
    required("amount", TEXT),
    required(
        "user",
        Kind::Object(&[
            required("legal_name", NON_EMPTY),
            optional("phone_number", TEXT),
            optional("email_address", TEXT),
            optional("address", ADDRESS),
        ]),
    ),
    nullable("funding_account_id", TEXT),
    nullable("ledger_id", TEXT),
    optional("payment_profile_token", TEXT),
    optional("ach_class", ACH_CLASS),
    nullable(
        "wire_details",
        Kind::Object(&[
            nullable("message_to_beneficiary", TEXT),
            nullable("wire_return_fee", TEXT),
        ]),
    ),
    optional(
        "device",
        Kind::Object(&[optional("ip_address", TEXT), optional("user_agent", TEXT)]),
    ),
    optional("origination_account_id", TEXT),
    optional("iso_currency_code", Kind::OneOf(&["USD"])),
    nullable("idempotency_key", KEY),
    nullable("user_present", Kind::Bool),
    nullable("with_guarantee", Kind::Bool),
    nullable("request_guarantee", Kind::Bool),
    nullable("beacon_session_id", TEXT),
    nullable("originator_client_id", TEXT),
    nullable(
        "credit_funds_source",
        Kind::OneOf(&["sweep", "prefunded_rtp_credits", "prefunded_ach_credits"]),
    ),
    nullable("test_clock_id", TEXT),
    nullable("ruleset_key", TEXT),
    nullable("custom_attributes", Kind::AnyObject),
    optional(
        "user_attributes",
        Kind::Object(&[
            nullable("account_created_time", Kind::DateTime),
            nullable(
                "successful_payment_count",
                Kind::Integer {
                    min: 0,
                    max: i64::MAX,
                },
            ),
        ]),
    ),
];

pub(super) const CREATE: &[Field] = &[
    required("access_token", TEXT),
    required("account_id", TEXT),
    required("authorization_id", TEXT),
    required("description", Kind::Text { min: 1, max: 15 }),
    optional("idempotency_key", KEY),
    optional("type", TYPE),
    optional("network", NETWORK),
    optional("amount", TEXT),
    optional("ach_class", ACH_CLASS),
    nullable(
        "user",
        Kind::Object(&[
            optional("legal_name", TEXT),
            optional("phone_number", TEXT),
            optional("email_address", TEXT),
            optional("address", ADDRESS),
        ]),
    ),
    nullable("metadata", Kind::AnyObject),
    nullable("origination_account_id", TEXT),
    optional("iso_currency_code", Kind::OneOf(&["USD"])),
    nullable("test_clock_id", TEXT),
    optional("facilitator_fee", TEXT),
];
