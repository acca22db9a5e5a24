//! What Link is asked for.

use super::choices::Environment;
use super::http::HttpConfig;
use super::products::ProductLists;
use super::settings;
use super::values::Values;

/// <https://plaid.com/docs/api/link/#linktokencreate>, `country_codes`.
const COUNTRIES: &str = "US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI";
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
    pub(super) fn read(values: &mut Values, environment: Option<Environment>, http: &HttpConfig) -> Self {
        let products = ProductLists::read(values, environment);
        values.get(&settings::PLAID_LINK_MODE);
        Self {
            products,
            language: values.get(&settings::PLAID_LANGUAGE),
            country_codes: read_countries(values),
            client_name: read_client_name(values),
            customization_name: values.optional(&settings::PLAID_LINK_CUSTOMIZATION_NAME),
            redirect_uri: read_redirect_uri(values, http),
            webhook_url: values.optional(&settings::PLAID_WEBHOOK_URL),
        }
    }
}

fn read_countries(values: &mut Values) -> Vec<String> {
    values.each(&settings::PLAID_COUNTRY_CODES, |country| {
        let country = country.to_ascii_uppercase();
        if COUNTRIES.split(' ').any(|known| known == country) {
            return Ok(country);
        }
        Err(format!(
            "choose among the countries that Plaid serves: {COUNTRIES}"
        ))
    })
}

fn read_client_name(values: &mut Values) -> String {
    let name = values.get(&settings::PLAID_CLIENT_NAME);
    if name.chars().any(char::is_control) {
        values.problem(&settings::PLAID_CLIENT_NAME, "remove the control characters");
    }
    if name.chars().count() > CLIENT_NAME_CHARS {
        values.warn(format!(
            "PLAID_CLIENT_NAME has more than {CLIENT_NAME_CHARS} characters, so Link will show \"This Application\" in its place."
        ));
    }
    name
}

/// A bank sends the person back to a page that opens Link again with the same link token
/// (<https://plaid.com/docs/link/oauth/>). Only our own `/link/return` can do that.
fn read_redirect_uri(values: &mut Values, http: &HttpConfig) -> Option<String> {
    let given = values.optional(&settings::PLAID_LINK_REDIRECT_URI)?;
    let expected = match http.public_base().map(|base| base + "/link/return") {
        Some(own) if given == own => return Some(given),
        Some(own) => format!(
            "set it to {own} (the page that can reopen Link) or leave it empty; the callback URL of your auth profile \
             belongs in PLAID_REDIRECT_URI"
        ),
        None if values.is_given(&settings::PUBLIC_URL) => "needs a PUBLIC_URL without problems".to_owned(),
        None => "set PUBLIC_URL too: it must be {PUBLIC_URL}/link/return".to_owned(),
    };
    values.problem(&settings::PLAID_LINK_REDIRECT_URI, &expected);
    None
}
