//! `/link/token/create` and `/link/token/get`: <https://plaid.com/docs/api/link/>.

use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url};

use super::{Call, products};
use crate::simulator::error::PlaidError;
use crate::simulator::ids::{self, TokenKind, time_text};
use crate::simulator::link::Hosted;
use crate::simulator::link_token::{LinkRequest, LinkToken};

/// `/link/token/create`
pub(super) fn create(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: LinkRequest = call.take()?;
    check_user(&request)?;
    check_products(&request)?;
    let wanted = [
        request.products(),
        request.required_if_supported(),
        request.optional(),
        request.additional_consented(),
    ];
    call.simulator
        .check_enabled(&call.client_id, wanted.into_iter().flatten())?;
    check_return(&request, call.simulator.0.redirect_uris.as_deref())?;
    let hosted = request.hosted_link.as_ref();
    let hosted = hosted.map(|hosted| Hosted::new(hosted, call.host)).transpose()?;
    let mut state = call.simulator.state();
    let update_item = match &request.access_token {
        Some(token) => Some(state.item(&call.client_id, token)?.id().to_owned()),
        None => None,
    };
    let mut link_token = LinkToken::new(call.client_id, request, update_item, call.now);
    let mut answer = json!({
        "link_token": link_token.token,
        "expiration": time_text(link_token.expires_at),
    });
    if let (Some(hosted), Some(answer)) = (&hosted, answer.as_object_mut()) {
        answer.insert("hosted_link_url".to_owned(), hosted.url.clone().into());
    }
    link_token.hosted = hosted;
    state.keep_link_token(link_token, call.now);
    Ok(answer)
}

fn check_user(request: &LinkRequest) -> Result<(), PlaidError> {
    match &request.user {
        Some(user) if is_personal(&user.client_user_id) => Err(PlaidError::invalid_field(
            "user.client_user_id must not contain personal data such as an e-mail address or a phone number",
        )),
        Some(_) => Ok(()),
        None if request.user_id.is_some() || request.user_token.is_some() => Ok(()),
        None => Err(PlaidError::missing_fields(&["user".to_owned()])),
    }
}

/// What looks like an e-mail address or an international phone number.
pub(super) fn is_personal(text: &str) -> bool {
    let mail = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let phone = text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    mail || phone
}

fn check_products(request: &LinkRequest) -> Result<(), PlaidError> {
    let products = request.products();
    if products.is_empty() && request.access_token.is_none() {
        return Err(PlaidError::missing_fields(&["products".to_owned()]));
    }
    let lists = [
        ("products", products),
        ("required_if_supported_products", request.required_if_supported()),
        ("optional_products", request.optional()),
        ("additional_consented_products", request.additional_consented()),
    ];
    products::check_initial(lists.iter().flat_map(|(_, list)| *list))?;
    for (at, (name, list)) in lists.iter().enumerate() {
        for (other_name, other) in lists.iter().skip(at + 1) {
            if let Some(product) = list.iter().find(|product| other.contains(product)) {
                return Err(PlaidError::invalid_field(format!(
                    "{product} must not be in both {name} and {other_name}"
                )));
            }
        }
    }
    let has = |product: &str| products.iter().any(|listed| listed == product);
    if has("payment_initiation") && products.len() > 1 {
        return Err(PlaidError::invalid_product(
            "payment_initiation must be the only product",
        ));
    }
    let needed: Vec<_> = [
        ("statements", request.statements.is_some()),
        ("payment_initiation", request.payment_initiation.is_some()),
        ("income_verification", request.income_verification.is_some()),
        ("employment", request.employment.is_some()),
        ("identity_verification", request.identity_verification.is_some()),
    ]
    .into_iter()
    .filter(|(product, given)| has(product) && !given)
    .map(|(product, _)| product.to_owned())
    .collect();
    if needed.is_empty() {
        Ok(())
    } else {
        Err(PlaidError::missing_fields(&needed))
    }
}

/// The rules of <https://plaid.com/docs/link/oauth/> for where a bank sends the person back to.
fn check_return(request: &LinkRequest, allowed: Option<&[String]>) -> Result<(), PlaidError> {
    let Some(uri) = &request.redirect_uri else {
        return Ok(());
    };
    if request.android_package_name.is_some() {
        return Err(PlaidError::invalid_field(
            "redirect_uri and android_package_name must not be used together",
        ));
    }
    let listed = allowed.is_none_or(|allowed| allowed.iter().any(|listed| listed == uri));
    if uri.is_empty() || !listed {
        return Err(PlaidError::invalid_field(
            "OAuth redirect URI must be configured in the developer dashboard. See \
             https://plaid.com/docs/link/oauth/",
        ));
    }
    let url = Url::parse(uri).map_err(|_| PlaidError::invalid_field("redirect_uri must be a URL"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let rule = match url.scheme() {
        "https" => None,
        "http" if loopback => None,
        _ => Some("use https, or http on localhost"),
    };
    let rule = rule
        .or_else(|| url.query().map(|_| "have no query"))
        .or_else(|| url.fragment().map(|_| "have no fragment"))
        .or_else(|| uri.contains('*').then_some("have no wildcard"));
    rule.map_or(Ok(()), |rule| {
        Err(PlaidError::invalid_field(format!("redirect_uri must {rule}")))
    })
}

#[derive(Deserialize)]
struct Get {
    link_token: String,
}

/// `/link/token/get`
pub(super) fn get(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Get = call.take()?;
    ids::check_token(TokenKind::Link, &request.link_token)
        .map_err(|_| PlaidError::invalid_field("link_token must be a link token of this environment"))?;
    call.simulator
        .state()
        .link_tokens
        .get(&request.link_token)
        .filter(|link_token| link_token.client_id == call.client_id && !link_token.is_forgotten(call.now))
        .map(|link_token| link_token.json(call.now))
        .ok_or_else(PlaidError::invalid_link_token)
}
