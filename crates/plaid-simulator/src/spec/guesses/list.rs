//! The guesses, each with its answers; the first of them is the usual one.

use super::{Choice, Guess, GuessError, guesses};

guesses! {
    // Tokens.

    /// What an expired public token gets told; the code is the same.
    expired_public_token: ExpiredPublicToken {
        Told = "told": "That it is expired.",
        Unknown = "unknown": "That no token matches.",
    }
    /// What a token of another kind gets told; the code is the same.
    wrong_token_kind: WrongTokenKind {
        Told = "told": "Which kind was expected, and which came.",
        Format = "format": "That its format is wrong.",
    }
    /// An access token of another environment.
    foreign_environment: ForeignEnvironment {
        InvalidAccessToken = "invalid_access_token": "`INVALID_ACCESS_TOKEN`",
        InvalidField = "invalid_field": "`INVALID_FIELD`, as some report",
    }
    /// An access token that was rotated away.
    rotated_token: RotatedToken {
        InvalidAccessToken = "invalid_access_token": "`INVALID_ACCESS_TOKEN`",
        ItemNotFound = "item_not_found": "`ITEM_NOT_FOUND`",
    }
    /// The access token of a removed Item.
    removed_item: RemovedItem {
        ItemNotFound = "item_not_found": "`ITEM_NOT_FOUND`",
        InvalidAccessToken = "invalid_access_token": "`INVALID_ACCESS_TOKEN`, as Plaid's older pages said",
    }
    /// How long a public token that `/link/token/get` tells can be exchanged.
    session_public_token: SessionPublicToken {
        ThirtyMinutes = "thirty_minutes": "30 minutes, like any",
        SixHours = "six_hours": "six hours, as long as the session is told",
    }
    /// The exchange of the public token that update mode ends with.
    update_token_exchange: UpdateTokenExchange {
        SameToken = "same_token": "gives the Item's newest access token",
        NewToken = "new_token": "gives a fresh access token; the earlier one goes on working",
        Refused = "refused": "`INVALID_PUBLIC_TOKEN`",
    }
    /// An unknown or foreign link token at `/link/token/get`.
    unknown_link_token: UnknownLinkToken {
        InvalidLinkToken = "invalid_link_token": "`INVALID_LINK_TOKEN`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// An unknown or foreign asset report token.
    unknown_asset_report: UnknownAssetReport {
        InvalidAssetReportToken = "invalid_asset_report_token": "`INVALID_INPUT` / `INVALID_ASSET_REPORT_TOKEN`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }

    // Requests.

    /// The order of the checks of a body's fields.
    field_order: FieldOrder {
        MissingFirst = "missing_first": "missing fields, unknown fields, values",
        UnknownFirst = "unknown_first": "unknown fields, missing fields, values",
        ValuesFirst = "values_first": "values, missing fields, unknown fields",
    }
    /// When the keys are checked.
    keys_checked: KeysChecked {
        BeforeFields = "before_fields": "before the fields",
        AfterFields = "after_fields": "after the fields",
    }
    /// Keys in body and headers at once.
    keys_twice: KeysTwice {
        Body = "body": "those of the body count",
        Headers = "headers": "those of the headers count",
    }
    /// A required field that is `null`.
    null_required: NullRequired {
        MissingFields = "missing_fields": "`MISSING_FIELDS`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// A call without `Content-Type`.
    no_content_type: NoContentType {
        InvalidHeaders = "invalid_headers": "`INVALID_HEADERS`",
        InvalidBody = "invalid_body": "`INVALID_BODY`",
    }
    /// A call with another `Content-Type` than `application/json`.
    other_content_type: OtherContentType {
        InvalidBody = "invalid_body": "`INVALID_BODY`",
        InvalidHeaders = "invalid_headers": "`INVALID_HEADERS`",
    }
    /// Something wrong inside an object of settings (`auth`, `transactions`, `update` …) of `/link/token/create`.
    settings_errors: SettingsErrors {
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
        ByField = "by_field": "what the field would get elsewhere: `MISSING_FIELDS`, `UNKNOWN_FIELDS`, `INVALID_FIELD`",
    }
    /// A product whose own object (`statements`, `payment_initiation` …) is missing.
    product_object_missing: ProductObjectMissing {
        MissingFields = "missing_fields": "`MISSING_FIELDS`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
    }
    /// `products` missing or empty, without `access_token`.
    products_missing: ProductsMissing {
        MissingFields = "missing_fields": "`MISSING_FIELDS`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidProduct = "invalid_product": "`INVALID_PRODUCT`",
    }
    /// A product in two lists that must not overlap.
    list_overlap: ListOverlap {
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidProduct = "invalid_product": "`INVALID_PRODUCT`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
    }
    /// `payment_initiation` beside other products.
    payment_initiation_beside: PaymentInitiationBeside {
        InvalidProduct = "invalid_product": "`INVALID_PRODUCT`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// `redirect_uri` with a query, a fragment or a wildcard, or http beyond this machine.
    redirect_uri_form: RedirectUriForm {
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
    }
    /// `redirect_uri` together with `android_package_name`.
    redirect_and_android: RedirectAndAndroid {
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
    }
    /// What `*` stands for in an entry of the Dashboard's list of redirect URIs (`https://*.example.com/back`).
    list_wildcards: ListWildcards {
        OneLabel = "one_label": "one label of the host's name",
        AnyLabels = "any_labels": "one or more",
    }
    /// A field of `/link/token/create` where Plaid's pages say that it is not allowed (`user.name` without Identity Verification, `account_filters` of an update without `account_selection_enabled` …).
    misplaced_field: MisplacedField {
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
        Taken = "taken": "is taken",
    }
    /// What is asked of `user.phone_number` and `user.email_address`.
    user_contacts: UserContacts {
        Checked = "checked": "E.164, in North America a number of its numbering plan; a name, `@` and a host",
        Unchecked = "unchecked": "nothing",
    }
    /// What in a `client_user_id` counts as personal data.
    personal_data: PersonalData {
        MailAndPhone = "mail_and_phone": "an e-mail address, or `+` and 8 to 15 digits",
        Unchecked = "unchecked": "nothing",
    }
    /// A `user_id` or `user_token` of `/link/token/create` or `/sandbox/public_token/create` that no `/user/create` gave.
    unknown_user: UnknownUser {
        Refused = "refused": "`INVALID_USER_ID`, `INVALID_USER_TOKEN`",
        Taken = "taken": "is taken",
    }
    /// `/user/create` with a `client_user_id` that has a user.
    known_user: KnownUser {
        SameUser = "same_user": "the same user again",
        NewUser = "new_user": "another user",
    }
    /// Whether `/user/create` tells a `user_token`.
    user_token: UserToken {
        UnlessUpgraded = "unless_upgraded": "unless `with_upgraded_user` is true",
        Always = "always": "always",
        Never = "never": "never",
    }
    /// `/asset_report/create` without `access_tokens`.
    report_without_tokens: ReportWithoutTokens {
        MissingFields = "missing_fields": "`MISSING_FIELDS`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// A product that no Item starts with (`balance`) at `/sandbox/public_token/create`.
    sandbox_not_initial: SandboxNotInitial {
        InvalidProduct = "invalid_product": "`INVALID_PRODUCT`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// A product that the institution lacks, at `/sandbox/public_token/create`.
    sandbox_unsupported: SandboxUnsupported {
        ProductsNotSupported = "products_not_supported": "`PRODUCTS_NOT_SUPPORTED`",
        InvalidProduct = "invalid_product": "`INVALID_PRODUCT`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// `user_good` with `microdeposits_good` at `/sandbox/public_token/create`, for Houndstooth Bank.
    sandbox_deposits: SandboxDeposits {
        Pending = "pending": "an Item that waits for its micro-deposit, with the numbers of Plaid's test guide",
        Refused = "refused": "`INVALID_CREDENTIALS`",
    }
    /// `/sandbox/item/fire_webhook` with a `webhook_type` that lacks the code.
    fire_mismatch: FireMismatch {
        SandboxWebhookInvalid = "sandbox_webhook_invalid": "`SANDBOX_WEBHOOK_INVALID`",
        InvalidField = "invalid_field": "`INVALID_FIELD`",
    }
    /// Which passwords `error_<CODE>` force an error.
    error_passwords: ErrorPasswords {
        AnyCode = "any_code": "any code",
        Listed = "listed": "the codes that lists of test credentials name; others are wrong passwords",
    }

    // Items and their data.

    /// The `error_type` of `USER_PERMISSION_REVOKED` in answers; webhooks have `ITEM_ERROR`.
    permission_revoked: PermissionRevoked {
        InvalidInput = "invalid_input": "`INVALID_INPUT`",
        ItemError = "item_error": "`ITEM_ERROR`",
    }
    /// `/accounts/get` while a login is needed.
    accounts_while_login_required: AccountsWhileLoginRequired {
        Refused = "refused": "`ITEM_LOGIN_REQUIRED`",
        Cached = "cached": "what the last pull brought",
    }
    /// The accounts of an Item that `/sandbox/public_token/create` made with `auth`.
    auth_accounts: AuthAccounts {
        All = "all": "all of the person's",
        Fitting = "fitting": "those that Link would offer: checking, savings and cash management",
    }
    /// The accounts that `/auth/get`, `/liabilities/get` and `/investments/…` list.
    product_accounts: ProductAccounts {
        All = "all": "all chosen ones",
        Fitting = "fitting": "those with data of the product",
    }
    /// Reading a product that is neither on the Item nor consented to.
    missing_consent: MissingConsent {
        ByCountry = "by_country": "`ADDITIONAL_CONSENT_REQUIRED` in the United States and Canada, else `PRODUCT_NOT_ENABLED`",
        AdditionalConsentRequired = "additional_consent_required": "`ADDITIONAL_CONSENT_REQUIRED`",
        ProductNotEnabled = "product_not_enabled": "`PRODUCT_NOT_ENABLED`",
    }
    /// Transfers on an Item with `auth` and without `transfer`.
    transfer_with_auth: TransferWithAuth {
        Allowed = "allowed": "allowed",
        Refused = "refused": "refused like any product that is not on the Item",
    }
    /// Which banks end an older Item's login when a new one has other accounts of the same login.
    duplicate_items: DuplicateItems {
        NamedBanks = "named_banks": "Chase, PNC and Charles Schwab",
        OAuthBanks = "oauth_banks": "all banks with a login page of their own",
        Kept = "kept": "none",
    }
    /// The scores of `/signal/evaluate`.
    signal_scores: SignalScores {
        ByTransaction = "by_transaction": "a function of `client_transaction_id`",
        Random = "random": "chance, as in Plaid's Sandbox",
    }
    /// How often banks have news.
    bank_news: BankNews {
        Daily = "daily": "once a day at 06:00 UTC, hourly for `user_transactions_dynamic`",
        Hourly = "hourly": "hourly for everybody",
    }
    /// The data of a `user_custom` without `seed`.
    custom_seed: CustomSeed {
        ByText = "by_text": "depends on the configuration's text",
        Fresh = "fresh": "is new for each login, as at Plaid",
    }

    // Link.

    /// What the micro-deposit flags of `auth` are when they are left out: Plaid's account managers decide.
    deposit_flags: DepositFlags {
        Off = "off": "off",
        On = "on": "on",
    }
    /// Micro-deposit flags beside products or countries that they do not go with.
    deposit_rules: DepositRules {
        NotOffered = "not_offered": "are taken, and Link does not offer the flow",
        Refused = "refused": "`INVALID_FIELD`",
    }
    /// `auth.auth_type_select_enabled` without `auth.same_day_microdeposits_enabled`.
    auth_type_select_alone: AuthTypeSelectAlone {
        InvalidField = "invalid_field": "`INVALID_FIELD`",
        InvalidConfiguration = "invalid_configuration": "`INVALID_CONFIGURATION`",
        Ignored = "ignored": "is taken, and Link does not ask",
    }
    /// `institution` in `onSuccess` and `/link/token/get` when account numbers were typed in: Plaid's pages have both.
    deposit_institution: DepositInstitution {
        Null = "null": "null",
        Object = "object": "an object whose `name` and `institution_id` are null",
    }
    /// The institution of an Item of instant micro-deposits, when the person chose the bank.
    instant_deposit_institution: InstantDepositInstitution {
        Chosen = "chosen": "the one that was chosen",
        Null = "null": "null, as with same-day micro-deposits",
    }
    /// The `view_name` where update mode asks for the code of a micro-deposit.
    deposit_code_view: DepositCodeView {
        Verification = "verification": "`SAME_DAY_MICRODEPOSIT_VERIFICATION`, as a client library has it",
        Numbers = "numbers": "`NUMBERS`",
    }
    /// The error of the third wrong code, which locks the account.
    last_deposit_code: LastDepositCode {
        TooManyVerificationAttempts = "too_many_verification_attempts": "`TOO_MANY_VERIFICATION_ATTEMPTS`",
        IncorrectDepositVerification = "incorrect_deposit_verification": "`INCORRECT_DEPOSIT_VERIFICATION` once more",
    }
    /// What the password `mfa_device` asks first.
    mfa_device: MfaDevice {
        DeviceFirst = "device_first": "where to send the code to",
        CodeOnly = "code_only": "the code",
    }
    /// The `error_type` of `ACCESS_NOT_GRANTED`, which a no at the bank gets.
    bank_refusal: BankRefusal {
        ItemError = "item_error": "`ITEM_ERROR`",
        OAuthError = "oauth_error": "`OAUTH_ERROR`",
    }
    /// A `receivedRedirectUri` with the right `oauth_state_id` that is not the address which the bank sent the browser to.
    altered_return: AlteredReturn {
        Refused = "refused": "`INVALID_FIELD`",
        Taken = "taken": "the session goes on",
    }
    /// The `link_session_id` after the way back from a bank.
    reentry_session: ReentrySession {
        SameId = "same_id": "the one of before",
        NewId = "new_id": "a new one",
    }
    /// Whether Link says `OPEN` again after the way back from a bank.
    reentry_open: ReentryOpen {
        Told = "told": "yes",
        Silent = "silent": "no",
    }
    /// Which accounts are ticked at first when several can be chosen.
    ticked_accounts: TickedAccounts {
        All = "all": "all",
        None = "none": "none",
    }
    /// A product of `products` that no offered account, or none of those that the person chooses, can have.
    unfit_accounts: UnfitAccounts {
        Refused = "refused": "`NO_INVESTMENT_ACCOUNTS`, `NO_LIABILITY_ACCOUNTS`, `NO_AUTH_ACCOUNTS`",
        LetThrough = "let_through": "the other accounts can be chosen",
    }
    /// Whether `delivery_method` makes a hosted page live longer, though nothing is sent.
    delivered_page: DeliveredPage {
        AsProduction = "as_production": "24 hours with `sms`, 7 days with `email`, and `user` has to have the number or address",
        Ignored = "ignored": "30 minutes, and `user` may lack both",
    }
    /// Which `completion_redirect_uri` is taken.
    completion_uri: CompletionUri {
        Any = "any": "any that a browser can be sent to, an app's own scheme too",
        Listed = "listed": "one of the Dashboard's list, when there is a list",
    }
    /// The query of `completion_redirect_uri`.
    completion_query: CompletionQuery {
        Kept = "kept": "stays",
        Dropped = "dropped": "is dropped",
    }
    /// The letters of `status` in the webhook `SESSION_FINISHED`.
    session_status: SessionStatus {
        Upper = "upper": "`SUCCESS`, `EXITED`",
        Lower = "lower": "`success`, `exited`",
    }

    // Limits and webhooks.

    /// When the window of a rate limit begins.
    rate_window: RateWindow {
        FirstCall = "first_call": "with its first call",
        Clock = "clock": "with the second, minute or hour of the clock",
    }
    /// The header `Retry-After` of an answer with status 429.
    retry_after: RetryAfter {
        Absent = "absent": "absent",
        Seconds = "seconds": "the seconds until the window ends",
    }
    /// The limits of paths that Plaid's list leaves out (`/link/token/create`, `/item/public_token/exchange` …).
    unlisted_limits: UnlistedLimits {
        None = "none": "none",
        ThirtyASecond = "thirty_a_second": "30 calls a second and client, as sites without a source say",
    }
    /// When webhooks to a receiver that rejected over nine tenths of 24 hours are tried once only.
    webhook_pause: WebhookPause {
        TenAnswers = "ten_answers": "from its tenth answer in 24 hours on",
        FirstAnswer = "first_answer": "from its first",
        Never = "never": "never",
    }
}
