//! The fields of `/link/token/create` and `/link/token/get`: <https://plaid.com/docs/api/link/>.

use super::account_filters::ACCOUNT_FILTERS;
use super::link_token_objects as objects;
use super::user::ID_NUMBERS;
use crate::spec::fields::{Field, Kind, NON_EMPTY, TEXT, nullable, optional, required};

/// The countries that Plaid serves.
pub(super) const COUNTRIES: &[&str] = &[
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV", "PT",
    "BE", "AT", "FI",
];

/// The languages that Link speaks.
const LANGUAGES: &[&str] = &[
    "da", "nl", "en", "et", "fr", "de", "hi", "it", "lv", "lt", "no", "pl", "pt", "ro", "es", "sv", "vi",
];

/// Product names are checked later: an unknown one has an error of its own.
const PRODUCTS: Kind = Kind::List { of: &TEXT, min: 0 };

const USER: Kind = Kind::Object(&[
    required("client_user_id", NON_EMPTY),
    optional("legal_name", TEXT),
    nullable(
        "name",
        Kind::Object(&[required("given_name", TEXT), required("family_name", TEXT)]),
    ),
    optional("phone_number", TEXT),
    nullable("phone_number_verified_time", Kind::DateTime),
    optional("email_address", TEXT),
    nullable("email_address_verified_time", Kind::DateTime),
    optional("ssn", TEXT),
    nullable("date_of_birth", Kind::Date),
    nullable(
        "address",
        Kind::Object(&[
            required("country", TEXT),
            nullable("street", TEXT),
            nullable("street2", TEXT),
            nullable("city", TEXT),
            nullable("region", TEXT),
            nullable("postal_code", TEXT),
        ]),
    ),
    nullable(
        "id_number",
        Kind::Object(&[required("value", TEXT), required("type", Kind::OneOf(ID_NUMBERS))]),
    ),
]);

const AUTH: Kind = Kind::Settings(&[
    optional("auth_type_select_enabled", Kind::Bool),
    optional("automated_microdeposits_enabled", Kind::Bool),
    optional("instant_match_enabled", Kind::Bool),
    optional("same_day_microdeposits_enabled", Kind::Bool),
    optional("instant_microdeposits_enabled", Kind::Bool),
    optional(
        "reroute_to_credentials",
        Kind::OneOf(&["OFF", "OPTIONAL", "FORCED"]),
    ),
    optional("database_match_enabled", Kind::Bool),
    optional("database_insights_enabled", Kind::Bool),
    optional("flow_type", Kind::OneOf(&["FLEXIBLE_AUTH"])),
    optional("sms_microdeposits_verification_enabled", Kind::Bool),
]);

/// 21 days, in seconds.
const LONGEST_URL_LIFETIME: i64 = 21 * 24 * 60 * 60;

const HOSTED_LINK: Kind = Kind::Settings(&[
    optional("delivery_method", Kind::OneOf(&["sms", "email"])),
    optional("completion_redirect_uri", TEXT),
    optional(
        "url_lifetime_seconds",
        Kind::Integer {
            min: 1,
            max: LONGEST_URL_LIFETIME,
        },
    ),
    optional("is_mobile_app", Kind::Bool),
]);

const UPDATE: Kind = Kind::Settings(&[
    optional("account_selection_enabled", Kind::Bool),
    optional("reauthorization_enabled", Kind::Bool),
    optional("user", Kind::Bool),
    nullable("item_ids", Kind::List { of: &TEXT, min: 0 }),
]);

