//! The guesses, each with its answers; the first of them is the usual one.

use super::{Choice, Guess, GuessError, guesses};

guesses! {
    // Tokens.

    /// What an expired public token gets told; the code is the same.
    expired_public_token: ExpiredPublicToken {
        /// That it is expired.
        Told = "told",
        /// That no token matches.
        Unknown = "unknown",
    }
    /// What a token of another kind gets told; the code is the same.
    wrong_token_kind: WrongTokenKind {
        /// Which kind was expected, and which came.
        Told = "told",
        /// That its format is wrong.
        Format = "format",
    }
    /// An access token of another environment.
    foreign_environment: ForeignEnvironment {
        /// `INVALID_ACCESS_TOKEN`
        InvalidAccessToken = "invalid_access_token",
        /// `INVALID_FIELD`, as some report
        InvalidField = "invalid_field",
    }
    /// An access token that was rotated away.
    rotated_token: RotatedToken {
        /// `INVALID_ACCESS_TOKEN`
        InvalidAccessToken = "invalid_access_token",
        /// `ITEM_NOT_FOUND`
        ItemNotFound = "item_not_found",
    }
    /// The access token of a removed Item.
    removed_item: RemovedItem {
        /// `ITEM_NOT_FOUND`
        ItemNotFound = "item_not_found",
        /// `INVALID_ACCESS_TOKEN`, as Plaid's older pages said
        InvalidAccessToken = "invalid_access_token",
    }
    /// How long a public token that `/link/token/get` tells can be exchanged.
    session_public_token: SessionPublicToken {
        /// 30 minutes, like any
        ThirtyMinutes = "thirty_minutes",
        /// six hours, as long as the session is told
        SixHours = "six_hours",
    }
    /// The exchange of the public token that update mode ends with.
    update_token_exchange: UpdateTokenExchange {
        /// gives the Item's newest access token
        SameToken = "same_token",
        /// gives a fresh access token; the earlier one goes on working
        NewToken = "new_token",
        /// `INVALID_PUBLIC_TOKEN`
        Refused = "refused",
    }
    /// An unknown or foreign link token at `/link/token/get`.
    unknown_link_token: UnknownLinkToken {
        /// `INVALID_LINK_TOKEN`
        InvalidLinkToken = "invalid_link_token",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// An unknown or foreign asset report token.
    unknown_asset_report: UnknownAssetReport {
        /// `INVALID_INPUT` / `INVALID_ASSET_REPORT_TOKEN`
        InvalidAssetReportToken = "invalid_asset_report_token",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }

    // Requests.

    /// The order of the checks of a body's fields.
    field_order: FieldOrder {
        /// missing fields, unknown fields, values
        MissingFirst = "missing_first",
        /// unknown fields, missing fields, values
        UnknownFirst = "unknown_first",
        /// values, missing fields, unknown fields
        ValuesFirst = "values_first",
    }
    /// When the keys are checked.
    keys_checked: KeysChecked {
        /// before the fields
        BeforeFields = "before_fields",
        /// after the fields
        AfterFields = "after_fields",
    }
    /// Keys in body and headers at once.
    keys_twice: KeysTwice {
        /// those of the body count
        Body = "body",
        /// those of the headers count
        Headers = "headers",
    }
    /// A required field that is `null`.
    null_required: NullRequired {
        /// `MISSING_FIELDS`
        MissingFields = "missing_fields",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// A call without `Content-Type`.
    no_content_type: NoContentType {
        /// `INVALID_HEADERS`
        InvalidHeaders = "invalid_headers",
        /// `INVALID_BODY`
        InvalidBody = "invalid_body",
    }
    /// A call with another `Content-Type` than `application/json`.
    other_content_type: OtherContentType {
        /// `INVALID_BODY`
        InvalidBody = "invalid_body",
        /// `INVALID_HEADERS`
        InvalidHeaders = "invalid_headers",
    }
    /// Something wrong inside an object of settings (`auth`, `transactions`, `update` …) of `/link/token/create`.
    settings_errors: SettingsErrors {
        /// `INVALID_CONFIGURATION`
        InvalidConfiguration = "invalid_configuration",
        /// what the field would get elsewhere: `MISSING_FIELDS`, `UNKNOWN_FIELDS`, `INVALID_FIELD`
        ByField = "by_field",
    }
    /// A product whose own object (`statements`, `payment_initiation` …) is missing.
    product_object_missing: ProductObjectMissing {
        /// `MISSING_FIELDS`
        MissingFields = "missing_fields",
        /// `INVALID_CONFIGURATION`
        InvalidConfiguration = "invalid_configuration",
    }
    /// `products` missing or empty, without `access_token`.
    products_missing: ProductsMissing {
        /// `MISSING_FIELDS`
        MissingFields = "missing_fields",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
        /// `INVALID_PRODUCT`
        InvalidProduct = "invalid_product",
    }
    /// A product in two lists that must not overlap.
    list_overlap: ListOverlap {
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
        /// `INVALID_PRODUCT`
        InvalidProduct = "invalid_product",
        /// `INVALID_CONFIGURATION`
        InvalidConfiguration = "invalid_configuration",
    }
    /// `payment_initiation` beside other products.
    payment_initiation_beside: PaymentInitiationBeside {
        /// `INVALID_PRODUCT`
        InvalidProduct = "invalid_product",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// `redirect_uri` with a query, a fragment or a wildcard, or http beyond this machine.
    redirect_uri_form: RedirectUriForm {
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
        /// `INVALID_CONFIGURATION`
        InvalidConfiguration = "invalid_configuration",
    }
    /// `redirect_uri` together with `android_package_name`.
    redirect_and_android: RedirectAndAndroid {
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
        /// `INVALID_CONFIGURATION`
        InvalidConfiguration = "invalid_configuration",
    }
    /// What in a `client_user_id` counts as personal data.
    personal_data: PersonalData {
        /// an e-mail address, or `+` and 8 to 15 digits
        MailAndPhone = "mail_and_phone",
        /// nothing
        Unchecked = "unchecked",
    }
    /// A `user_id` or `user_token` of `/link/token/create` that no `/user/create` gave.
    unknown_user: UnknownUser {
        /// `INVALID_USER_ID`, `INVALID_USER_TOKEN`
        Refused = "refused",
        /// is taken
        Taken = "taken",
    }
    /// `/user/create` with a `client_user_id` that has a user.
    known_user: KnownUser {
        /// the same user again
        SameUser = "same_user",
        /// another user
        NewUser = "new_user",
    }
    /// Whether `/user/create` tells a `user_token`.
    user_token: UserToken {
        /// unless `with_upgraded_user` is true
        UnlessUpgraded = "unless_upgraded",
        /// always
        Always = "always",
        /// never
        Never = "never",
    }
    /// `/asset_report/create` without `access_tokens`.
    report_without_tokens: ReportWithoutTokens {
        /// `MISSING_FIELDS`
        MissingFields = "missing_fields",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// A product that no Item starts with (`balance`) at `/sandbox/public_token/create`.
    sandbox_not_initial: SandboxNotInitial {
        /// `INVALID_PRODUCT`
        InvalidProduct = "invalid_product",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// A product that the institution lacks, at `/sandbox/public_token/create`.
    sandbox_unsupported: SandboxUnsupported {
        /// `PRODUCTS_NOT_SUPPORTED`
        ProductsNotSupported = "products_not_supported",
        /// `INVALID_PRODUCT`
        InvalidProduct = "invalid_product",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// `/sandbox/item/fire_webhook` with a `webhook_type` that lacks the code.
    fire_mismatch: FireMismatch {
        /// `SANDBOX_WEBHOOK_INVALID`
        SandboxWebhookInvalid = "sandbox_webhook_invalid",
        /// `INVALID_FIELD`
        InvalidField = "invalid_field",
    }
    /// Which passwords `error_<CODE>` force an error.
    error_passwords: ErrorPasswords {
        /// any code
        AnyCode = "any_code",
        /// the codes that lists of test credentials name; others are wrong passwords
        Listed = "listed",
    }

    // Items and their data.

    /// The `error_type` of `USER_PERMISSION_REVOKED` in answers; webhooks have `ITEM_ERROR`.
    permission_revoked: PermissionRevoked {
        /// `INVALID_INPUT`
        InvalidInput = "invalid_input",
        /// `ITEM_ERROR`
        ItemError = "item_error",
    }
    /// `/accounts/get` while a login is needed.
    accounts_while_login_required: AccountsWhileLoginRequired {
        /// `ITEM_LOGIN_REQUIRED`
        Refused = "refused",
        /// what the last pull brought
        Cached = "cached",
    }
    /// The accounts of an Item that `/sandbox/public_token/create` made with `auth`.
    auth_accounts: AuthAccounts {
        /// all of the person's
        All = "all",
        /// those that Link would offer: checking, savings and cash management
        Fitting = "fitting",
    }
    /// The accounts that `/auth/get`, `/liabilities/get` and `/investments/…` list.
    product_accounts: ProductAccounts {
        /// all chosen ones
        All = "all",
        /// those with data of the product
        Fitting = "fitting",
    }
    /// Reading a product that is neither on the Item nor consented to.
    missing_consent: MissingConsent {
        /// `ADDITIONAL_CONSENT_REQUIRED` in the United States and Canada, else `PRODUCT_NOT_ENABLED`
        ByCountry = "by_country",
        /// `ADDITIONAL_CONSENT_REQUIRED`
        AdditionalConsentRequired = "additional_consent_required",
        /// `PRODUCT_NOT_ENABLED`
        ProductNotEnabled = "product_not_enabled",
    }
    /// Transfers on an Item with `auth` and without `transfer`.
    transfer_with_auth: TransferWithAuth {
        /// allowed
        Allowed = "allowed",
        /// refused like any product that is not on the Item
        Refused = "refused",
    }
    /// Which banks end an older Item's login when a new one has other accounts of the same login.
    duplicate_items: DuplicateItems {
        /// Chase, PNC and Charles Schwab
        NamedBanks = "named_banks",
        /// all banks with a login page of their own
        OAuthBanks = "oauth_banks",
        /// none
        Kept = "kept",
    }
    /// The scores of `/signal/evaluate`.
    signal_scores: SignalScores {
        /// a function of `client_transaction_id`
        ByTransaction = "by_transaction",
        /// chance, as in Plaid's Sandbox
        Random = "random",
    }
    /// How often banks have news.
    bank_news: BankNews {
        /// once a day at 06:00 UTC, hourly for `user_transactions_dynamic`
        Daily = "daily",
        /// hourly for everybody
        Hourly = "hourly",
    }
    /// The data of a `user_custom` without `seed`.
    custom_seed: CustomSeed {
        /// depends on the configuration's text
        ByText = "by_text",
        /// is new for each login, as at Plaid
        Fresh = "fresh",
    }

    // Link.

    /// What the password `mfa_device` asks first.
    mfa_device: MfaDevice {
        /// where to send the code to
        DeviceFirst = "device_first",
        /// the code
        CodeOnly = "code_only",
    }
    /// The `error_type` of `ACCESS_NOT_GRANTED`, which a no at the bank gets.
    bank_refusal: BankRefusal {
        /// `ITEM_ERROR`
        ItemError = "item_error",
        /// `OAUTH_ERROR`
        OAuthError = "oauth_error",
    }
    /// The `link_session_id` after the way back from a bank.
    reentry_session: ReentrySession {
        /// the one of before
        SameId = "same_id",
        /// a new one
        NewId = "new_id",
    }
    /// Whether Link says `OPEN` again after the way back from a bank.
    reentry_open: ReentryOpen {
        /// yes
        Told = "told",
        /// no
        Silent = "silent",
    }
    /// Which accounts are ticked at first when several can be chosen.
    ticked_accounts: TickedAccounts {
        /// all
        All = "all",
        /// none
        None = "none",
    }
    /// `liabilities` or `investments` when the filters leave no such account.
    unfit_accounts: UnfitAccounts {
        /// `NO_LIABILITY_ACCOUNTS`, `NO_INVESTMENT_ACCOUNTS`
        Refused = "refused",
        /// the other accounts can be chosen
        LetThrough = "let_through",
    }
    /// Whether `delivery_method` makes a hosted page live longer, though nothing is sent.
    delivered_page: DeliveredPage {
        /// 24 hours with `sms`, 7 days with `email`
        AsProduction = "as_production",
        /// 30 minutes
        Ignored = "ignored",
    }
    /// Which `completion_redirect_uri` is taken.
    completion_uri: CompletionUri {
        /// any that a browser can be sent to, an app's own scheme too
        Any = "any",
        /// one of the Dashboard's list, when there is a list
        Listed = "listed",
    }
    /// The query of `completion_redirect_uri`.
    completion_query: CompletionQuery {
        /// stays
        Kept = "kept",
        /// is dropped
        Dropped = "dropped",
    }
    /// The letters of `status` in the webhook `SESSION_FINISHED`.
    session_status: SessionStatus {
        /// `SUCCESS`, `EXITED`
        Upper = "upper",
        /// `success`, `exited`
        Lower = "lower",
    }

    // Limits and webhooks.

    /// When the window of a rate limit begins.
    rate_window: RateWindow {
        /// with its first call
        FirstCall = "first_call",
        /// with the second, minute or hour of the clock
        Clock = "clock",
    }
    /// The header `Retry-After` of an answer with status 429.
    retry_after: RetryAfter {
        /// absent
        Absent = "absent",
        /// the seconds until the window ends
        Seconds = "seconds",
    }
    /// The limits of paths that Plaid's list leaves out (`/link/token/create`, `/item/public_token/exchange` …).
    unlisted_limits: UnlistedLimits {
        /// none
        None = "none",
        /// 30 calls a second and client, as sites without a source say
        ThirtyASecond = "thirty_a_second",
    }
    /// When webhooks to a receiver that rejected over nine tenths of 24 hours are tried once only.
    webhook_pause: WebhookPause {
        /// from its tenth answer in 24 hours on
        TenAnswers = "ten_answers",
        /// from its first
        FirstAnswer = "first_answer",
        /// never
        Never = "never",
    }
}
