//! The values of a profile: Kore.ai's form in its order, the same as Markdown, and what comes before production.

use std::fmt::Write as _;

use crate::app::App;
use crate::config::{ClientConfig, ClientKind, Environment, KeySource};
use crate::oauth::scope;
use crate::pages::{Addresses, Field, Row, Step};

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

/// Where the client's secret is found. It is never shown.
pub(super) fn secret(app: &App, client: &ClientConfig) -> &'static str {
    let is_first = app.clients().first().is_some_and(|first| first.id == client.id);
    match &client.kind {
        ClientKind::Public => "none: this client is public and uses PKCE",
        ClientKind::Confidential(_) if !is_first => {
            "the secret that was hashed for the clients file (secret_hash)"
        }
        ClientKind::Confidential(secret) if secret.matches(app.config.plaid.secret.expose()) => {
            "your Plaid secret (PLAID_SECRET), because OAUTH_CLIENT_SECRET is not set"
        }
        ClientKind::Confidential(_) => "the value of OAUTH_CLIENT_SECRET",
    }
}

/// The form, in its order.
pub(super) fn rows(app: &App, client: &ClientConfig) -> Vec<Row> {
    let base = &app.public_url;
    let token = format!("{base}/api/send_the_access_token_AUTH");
    let row = |field, value: String| Row {
        field,
        value,
        literal: true,
        note: None,
    };
    let products = client
        .products
        .clone()
        .unwrap_or_else(|| scope::names(&app.config.link.products))
        .join(" ");
    let simulated = (app.config.plaid.environment == Environment::Simulator).then(|| {
        "Kore.ai's actions call plaid.com with it, where the simulator's tokens mean nothing.".to_owned()
    });
    vec![
        row("Identity Provider Name", "Plaid".to_owned()),
        row("Client ID", client.id.clone()),
        Row {
            literal: false,
            note: Some("It is never shown here.".to_owned()),
            ..row("Client Secret Key", secret(app, client).to_owned())
        },
        row("Authorization URL", format!("{base}/")),
        row("Token Request URL", token.clone()),
        row("Refresh Token URL", token),
        Row {
            literal: false,
            note: Some(format!(
                "Empty asks for all that this client may ask for: {products}. Name some of them to ask for less."
            )),
            ..row("Scope(s)", "leave it empty".to_owned())
        },
        row("Tenancy URL", "https://{tenant}.plaid.com".to_owned()),
        Row {
            note: simulated,
            ..row("Tenant", tenant(app).to_owned())
        },
    ]
}

/// The form's Authorization Fields: what Kore.ai adds to its calls of Plaid.
pub(super) fn fields(app: &App) -> Vec<Field> {
    let field = |kind, key, value: String| Field {
        kind,
        key,
        value,
        literal: true,
    };
    vec![
        field("Payload", "access_token", "{{accessToken}}".to_owned()),
        field("Header", "PLAID-CLIENT-ID", app.config.plaid.client_id.clone()),
        Field {
            literal: false,
            ..field(
                "Header",
                "PLAID-SECRET",
                "your Plaid secret (PLAID_SECRET)".to_owned(),
            )
        },
    ]
}

/// All of it as Markdown, for a ticket.
pub(super) fn markdown(app: &App, client: &ClientConfig) -> String {
    let shown = |value: &str, literal: bool| {
        let value = value.replace('|', "\\|");
        if literal { format!("`{value}`") } else { value }
    };
    let mut text =
        String::from("# OAuth v2 profile for Plaid\n\n| Field | Value | Note |\n| --- | --- | --- |\n");
    for row in rows(app, client) {
        let note = shown(row.note.as_deref().unwrap_or_default(), false);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {note} |",
            row.field,
            shown(&row.value, row.literal)
        );
    }
    text.push_str("\n## Authorization Fields\n\n| Type | Key | Value |\n| --- | --- | --- |\n");
    for field in fields(app) {
        let value = shown(&field.value, field.literal);
        let _ = writeln!(text, "| {} | `{}` | {value} |", field.kind, field.key);
    }
    text.push_str(
        "\n## Afterwards\n\n1. Copy the Callback URL that the profile shows, and have it allowed at the broker (set-up page, \
         or `PLAID_REDIRECT_URI`).\n2. Press Test in the profile.\n",
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
            "A client secret of its own (OAUTH_CLIENT_SECRET), so that it and Plaid's secret can be changed and be lost one \
             without the other. (The header PLAID-SECRET of Kore.ai's profile holds Plaid's all the same: its actions call \
             Plaid themselves.)",
        ),
        known(
            app.public_url.starts_with("https://"),
            "PUBLIC_URL is an https address that browsers and the OAuth client reach.",
        ),
        known(
            matches!(config.store.keys, KeySource::Given(_)),
            "BROKER_KEYS holds the keys, so that they do not lie beside what they seal.",
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