/// `/link/token/create`
pub(super) const CREATE: &[Field] = &[
    required("client_name", NON_EMPTY),
    required("language", Kind::OneOf(LANGUAGES)),
    required(
        "country_codes",
        Kind::List {
            of: &Kind::OneOf(COUNTRIES),
            min: 1,
        },
    ),
    optional("user", USER),
    optional("user_id", TEXT),
    optional("user_token", TEXT),
    nullable("products", PRODUCTS),
    nullable("required_if_supported_products", PRODUCTS),
    nullable("optional_products", PRODUCTS),
    nullable("additional_consented_products", PRODUCTS),
    optional("webhook", Kind::Url),
    nullable("access_token", NON_EMPTY),
    optional("access_tokens", Kind::List { of: &TEXT, min: 0 }),
    optional("link_customization_name", TEXT),
    optional("redirect_uri", TEXT),
    optional("android_package_name", TEXT),
    optional(
        "institution_data",
        Kind::Settings(&[optional("routing_number", TEXT)]),
    ),
    optional("institution_id", TEXT),
    optional("account_filters", ACCOUNT_FILTERS),
    optional("auth", AUTH),
    optional("hosted_link", HOSTED_LINK),
    optional("update", UPDATE),
    optional(
        "transactions",
        Kind::Settings(&[optional("days_requested", Kind::Integer { min: 1, max: 730 })]),
    ),
    optional(
        "statements",
        Kind::Settings(&[
            required("start_date", Kind::Date),
            required("end_date", Kind::Date),
        ]),
    ),
    optional(
        "payment_initiation",
        Kind::Settings(&[optional("payment_id", TEXT), optional("consent_id", TEXT)]),
    ),
    optional(
        "transfer",
        Kind::Settings(&[
            optional("intent_id", TEXT),
            optional("authorization_id", TEXT),
            optional("payment_profile_token", TEXT),
        ]),
    ),
    nullable("appearance_mode", Kind::OneOf(&["LIGHT", "DARK", "SYSTEM"])),
    optional(
        "consumer_report_permissible_purpose",
        Kind::OneOf(&[
            "ACCOUNT_REVIEW_CREDIT",
            "ACCOUNT_REVIEW_NON_CREDIT",
            "EXTENSION_OF_CREDIT",
            "LEGITIMATE_BUSINESS_NEED_TENANT_SCREENING",
            "LEGITIMATE_BUSINESS_NEED_OTHER",
            "WRITTEN_INSTRUCTION_PREQUALIFICATION",
            "WRITTEN_INSTRUCTION_OTHER",
            "ELIGIBILITY_FOR_GOVT_BENEFITS",
        ]),
    ),
    optional("third_party_user_token", TEXT),
    optional("cra_enabled", Kind::Bool),
    optional("enable_multi_item_link", Kind::Bool),
    optional("financekit_supported", Kind::Bool),
    optional("base_report", objects::BASE_REPORT),
    optional("card_switch", objects::CARD_SWITCH),
    optional("cashflow_report", objects::CASHFLOW_REPORT),
    optional("cra_options", objects::CRA_OPTIONS),
    optional("cra_report_parameter", objects::CRA_REPORT_PARAMETER),
    optional("credit_partner_insights", objects::CREDIT_PARTNER_INSIGHTS),
    optional("employment", objects::EMPLOYMENT),
    optional("eu_config", objects::EU_CONFIG),
    optional(
        "identity",
        Kind::Settings(&[
            optional("is_document_upload", Kind::Bool),
            optional("account_ids", Kind::List { of: &TEXT, min: 0 }),
            optional(
                "parsing_configs",
                Kind::List {
                    of: &Kind::OneOf(&["ocr", "risk_signals"]),
                    min: 0,
                },
            ),
        ]),
    ),
    optional(
        "identity_verification",
        Kind::Settings(&[
            required("template_id", TEXT),
            optional("consent", Kind::Bool),
            optional("gave_consent", Kind::Bool),
        ]),
    ),
    optional("income_verification", objects::INCOME_VERIFICATION),
    optional(
        "investments",
        Kind::Settings(&[
            optional("allow_unverified_crypto_wallets", Kind::Bool),
            optional("allow_manual_entry", Kind::Bool),
        ]),
    ),
    optional(
        "investments_auth",
        Kind::Settings(&[
            nullable("manual_entry_enabled", Kind::Bool),
            nullable("masked_number_match_enabled", Kind::Bool),
            nullable("stated_account_number_enabled", Kind::Bool),
            nullable("rollover_401k_enabled", Kind::Bool),
        ]),
    ),
    optional("payment_configuration", objects::PAYMENT_CONFIGURATION),
];

/// `/link/token/get`
pub(super) const GET: &[Field] = &[required("link_token", TEXT)];
