"""Where the simulator knowingly differs from what the library declares. docs/simulator.md lists these."""

# Objects of /link/token/create: whatever is wrong inside is INVALID_CONFIGURATION.
SETTINGS = {
    "account_filters",
    "auth",
    "base_report",
    "card_switch",
    "cashflow_report",
    "cra_options",
    "cra_report_parameter",
    "credit_partner_insights",
    "employment",
    "eu_config",
    "hosted_link",
    "identity",
    "identity_verification",
    "income_verification",
    "institution_data",
    "investments",
    "investments_auth",
    "payment_configuration",
    "payment_initiation",
    "statements",
    "transactions",
    "transfer",
    "update",
}

# Objects whose inside the simulator does not look into.
OPEN = set()

# Values that are right in form beyond what the library says.
SAMPLES = {}

# Fields of answers that Plaid sends and the library does not declare.
UNDECLARED = set()
