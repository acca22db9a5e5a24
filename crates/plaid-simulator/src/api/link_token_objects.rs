//! Objects of `/link/token/create` for products that Items do not start with here. Their form is checked, and nothing
//! else comes of them: <https://plaid.com/docs/api/link/#linktokencreate>.

use crate::spec::fields::{Kind, TEXT, nullable, optional, required, stated};

const WHOLE: Kind = Kind::Integer {
    min: i64::MIN,
    max: i64::MAX,
};

/// For switching cards.
pub(super) const CARD_SWITCH: Kind = Kind::Settings(&[required("card_bin", TEXT)]);

/// Deprecated.
pub(super) const EU_CONFIG: Kind = Kind::Settings(&[optional("headless", Kind::Bool)]);

/// For Pay by Bank.
pub(super) const PAYMENT_CONFIGURATION: Kind =
    Kind::Settings(&[required("amount", TEXT), optional("description", TEXT)]);

/// For the product `employment`.
pub(super) const EMPLOYMENT: Kind = Kind::Settings(&[
    optional(
        "employment_source_types",
        Kind::List {
            of: &Kind::OneOf(&["bank", "payroll"]),
            min: 0,
        },
    ),
    optional(
        "bank_employment",
        Kind::Object(&[required("days_requested", WHOLE)]),
    ),
]);

/// For the product `income_verification`.
pub(super) const INCOME_VERIFICATION: Kind = Kind::Settings(&[
    optional("income_verification_id", TEXT),
    optional("asset_report_id", TEXT),
    nullable("access_tokens", Kind::List { of: &TEXT, min: 0 }),
    optional(
        "income_source_types",
        Kind::List {
            of: &Kind::OneOf(&["bank", "payroll"]),
            min: 0,
        },
    ),
    optional(
        "bank_income",
        Kind::Object(&[
            required("days_requested", Kind::Integer { min: 1, max: 731 }),
            nullable("enable_multiple_items", Kind::Bool),
        ]),
    ),
    optional(
        "payroll_income",
        Kind::Object(&[
            nullable(
                "flow_types",
                Kind::List {
                    of: &Kind::OneOf(&["payroll_digital_income", "payroll_document_income"]),
                    min: 0,
                },
            ),
            optional("is_update_mode", Kind::Bool),
            nullable("item_id_to_update", TEXT),
            nullable(
                "parsing_config",
                Kind::List {
                    of: &Kind::OneOf(&["ocr", "risk_signals"]),
                    min: 0,
                },
            ),
        ]),
    ),
    optional(
        "stated_income_sources",
        Kind::List {
            of: &Kind::Object(&[
                optional("employer", TEXT),
                optional(
                    "category",
                    Kind::OneOf(&[
                        "OTHER",
                        "SALARY",
                        "UNEMPLOYMENT",
                        "CASH",
                        "GIG_ECONOMY",
                        "RENTAL",
                        "CHILD_SUPPORT",
                        "MILITARY",
                        "RETIREMENT",
                        "LONG_TERM_DISABILITY",
                        "BANK_INTEREST",
                    ]),
                ),
                optional("pay_per_cycle", Kind::Number),
                optional("pay_annual", Kind::Number),
                optional("pay_type", Kind::OneOf(&["UNKNOWN", "GROSS", "NET"])),
                optional(
                    "pay_frequency",
                    Kind::OneOf(&["UNKNOWN", "WEEKLY", "BIWEEKLY", "SEMI_MONTHLY", "MONTHLY"]),
                ),
            ]),
            min: 0,
        },
    ),
]);

/// Deprecated.
pub(super) const BASE_REPORT: Kind = Kind::Settings(&[
    required("days_requested", Kind::Integer { min: 1, max: 730 }),
    nullable("client_report_id", TEXT),
]);

/// For insights of credit partners.
pub(super) const CREDIT_PARTNER_INSIGHTS: Kind =
    Kind::Settings(&[optional("days_requested", Kind::Integer { min: 1, max: 730 })]);

