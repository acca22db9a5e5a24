//! The body of `/link/token/create`: <https://plaid.com/docs/api/link/#linktokencreate>.

use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value;

use super::link_objects as objects;
use crate::data::accounts::Filters;
use crate::data::calendar::{Day, months_after};
use crate::data::{Person, Source};
use crate::spec::fields::{Kind, NON_EMPTY, TEXT, TEXTS, fields, int, list, request, some};
use crate::spec::guesses::DeliveredPage;
use crate::spec::{Institution, products, subtypes};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a link token for an Item that exists, or a page, can be used unless the caller says more.
pub(crate) const SHORT_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// 21 days, in seconds.
const LONGEST_URL_LIFETIME: i64 = 21 * 24 * 60 * 60;

/// The countries that Plaid serves.
#[rustfmt::skip]
pub(crate) const COUNTRIES: Kind = some(&Kind::OneOf(&[
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV", "PT", "BE", "AT",
    "FI",
]));

/// The kinds of numbers that states give to people.
#[rustfmt::skip]
pub(crate) const ID_NUMBERS: Kind = Kind::OneOf(&[
    "ar_dni", "au_drivers_license", "au_passport", "br_cpf", "ca_sin", "cl_run", "cn_resident_card",
    "co_nit", "dk_cpr", "eg_national_id", "es_dni", "es_nie", "hk_hkid", "in_epic", "in_pan", "it_cf",
    "jo_civil_id", "jp_my_number", "ke_huduma_namba", "kw_civil_id", "mx_curp", "mx_rfc", "my_nric",
    "ng_nin", "nz_drivers_license", "om_civil_id", "ph_psn", "pl_pesel", "ro_cnp", "sa_national_id",
    "se_pin", "sg_nric", "tr_tc_kimlik", "us_ssn", "us_ssn_last_4", "za_smart_id",
]);

request! {
    /// Which of Auth's flows a session may have. Those that are left out are as the Dashboard has them.
    #[derive(Clone, Copy, Debug, serde::Serialize)]
    #[expect(clippy::struct_field_names, reason = "the names are Plaid's")]
    pub(crate) struct AuthFlags {
        optional auth_type_select_enabled: Kind::Bool => Option<bool>,
        optional automated_microdeposits_enabled: Kind::Bool => Option<bool>,
        optional instant_match_enabled: Kind::Bool => Option<bool>,
        optional same_day_microdeposits_enabled: Kind::Bool => Option<bool>,
        optional instant_microdeposits_enabled: Kind::Bool => Option<bool>,
        optional reroute_to_credentials: Kind::OneOf(&["OFF", "OPTIONAL", "FORCED"]),
        optional database_match_enabled: Kind::Bool,
        optional database_insights_enabled: Kind::Bool,
        optional flow_type: Kind::OneOf(&["FLEXIBLE_AUTH"]),
        optional sms_microdeposits_verification_enabled: Kind::Bool,
    }
}

