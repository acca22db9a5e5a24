//! What Link is asked for.

use super::address;
use super::http::HttpConfig;
use super::plaid::Environment;
use super::products::ProductLists;
use super::settings::Settings;
use super::values::names;

/// <https://plaid.com/docs/api/link/#linktokencreate>, `country_codes`.
const COUNTRIES: [&str; 20] = [
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV", "PT",
    "BE", "AT", "FI",
];
/// The same page, `language`.
const LANGUAGES: [&str; 17] = [
    "da", "nl", "en", "et", "fr", "de", "hi", "it", "lv", "lt", "no", "pl", "pt", "ro", "es", "sv", "vi",
];
/// Link shows "This Application" in place of a longer client name.
const CLIENT_NAME_CHARS: usize = 30;

/// What Link is asked for.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// The four product lists.
    pub products: ProductLists,
    /// `PLAID_COUNTRY_CODES`, upper case.
    pub country_codes: Vec<String>,
    /// `PLAID_LANGUAGE`.
    pub language: String,
    /// `PLAID_CLIENT_NAME`: who asks, as Link shows it.
    pub client_name: String,
    /// `PLAID_LINK_CUSTOMIZATION_NAME`.
    pub customization_name: Option<String>,
    /// `PLAID_LINK_REDIRECT_URI`: our own `/link/return` once it is registered at Plaid.
    pub redirect_uri: Option<String>,
    /// `PLAID_WEBHOOK_URL` when set; its default is made of the public URL at the start.
    pub webhook_url: Option<String>,
}

impl LinkConfig {
    pub(super) fn read(settings: &mut Settings, environment: Option<Environment>, http: &HttpConfig) -> Self {
        let products = ProductLists::read(settings, environment);
        let language = settings.parsed("PLAID_LANGUAGE", |text| {
            let language = text.to_ascii_lowercase();
            if LANGUAGES.contains(&language.as_str()) {
                Ok(language)
            } else {
                Err(format!("choose one of Link's languages: {}", LANGUAGES.join(" ")))
            }
        });
        settings.parsed("PLAID_LINK_MODE", |text| {
            match text.to_ascii_lowercase().as_str() {
                "embedded" => Ok(()),
                "hosted" => Err("hosted is not supported by this version yet: remove it".to_owned()),
                _ => Err("choose embedded".to_owned()),
            }
        });
        Self {
            products,
            country_codes: read_countries(settings),
            language: language.unwrap_or_else(|| "en".to_owned()),
            client_name: read_client_name(settings),
            customization_name: settings.text("PLAID_LINK_CUSTOMIZATION_NAME").map(str::to_owned),
            redirect_uri: read_redirect_uri(settings, http),
            webhook_url: settings.parsed("PLAID_WEBHOOK_URL", |text| {
                address::secure_url(text).map(|_| text.to_owned())
            }),
        }
    }
}

fn read_countries(settings: &mut Settings) -> Vec<String> {
    let text = settings.text("PLAID_COUNTRY_CODES").unwrap_or("US");
    let given: Vec<String> = names(text).map(str::to_ascii_uppercase).collect();
    let mut countries: Vec<String> = Vec::new();
    for country in &given {
        if !COUNTRIES.contains(&country.as_str()) {
            let expected = format!(
                "choose among the countries that Plaid serves: {}",
                COUNTRIES.join(" ")
            );
            settings.problem_with("PLAID_COUNTRY_CODES", country, &expected);
        } else if !countries.contains(country) {
            countries.push(country.clone());
        }
    }
    if given.is_empty() {
        settings.problem("PLAID_COUNTRY_CODES", "name at least one country, for example US");
    }
    countries
}

fn read_client_name(settings: &mut Settings) -> String {
    let name = settings
        .text("PLAID_CLIENT_NAME")
        .unwrap_or("Plaid token broker")
        .to_owned();
    if name.chars().any(char::is_control) {
        settings.problem("PLAID_CLIENT_NAME", "remove the control characters");
    }
    if name.chars().count() > CLIENT_NAME_CHARS {
        settings.warn(format!(
            "PLAID_CLIENT_NAME has more than {CLIENT_NAME_CHARS} characters, so Link will show \"This Application\" in its place."
        ));
    }
    name
}

/// A bank sends the person back to a page that opens Link again with the same link token
/// (<https://plaid.com/docs/link/oauth/>). Only our own `/link/return` can do that.
fn read_redirect_uri(settings: &mut Settings, http: &HttpConfig) -> Option<String> {
    let own = http.public_base().map(|base| base + "/link/return");
    let public_url_is_given = settings.is_given("PUBLIC_URL");
    settings.parsed("PLAID_LINK_REDIRECT_URI", |text| match &own {
        Some(own) if text == own => Ok(text.to_owned()),
        Some(own) => Err(format!(
            "set it to {own} (the page that can reopen Link) or leave it empty; the callback URL of your auth profile \
             belongs into PLAID_REDIRECT_URI"
        )),
        None if public_url_is_given => Err("needs a PUBLIC_URL without problems".to_owned()),
        None => Err("set PUBLIC_URL too: it must be {PUBLIC_URL}/link/return".to_owned()),
    })
}
