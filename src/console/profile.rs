//! The values of a profile: Kore.ai's form in its order (its page "Setting Up Authorization using OAuth v2"), the same as
//! Markdown, and what comes before production.

use std::fmt::Write as _;

use crate::app::App;
use crate::config::{ClientConfig, ClientKind, Environment, KeySource};
use crate::http::pages::{Addresses, Field, Row, SecretHint, Step};
use crate::oauth::scope;
use crate::simulator;

/// Where the broker is, by `PUBLIC_URL`.
pub(super) fn addresses(app: &App) -> Addresses {
    let base = app.public_url.clone();
    let at = |path: &str| format!("{base}{path}");
    Addresses {
        authorization: at("/oauth/authorize"),
        token: at("/oauth/token"),
        revocation: at("/oauth/revoke"),
        introspection: at("/oauth/introspect"),
        metadata: at("/.well-known/oauth-authorization-server"),
        base,
    }
}

/// The tenant of Kore.ai's tenancy URL: Plaid's environment.
fn tenant(app: &App) -> &'static str {
    match app.config.plaid.environment {
        Environment::Production => "production",
        Environment::Simulator | Environment::Sandbox => "sandbox",
    }
}

/// The client's secret if it is the simulator's public one; otherwise only where to find it.
pub(super) fn secret(app: &App, client: &ClientConfig) -> SecretHint {
    let is_first = app.clients().first().is_some_and(|first| first.id == client.id);
    match &client.kind {
        ClientKind::Public => SecretHint::Described("none: this client is public and uses PKCE"),
        ClientKind::Confidential(secret)
            if app.config.plaid.environment == Environment::Simulator
                && secret.matches(simulator::SECRET) =>
        {
            SecretHint::Public(simulator::SECRET)
        }
        ClientKind::Confidential(_) if !is_first => {
            SecretHint::Described("the secret that was hashed for the clients file (secret_hash)")
        }
        ClientKind::Confidential(secret) if secret.matches(app.config.plaid.secret.expose()) => {
            SecretHint::Described("your Plaid secret (PLAID_SECRET), because OAUTH_CLIENT_SECRET is not set")
        }
        ClientKind::Confidential(_) => SecretHint::Described("the value of OAUTH_CLIENT_SECRET"),
    }
}

/// Plaid's secret: in simulator mode the simulator's, which is public.
fn plaid_secret(app: &App) -> SecretHint {
    match app.config.plaid.environment {
        Environment::Simulator => SecretHint::Public(simulator::SECRET),
        Environment::Sandbox | Environment::Production => {
            SecretHint::Described("your Plaid secret (PLAID_SECRET)")
        }
    }
}

/// The products that the client may request, as a scope.
pub(super) fn scope(app: &App, client: &ClientConfig) -> String {
    client
        .products
        .clone()
        .unwrap_or_else(|| scope::names(&app.config.link.products))
        .join(" ")
}

/// The callbacks that Kore.ai documents: of its OAuth v2 profiles, and of its Search AI connectors.
const USUAL_CALLBACKS: [&str; 2] = [
    "https://idp.kore.ai/workflows/callback/",
    "https://idp.kore.com/workflows/callback",
];

/// A value to copy.
fn row(field: &'static str, value: String) -> Row {
    Row {
        field,
        value,
        literal: true,
        note: None,
    }
}

/// An instruction, where there is no value to copy.
fn described(field: &'static str, value: &str, note: Option<String>) -> Row {
    Row {
        literal: false,
        note,
        ..row(field, value.to_owned())
    }
}

/// The form up to its Authorization Fields, in its order.
pub(super) fn rows(app: &App, client: &ClientConfig) -> Vec<Row> {
    let base = &app.public_url;
    let token = format!("{base}/api/send_the_access_token_AUTH");
    let secret = secret(app, client);
    let products = scope(app, client);
    let [profile, connector] = USUAL_CALLBACKS;
    vec![
        described("Authorization Type", "choose OAuth v2", None),
        described(
            "Callback Link",
            "copy it from the form and allow it under Callbacks",
            Some(format!(
                "Usually {profile} (with the slash) or {connector} (without one)."
            )),
        ),
        row("Identity Provider Name", "Plaid".to_owned()),
        row("Client ID", client.id.clone()),
        Row {
            literal: secret.is_public(),
            note: Some(secret.note().to_owned()),
            ..row("Client Secret Key", secret.text().to_owned())
        },
        row("Authorization URL", format!("{base}/")),
        described(
            "Access Using a Connector",
            "leave it off",
            Some("Kore.ai calls the broker at its public address, so no connector is needed.".to_owned()),
        ),
        row("Token Request URL", token.clone()),
        described(
            "Scope",
            "leave it empty",
            Some(format!(
                "Without a scope the client may use: {products}. To request less, add one pair: key scope, value the names \
                 of the products, separated by spaces."
            )),
        ),
        row("Refresh Token URL", token),
        described("Description", "optional", None),
        described(
            "Subdomain",
            "Yes",
            Some("The field for the tenancy URL appears after this choice.".to_owned()),
        ),
        row("Tenancy URL", "https://{tenant}.plaid.com".to_owned()),
        described("Additional Fields", "none", None),
    ]
}