/// For reports of Plaid Check.
pub(super) const CRA_OPTIONS: Kind = Kind::Settings(&[
    required(
        "days_requested",
        Kind::Integer {
            min: i64::MIN,
            max: 731,
        },
    ),
    optional(
        "days_required",
        Kind::Integer {
            min: i64::MIN,
            max: 184,
        },
    ),
    nullable("client_report_id", TEXT),
    optional(
        "partner_insights",
        Kind::Object(&[
            nullable(
                "prism_versions",
                Kind::Object(&[
                    nullable("firstdetect", Kind::OneOf(&["3"])),
                    nullable("detect", Kind::OneOf(&["4.1", "4"])),
                    nullable("cashscore", Kind::OneOf(&["4.1", "4", "3_lite", "3"])),
                    nullable("extend", Kind::OneOf(&["4.1", "4"])),
                    nullable("insights", Kind::OneOf(&["4.1", "4", "3"])),
                ]),
            ),
            nullable(
                "fico",
                Kind::Object(&[
                    required("fico_lender_id", TEXT),
                    required("lender_application_id", TEXT),
                    required(
                        "ultrafico_score_requests",
                        Kind::List {
                            of: &Kind::Object(&[
                                required("ultrafico_score_version", Kind::OneOf(&["1.0"])),
                                required(
                                    "base_fico_score",
                                    Kind::Object(&[
                                        required(
                                            "bureau",
                                            Kind::OneOf(&["EQUIFAX", "EXPERIAN", "TRANSUNION"]),
                                        ),
                                        required("score", WHOLE),
                                        required(
                                            "base_fico_score_version",
                                            Kind::OneOf(&["8", "9", "10", "10T"]),
                                        ),
                                        optional("reason_codes", Kind::List { of: &TEXT, min: 0 }),
                                        nullable("reason_code_1", TEXT),
                                        nullable("reason_code_2", TEXT),
                                        nullable("reason_code_3", TEXT),
                                        nullable("reason_code_4", TEXT),
                                        nullable("did_inquiries_adversely_affect_score", Kind::Bool),
                                    ]),
                                ),
                                optional("fico_scoring_request_id", TEXT),
                                optional("request_correlation_id", TEXT),
                            ]),
                            min: 0,
                        },
                    ),
                ]),
            ),
        ]),
    ),
    optional(
        "base_report",
        Kind::Object(&[
            nullable("client_report_id", TEXT),
            nullable(
                "gse_options",
                Kind::Object(&[required(
                    "report_types",
                    Kind::List {
                        of: &Kind::OneOf(&["VOA", "EMPLOYMENT_REFRESH"]),
                        min: 0,
                    },
                )]),
            ),
            nullable("require_identity", Kind::Bool),
            nullable(
                "home_lending_report_options",
                Kind::Object(&[
                    required(
                        "reports_requested",
                        Kind::List {
                            of: &Kind::OneOf(&["VOA", "EMPLOYMENT_REFRESH", "INCOME"]),
                            min: 0,
                        },
                    ),
                    nullable(
                        "employment_refresh_options",
                        Kind::Object(&[required(
                            "days_requested",
                            Kind::Integer {
                                min: i64::MIN,
                                max: 731,
                            },
                        )]),
                    ),
                ]),
            ),
        ]),
    ),
    optional(
        "cashflow_insights",
        Kind::Object(&[nullable(
            "attributes_version",
            Kind::OneOf(&["v1.0", "v2.0", "CFI1"]),
        )]),
    ),
    optional(
        "lend_score",
        Kind::Object(&[nullable(
            "lend_score_version",
            Kind::OneOf(&["v1.0", "v2.0", "LS1"]),
        )]),
    ),
    optional(
        "network_insights",
        Kind::Object(&[nullable("network_insights_version", Kind::OneOf(&["NI1"]))]),
    ),
    nullable("include_investments", Kind::Bool),
    optional(
        "income_insights",
        Kind::Object(&[
            stated("income_insights_version", Kind::OneOf(&["II2"])),
            nullable(
                "income_insights_filter",
                Kind::Object(&[
                    required("included_categories", Kind::List { of: &TEXT, min: 0 }),
                    optional("excluded_categories", Kind::List { of: &TEXT, min: 0 }),
                ]),
            ),
        ]),
    ),
]);

/// For a report of Plaid Check.
pub(super) const CRA_REPORT_PARAMETER: Kind = Kind::Settings(&[
    stated("scope", Kind::Any),
    required(
        "decision_stage",
        Kind::OneOf(&["PREQUALIFICATION", "DECISIONING", "SERVICING"]),
    ),
    nullable("client_report_id", TEXT),
    nullable("days_requested", Kind::Integer { min: 0, max: 731 }),
    nullable("days_required", Kind::Integer { min: 0, max: 184 }),
    nullable("include_investments", Kind::Bool),
    nullable("include_identity_match", Kind::Bool),
    optional("products", Kind::List { of: &TEXT, min: 0 }),
]);

/// For cash flow reports.
pub(super) const CASHFLOW_REPORT: Kind =
    Kind::Settings(&[optional("days_requested", Kind::Integer { min: 1, max: 730 })]);
