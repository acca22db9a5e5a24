//! Objects of `/link/token/create` for products that Items do not start with here. Their form is checked, and they have
//! no further effect: <https://plaid.com/docs/api/link/#linktokencreate>.

use crate::spec::fields::{INTEGER, Kind, TEXT, TEXTS, fields, int, list};

pub(super) const DAYS: Kind = Kind::Settings(fields! { optional days_requested: int(1, 730), });
pub(super) const CARD_SWITCH: Kind = Kind::Settings(fields! { required card_bin: TEXT, });
/// Deprecated.
pub(super) const EU_CONFIG: Kind = Kind::Settings(fields! { optional headless: Kind::Bool, });
const SOURCES: Kind = list(&Kind::OneOf(&["bank", "payroll"]));
const PARSING: Kind = list(&Kind::OneOf(&["ocr", "risk_signals"]));

/// For Pay by Bank.
pub(super) const PAYMENT_CONFIGURATION: Kind = Kind::Settings(fields! {
    required amount: TEXT,
    optional description: TEXT,
});

pub(super) const IDENTITY: Kind = Kind::Settings(fields! {
    optional is_document_upload: Kind::Bool,
    optional account_ids: TEXTS,
    optional parsing_configs: PARSING,
});

pub(super) const IDENTITY_VERIFICATION: Kind = Kind::Settings(fields! {
    required template_id: TEXT,
    optional consent: Kind::Bool,
    optional gave_consent: Kind::Bool,
});

pub(super) const INVESTMENTS: Kind = Kind::Settings(fields! {
    optional allow_unverified_crypto_wallets: Kind::Bool,
    optional allow_manual_entry: Kind::Bool,
});

pub(super) const INVESTMENTS_AUTH: Kind = Kind::Settings(fields! {
    nullable manual_entry_enabled: Kind::Bool,
    nullable masked_number_match_enabled: Kind::Bool,
    nullable stated_account_number_enabled: Kind::Bool,
    nullable rollover_401k_enabled: Kind::Bool,
});

pub(super) const EMPLOYMENT: Kind = Kind::Settings(fields! {
    optional employment_source_types: SOURCES,
    optional bank_employment: Kind::Object(fields! { required days_requested: INTEGER, }),
});

pub(super) const INCOME_VERIFICATION: Kind = Kind::Settings(fields! {
    optional income_verification_id: TEXT,
    optional asset_report_id: TEXT,
    nullable access_tokens: TEXTS,
    optional income_source_types: SOURCES,
    optional bank_income: Kind::Object(fields! {
        required days_requested: int(1, 731),
        nullable enable_multiple_items: Kind::Bool,
    }),
    optional payroll_income: Kind::Object(fields! {
        nullable flow_types: list(&Kind::OneOf(&["payroll_digital_income", "payroll_document_income"])),
        optional is_update_mode: Kind::Bool,
        nullable item_id_to_update: TEXT,
        nullable parsing_config: PARSING,
    }),
    optional stated_income_sources: list(&Kind::Object(fields! {
        optional employer: TEXT,
        optional category: Kind::OneOf(&[
            "OTHER", "SALARY", "UNEMPLOYMENT", "CASH", "GIG_ECONOMY", "RENTAL", "CHILD_SUPPORT", "MILITARY", "RETIREMENT",
            "LONG_TERM_DISABILITY", "BANK_INTEREST",
        ]),
        optional pay_per_cycle: Kind::Number,
        optional pay_annual: Kind::Number,
        optional pay_type: Kind::OneOf(&["UNKNOWN", "GROSS", "NET"]),
        optional pay_frequency: Kind::OneOf(&["UNKNOWN", "WEEKLY", "BIWEEKLY", "SEMI_MONTHLY", "MONTHLY"]),
    })),
});

/// Deprecated.
pub(super) const BASE_REPORT: Kind = Kind::Settings(fields! {
    required days_requested: int(1, 730),
    nullable client_report_id: TEXT,
});

/// For reports of Plaid Check.
pub(super) const CRA_OPTIONS: Kind = Kind::Settings(fields! {
    required days_requested: int(i64::MIN, 731),
    optional days_required: int(i64::MIN, 184),
    nullable client_report_id: TEXT,
    optional partner_insights: Kind::Object(fields! {
        nullable prism_versions: Kind::Object(fields! {
            nullable firstdetect: Kind::OneOf(&["3"]),
            nullable detect: Kind::OneOf(&["4.1", "4"]),
            nullable cashscore: Kind::OneOf(&["4.1", "4", "3_lite", "3"]),
            nullable extend: Kind::OneOf(&["4.1", "4"]),
            nullable insights: Kind::OneOf(&["4.1", "4", "3"]),
        }),
        nullable fico: Kind::Object(fields! {
            required fico_lender_id: TEXT,
            required lender_application_id: TEXT,
            required ultrafico_score_requests: list(&Kind::Object(fields! {
                required ultrafico_score_version: Kind::OneOf(&["1.0"]),
                required base_fico_score: Kind::Object(fields! {
                    required bureau: Kind::OneOf(&["EQUIFAX", "EXPERIAN", "TRANSUNION"]),
                    required score: INTEGER,
                    required base_fico_score_version: Kind::OneOf(&["8", "9", "10", "10T"]),
                    optional reason_codes: TEXTS,
                    nullable reason_code_1: TEXT,
                    nullable reason_code_2: TEXT,
                    nullable reason_code_3: TEXT,
                    nullable reason_code_4: TEXT,
                    nullable did_inquiries_adversely_affect_score: Kind::Bool,
                }),
                optional fico_scoring_request_id: TEXT,
                optional request_correlation_id: TEXT,
            })),
        }),
    }),
    optional base_report: Kind::Object(fields! {
        nullable client_report_id: TEXT,
        nullable gse_options: Kind::Object(fields! {
            required report_types: list(&Kind::OneOf(&["VOA", "EMPLOYMENT_REFRESH"])),
        }),
        nullable require_identity: Kind::Bool,
        nullable home_lending_report_options: Kind::Object(fields! {
            required reports_requested: list(&Kind::OneOf(&["VOA", "EMPLOYMENT_REFRESH", "INCOME"])),
            nullable employment_refresh_options: Kind::Object(fields! {
                required days_requested: int(i64::MIN, 731),
            }),
        }),
    }),
    optional cashflow_insights: Kind::Object(fields! {
        nullable attributes_version: Kind::OneOf(&["v1.0", "v2.0", "CFI1"]),
    }),
    optional lend_score: Kind::Object(fields! {
        nullable lend_score_version: Kind::OneOf(&["v1.0", "v2.0", "LS1"]),
    }),
    optional network_insights: Kind::Object(fields! {
        nullable network_insights_version: Kind::OneOf(&["NI1"]),
    }),
    nullable include_investments: Kind::Bool,
    optional income_insights: Kind::Object(fields! {
        stated income_insights_version: Kind::OneOf(&["II2"]),
        nullable income_insights_filter: Kind::Object(fields! {
            required included_categories: TEXTS,
            optional excluded_categories: TEXTS,
        }),
    }),
});

pub(super) const CRA_REPORT_PARAMETER: Kind = Kind::Settings(fields! {
    stated scope: Kind::Any,
    required decision_stage: Kind::OneOf(&["PREQUALIFICATION", "DECISIONING", "SERVICING"]),
    nullable client_report_id: TEXT,
    nullable days_requested: int(0, 731),
    nullable days_required: int(0, 184),
    nullable include_investments: Kind::Bool,
    nullable include_identity_match: Kind::Bool,
    optional products: TEXTS,
});