/// The form's Authorization Fields: what Kore.ai adds to its calls of Plaid.
pub(super) fn fields(app: &App) -> Vec<Field> {
    let secret = plaid_secret(app);
    let field = |kind, key, value: String| Field {
        kind,
        key,
        value,
        literal: true,
        step: "Add it.",
    };
    vec![
        Field {
            step: "Where the form has a field named Authorization already, edit that one: change its type to Payload, its \
                   key and its value. Otherwise add it.",
            ..field("Payload", "access_token", "{{accessToken}}".to_owned())
        },
        field("Header", "PLAID-CLIENT-ID", app.config.plaid.client_id.clone()),
        Field {
            literal: secret.is_public(),
            ..field("Header", "PLAID-SECRET", secret.text().to_owned())
        },
    ]
}

/// What the form's Test asks for, which comes last.
pub(super) fn test(app: &App) -> Row {
    let simulated = " Kore.ai's actions call plaid.com with it, where the simulator's tokens are not valid.";
    let simulated = match app.config.plaid.environment {
        Environment::Simulator => simulated,
        Environment::Sandbox | Environment::Production => "",
    };
    Row {
        note: Some(format!(
            "Test asks for it, and so does the integration.{simulated}"
        )),
        ..row("Tenant", tenant(app).to_owned())
    }
}

/// For a ticket.
pub(super) fn markdown(app: &App, client: &ClientConfig) -> String {
    let cell = |value: &str, literal: bool| {
        let value = value.replace('|', "\\|");
        if literal { format!("`{value}`") } else { value }
    };
    let line = |row: &Row| {
        let note = cell(row.note.as_deref().unwrap_or_default(), false);
        format!("| {} | {} | {note} |\n", row.field, cell(&row.value, row.literal))
    };
    let mut text =
        String::from("# OAuth v2 profile for Plaid\n\n| Field | Value | Note |\n| --- | --- | --- |\n");
    text.extend(rows(app, client).iter().map(line));
    text.push_str(
        "\n## Authorization Fields\n\n| Field Type | Field Key | Field Value | Step |\n| --- | --- | --- | --- |\n",
    );
    for field in fields(app) {
        let value = cell(&field.value, field.literal);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | `{}` | {value} | {} |",
            field.kind, field.key, field.step
        );
    }
    text.push_str("\n## Test\n\n| Field | Value | Note |\n| --- | --- | --- |\n");
    text.push_str(&line(&test(app)));
    text.push_str(
        "\n## Afterwards\n\n1. Copy the Callback Link that the profile shows, and allow it at the broker (on the set-up page, or \
         in `PLAID_REDIRECT_URI`).\n2. Press Test in the profile.\n",
    );
    text
}

/// What comes before production, with what is known of it.
pub(super) fn going_live(app: &App) -> Vec<Step> {
    let config = &app.config;
    let production = config.plaid.environment == Environment::Production;
    let known = |done: bool, text: &str| Step {
        done: Some(done),
        text: text.to_owned(),
    };
    let ask = |text: &str| Step {
        done: None,
        text: text.to_owned(),
    };
    let clients = app.clients();
    let own_secret = clients.first().is_some_and(|first| match &first.kind {
        ClientKind::Confidential(secret) => !secret.matches(config.plaid.secret.expose()),
        ClientKind::Public => true,
    });
    vec![
        known(
            production,
            "PLAID_ENV=production, with PLAID_CLIENT_ID and the production PLAID_SECRET.",
        ),
        known(
            own_secret,
            "A client secret of its own (OAUTH_CLIENT_SECRET), so that a change or leak of one secret does not \
             affect the other. (The header PLAID-SECRET of Kore.ai's profile holds Plaid's all the same: its actions call \
             Plaid themselves.)",
        ),
        known(
            app.public_url.starts_with("https://"),
            "PUBLIC_URL is an https address that browsers and the OAuth client reach.",
        ),
        known(
            matches!(config.store.keys, KeySource::Given(_)),
            "BROKER_KEYS holds the keys, so that they are not stored beside what they seal.",
        ),
        known(
            config.link.redirect_uri.is_some(),
            "PLAID_LINK_REDIRECT_URI is {PUBLIC_URL}/link/return, and allowed in Plaid's dashboard: banks with a login of \
             their own need it.",
        ),
        ask(
            "PLAID_PRODUCTS and PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS list exactly the products that you need: each is billed, \
             and those in PLAID_PRODUCTS hide banks without them.",
        ),
        ask("In Kore.ai: tenant production, and the production secret in the header PLAID-SECRET."),
        ask(
            "In Plaid's dashboard: production access, the use case of Link's data transparency, and the OAuth registrations \
             of the big banks.",
        ),
        ask("A backup of the data, and one of the keys, kept apart (docs/operating.md)."),
    ]
}