request! {
    /// What the simulator acts on has a type here; the form of everything else is checked.
    #[derive(Clone, Debug, serde::Serialize)]
    pub(crate) struct LinkRequest {
        required client_name: NON_EMPTY => String,
        required language: Kind::OneOf(&[
            "da", "nl", "en", "et", "fr", "de", "hi", "it", "lv", "lt", "no", "pl", "pt", "ro", "es", "sv", "vi",
        ]) => String,
        required country_codes: COUNTRIES => Vec<String>,
        optional user: User::OBJECT => Option<User>,
        optional user_id: TEXT => Option<String>,
        optional user_token: TEXT => Option<String>,
        // An unknown product has an error of its own.
        nullable products: TEXTS => Option<Vec<String>>,
        nullable required_if_supported_products: TEXTS => Option<Vec<String>>,
        nullable optional_products: TEXTS => Option<Vec<String>>,
        nullable additional_consented_products: TEXTS => Option<Vec<String>>,
        optional webhook: Kind::Url => Option<String>,
        nullable access_token: NON_EMPTY => Option<String>,
        optional access_tokens: TEXTS,
        optional link_customization_name: TEXT => Option<String>,
        optional redirect_uri: TEXT => Option<String>,
        optional android_package_name: TEXT => Option<String>,
        optional institution_data: Kind::Settings(fields! { optional routing_number: TEXT, }) => Option<Value>,
        optional institution_id: TEXT,
        optional account_filters: ACCOUNT_FILTERS => Option<Filters>,
        optional auth: AuthFlags::SETTINGS => AuthFlags,
        optional hosted_link: HostedLink::SETTINGS => Option<HostedLink>,
        optional update: Update::SETTINGS => Option<Update>,
        optional transactions: TransactionsRequest::SETTINGS => Option<TransactionsRequest>,
        optional statements: Period::SETTINGS => Option<Period>,
        optional payment_initiation: Kind::Settings(fields! {
            optional payment_id: TEXT,
            optional consent_id: TEXT,
        }) => Option<Value>,
        optional transfer: Kind::Settings(fields! {
            optional intent_id: TEXT,
            optional authorization_id: TEXT,
            optional payment_profile_token: TEXT,
        }),
        nullable appearance_mode: Kind::OneOf(&["LIGHT", "DARK", "SYSTEM"]),
        optional consumer_report_permissible_purpose: Kind::OneOf(&[
            "ACCOUNT_REVIEW_CREDIT", "ACCOUNT_REVIEW_NON_CREDIT", "EXTENSION_OF_CREDIT",
            "LEGITIMATE_BUSINESS_NEED_TENANT_SCREENING", "LEGITIMATE_BUSINESS_NEED_OTHER",
            "WRITTEN_INSTRUCTION_PREQUALIFICATION", "WRITTEN_INSTRUCTION_OTHER", "ELIGIBILITY_FOR_GOVT_BENEFITS",
        ]),
        optional third_party_user_token: TEXT,
        optional cra_enabled: Kind::Bool,
        optional enable_multi_item_link: Kind::Bool,
        optional financekit_supported: Kind::Bool,
        optional base_report: objects::BASE_REPORT,
        optional card_switch: objects::CARD_SWITCH,
        optional cashflow_report: objects::DAYS,
        optional cra_options: objects::CRA_OPTIONS,
        optional cra_report_parameter: objects::CRA_REPORT_PARAMETER,
        optional credit_partner_insights: objects::DAYS,
        optional employment: objects::EMPLOYMENT => Option<Value>,
        optional eu_config: objects::EU_CONFIG,
        optional identity: objects::IDENTITY,
        optional identity_verification: objects::IDENTITY_VERIFICATION => Option<Value>,
        optional income_verification: objects::INCOME_VERIFICATION => Option<Value>,
        optional investments: objects::INVESTMENTS,
        optional investments_auth: objects::INVESTMENTS_AUTH,
        optional payment_configuration: objects::PAYMENT_CONFIGURATION,
    }

    /// Link as a page of its own (<https://plaid.com/docs/link/hosted-link/>).
    #[derive(Clone, Debug, serde::Serialize)]
    pub(crate) struct HostedLink {
        optional delivery_method: Kind::OneOf(&["sms", "email"]) => Option<String>,
        optional completion_redirect_uri: TEXT => Option<String>,
        optional url_lifetime_seconds: int(1, LONGEST_URL_LIFETIME) => Option<u64>,
        optional is_mobile_app: Kind::Bool,
    }

    /// What update mode is for beside a new login (<https://plaid.com/docs/link/update-mode/>).
    #[derive(Clone, Debug, serde::Serialize)]
    pub(crate) struct Update {
        optional account_selection_enabled: Kind::Bool => bool,
        optional reauthorization_enabled: Kind::Bool,
        optional user: Kind::Bool => bool,
        nullable item_ids: TEXTS,
    }

    /// Who the person is to the caller. What is checked when it comes, and not used later, is not kept.
    #[derive(Clone, Debug, serde::Serialize)]
    pub(crate) struct User {
        required client_user_id: NON_EMPTY => String,
        optional legal_name: TEXT => Option<String>,
        nullable name: NAME => #[serde(skip_serializing)] Option<Value>,
        optional phone_number: TEXT => #[serde(skip_serializing)] Option<String>,
        nullable phone_number_verified_time: Kind::DateTime,
        optional email_address: TEXT => #[serde(skip_serializing)] Option<String>,
        nullable email_address_verified_time: Kind::DateTime,
        optional ssn: TEXT,
        nullable date_of_birth: Kind::Date,
        nullable address: Kind::Object(fields! {
            required country: TEXT,
            nullable street: TEXT,
            nullable street2: TEXT,
            nullable city: TEXT,
            nullable region: TEXT,
            nullable postal_code: TEXT,
        }) => #[serde(skip_serializing)] Option<Value>,
        nullable id_number: Kind::Object(fields! {
            required value: TEXT,
            required r#type: ID_NUMBERS,
        }) => #[serde(skip_serializing)] Option<Value>,
    }

    #[derive(Clone, Copy, Debug, serde::Serialize)]
    pub(crate) struct TransactionsRequest {
        optional days_requested: int(1, 730) => Option<u16>,
    }

    /// The months of statements.
    #[derive(Clone, Copy, Debug, serde::Serialize)]
    pub(crate) struct Period {
        required start_date: Kind::Date => Day,
        required end_date: Kind::Date => Day,
    }
}

pub(crate) const NAME: Kind = Kind::Object(fields! {
    required given_name: TEXT,
    required family_name: TEXT,
});

