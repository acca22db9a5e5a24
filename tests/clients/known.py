"""Where the simulator knowingly differs from what the library declares. docs/simulator.md lists these."""

# Objects of /link/token/create: whatever is wrong inside is INVALID_CONFIGURATION.
SETTINGS = {
    "account_filters",
    "auth",
    "hosted_link",
    "identity",
    "identity_verification",
    "institution_data",
    "investments",
    "investments_auth",
    "payment_initiation",
    "statements",
    "transactions",
    "transfer",
    "update",
}

# Objects whose inside the simulator does not look into: those of products that it does not have.
OPEN = {
    "/link/token/create base_report",
    "/link/token/create card_switch",
    "/link/token/create cashflow_report",
    "/link/token/create cra_options",
    "/link/token/create cra_report_parameter",
    "/link/token/create credit_partner_insights",
    "/link/token/create employment",
    "/link/token/create eu_config",
    "/link/token/create income_verification",
    "/link/token/create payment_configuration",
}

# Values that are right in form beyond what the library says.
SAMPLES = {}

# Fields of answers that Plaid sends and the library does not declare.
UNDECLARED = set()