/// Which accounts Link shows: <https://plaid.com/docs/api/accounts/#account-type-schema>.
const ACCOUNT_FILTERS: Kind = Kind::Settings(fields! {
    optional depository: Kind::Settings(fields! {
        required account_subtypes: list(&Kind::OneOf(subtypes::DEPOSITORY)),
        optional limited_purpose_types: list(&Kind::OneOf(&["RENT_MORTGAGE"])),
    }),
    optional credit: Kind::Settings(fields! { required account_subtypes: list(&Kind::OneOf(subtypes::CREDIT)), }),
    optional loan: Kind::Settings(fields! { required account_subtypes: list(&Kind::OneOf(subtypes::LOAN)), }),
    optional investment: Kind::Settings(fields! {
        required account_subtypes: list(&Kind::OneOf(subtypes::INVESTMENT)),
    }),
    optional other: Kind::Settings(fields! { required account_subtypes: list(&Kind::OneOf(subtypes::OTHER)), }),
});

impl Period {
    /// Why banks have no such statements, if so: Plaid brings those of two years. A day more is let pass, because
    /// callers count in their own time zone.
    pub(crate) fn flaw(self, today: Date) -> Option<&'static str> {
        let (start, end) = (self.start_date.0, self.end_date.0);
        let earliest = |last: Date| months_after(last, -24).yesterday().unwrap_or(last);
        if end < start {
            Some("end_date must not lie before start_date")
        } else if start < earliest(today) || start < earliest(end) {
            Some("start_date must lie within two years")
        } else {
            None
        }
    }
}

impl LinkRequest {
    /// What the data of an Item will be made of when this person logs in.
    pub(crate) fn source(&self, person: Person) -> Source {
        Source {
            person,
            days_requested: self.transactions.and_then(|asked| asked.days_requested),
            transactions: (None, None),
            statements: self
                .statements
                .map(|period| (period.start_date.0, period.end_date.0)),
        }
    }

    pub(crate) fn products(&self) -> &[String] {
        self.products.as_deref().unwrap_or_default()
    }

    pub(crate) fn required_if_supported(&self) -> &[String] {
        self.required_if_supported_products.as_deref().unwrap_or_default()
    }

    pub(crate) fn optional(&self) -> &[String] {
        self.optional_products.as_deref().unwrap_or_default()
    }

    pub(crate) fn additional_consented(&self) -> &[String] {
        self.additional_consented_products.as_deref().unwrap_or_default()
    }

    /// Whether the person agrees to a payment, or to a consent to payments: Link then makes no Item
    /// (<https://plaid.com/docs/payment-initiation/>).
    pub(crate) fn is_payment(&self) -> bool {
        self.products()
            .iter()
            .any(|product| product == "payment_initiation")
    }

    /// Whether Link offers only accounts with numbers to pay from: with `auth` in `products`, and in no other list
    /// (<https://plaid.com/docs/api/link/#link-token-create-request-account-filters>).
    pub(crate) fn auth_hides_accounts(&self) -> bool {
        self.products().iter().any(|product| product == "auth")
    }

    /// Whether any list names one of these products.
    pub(crate) fn asks_for(&self, products: &[&str]) -> bool {
        [
            self.products(),
            self.required_if_supported(),
            self.optional(),
            self.additional_consented(),
        ]
        .into_iter()
        .flatten()
        .any(|listed| products.contains(&listed.as_str()))
    }

    /// Whether the accounts of the Item are to be chosen anew.
    pub(crate) fn selects_accounts(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| update.account_selection_enabled)
    }

    /// Whether update mode is for a user and not for one Item.
    pub(crate) fn updates_user(&self) -> bool {
        self.update.as_ref().is_some_and(|update| update.user)
    }

    /// Whether Link may offer this institution: it has to support every one of `products`.
    pub(crate) fn offers(&self, institution: &Institution) -> bool {
        self.country_codes.iter().any(|code| code == institution.country)
            && self
                .products()
                .iter()
                .all(|product| institution.supports(product))
    }

    /// The products that an Item at `institution` starts with.
    pub(crate) fn item_products(&self, institution: &Institution) -> Vec<&'static str> {
        let more = self.required_if_supported().iter().chain(self.optional());
        let supported = more.filter(|product| institution.supports(product));
        products::of_names(self.products().iter().chain(supported))
    }
}

impl HostedLink {
    /// How long the page can be opened: 30 minutes, longer for a link that is sent, and what the caller says.
    pub(crate) fn url_lifetime(&self, delivered: DeliveredPage) -> Duration {
        let by_delivery = match (self.delivery_method.as_deref(), delivered) {
            (Some("sms"), DeliveredPage::AsProduction) => DAY,
            (Some("email"), DeliveredPage::AsProduction) => 7 * DAY,
            _ => SHORT_LIFETIME,
        };
        self.url_lifetime_seconds.map_or(by_delivery, Duration::from_secs)
    }
}
