//! `/link/token/create` and `/link/token/get`: <https://plaid.com/docs/api/link/>.

use url::{Host, Url};

use super::link_token_rules as rules;
use super::prelude::*;
use crate::items::hosted::Hosted;
use crate::items::user::User;
use crate::items::{LinkRequest, LinkToken, State};
use crate::spec::guesses::{
    ListOverlap, PaymentInitiationBeside, PersonalData, ProductObjectMissing, ProductsMissing,
    RedirectAndAndroid, RedirectUriForm, UnknownLinkToken, UnknownUser,
};
use crate::spec::ids::{self, TokenKind};
use crate::spec::json::set;
use crate::spec::{Guesses, products, redirect_list, time_text};

/// `/link/token/create`
pub(super) fn create(call: &Call<'_>, request: LinkRequest) -> Result<Value, PlaidError> {
    check_user(&request, &call.guesses)?;
    check_products(&request, &call.guesses)?;
    request.check_auth(&call.guesses)?;
    rules::check(&request, call)?;
    let wanted = [
        request.products(),
        request.required_if_supported(),
        request.optional(),
        request.additional_consented(),
    ];
    call.simulator
        .check_enabled(&call.client_id, wanted.into_iter().flatten())?;
    let listed = call.simulator.0.redirect_uris.as_deref();
    check_return(&request, listed, &call.guesses)?;
    let hosted = request.hosted_link.as_ref();
    let hosted = hosted
        .map(|hosted| Hosted::new(hosted, call.host, listed, &call.guesses))
        .transpose()?;
    let mut state = call.simulator.state();
    let user = (request.user_id.as_deref(), request.user_token.as_deref());
    check_known_user(user, call, &state)?;
    rules::check_payment(&request, &call.client_id, &mut state.payment_book)?;
    let update_item = match &request.access_token {
        Some(token) => {
            let item = state.item(&call.client_id, token, &call.guesses)?;
            rules::check_update(&request, item)?;
            Some(item.shared_id())
        }
        None => None,
    };
    let user_id = request.user_id.clone();
    let mut link_token = LinkToken::new(
        call.client_id.clone(),
        request,
        update_item,
        &call.guesses,
        call.now,
    );
    let mut answer = json!({
        "link_token": link_token.token,
        "expiration": time_text(link_token.expires_at),
    });
    if let Some(hosted) = &hosted {
        set(&mut answer, "hosted_link_url", &*hosted.url);
    }
    if let Some(user_id) = user_id {
        set(&mut answer, "user_id", user_id);
    }
    link_token.hosted = hosted;
    state.keep_link_token(link_token, call.now);
    Ok(answer)
}

/// `user_id` and `user_token` have to be those of a user that `/user/create` gave to this client.
pub(super) fn check_known_user(
    (user_id, user_token): (Option<&str>, Option<&str>),
    call: &Call<'_>,
    state: &State,
) -> Result<(), PlaidError> {
    if call.guesses.unknown_user == UnknownUser::Taken {
        return Ok(());
    }
    let known = |is: &dyn Fn(&User) -> bool| {
        let mut users = state.users.values();
        users.any(|user| user.client_id == *call.client_id && is(user))
    };
    let unknown = |code: &'static str, word: &str| {
        PlaidError::new("INVALID_INPUT", code, format!("could not find matching {word}"))
    };
    match (user_id, user_token) {
        (Some(id), _) if !known(&|user| user.id == id) => Err(unknown("INVALID_USER_ID", "user_id")),
        (_, Some(token)) if !known(&|user| user.token == token) => {
            Err(unknown("INVALID_USER_TOKEN", "user_token"))
        }
        _ => Ok(()),
    }
}

fn check_user(request: &LinkRequest, guesses: &Guesses) -> Result<(), PlaidError> {
    match &request.user {
        Some(user) if is_personal(&user.client_user_id, guesses) => Err(PlaidError::invalid_field(
            "user.client_user_id must not contain personal data such as an e-mail address or a phone number",
        )),
        Some(_) => Ok(()),
        None if request.user_id.is_some() => Ok(()),
        // An update by user instead of Item (https://plaid.com/docs/link/update-mode/).
        None if request.user_token.is_some() && request.updates_user() => Ok(()),
        None => Err(PlaidError::missing_fields(&["user".to_owned()])),
    }
}

/// What looks like an e-mail address or an international phone number.
pub(super) fn is_personal(text: &str, guesses: &Guesses) -> bool {
    if guesses.personal_data == PersonalData::Unchecked {
        return false;
    }
    let mail = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let phone = text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    mail || phone
}

fn check_products(request: &LinkRequest, guesses: &Guesses) -> Result<(), PlaidError> {
    let products = request.products();
    if products.is_empty() && request.access_token.is_none() {
        let needed = "products must name at least one product";
        return Err(match guesses.products_missing {
            ProductsMissing::MissingFields => PlaidError::missing_fields(&["products".to_owned()]),
            ProductsMissing::InvalidField => PlaidError::invalid_field(needed),
            ProductsMissing::InvalidProduct => PlaidError::invalid_product(needed),
        });
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
                let why = format!("{product} must not be in both {name} and {other_name}");
                return Err(match guesses.list_overlap {
                    ListOverlap::InvalidField => PlaidError::invalid_field(why),
                    ListOverlap::InvalidProduct => PlaidError::invalid_product(why),
                    ListOverlap::InvalidConfiguration => PlaidError::invalid_configuration(&why),
                });
            }
        }
    }
    let has = |product: &str| products.iter().any(|listed| listed == product);
    if has("payment_initiation") && products.len() > 1 {
        let why = "payment_initiation must be the only product";
        return Err(match guesses.payment_initiation_beside {
            PaymentInitiationBeside::InvalidProduct => PlaidError::invalid_product(why),
            PaymentInitiationBeside::InvalidField => PlaidError::invalid_field(why),
        });
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
        return Ok(());
    }
    Err(match guesses.product_object_missing {
        ProductObjectMissing::MissingFields => PlaidError::missing_fields(&needed),
        ProductObjectMissing::InvalidConfiguration => {
            PlaidError::invalid_configuration(&format!("{} must be given", needed.join(", ")))
        }
    })
}

/// The rules of <https://plaid.com/docs/link/oauth/> for where a bank sends the person back to.
fn check_return(
    request: &LinkRequest,
    allowed: Option<&[String]>,
    guesses: &Guesses,
) -> Result<(), PlaidError> {
    let Some(uri) = &request.redirect_uri else {
        return Ok(());
    };
    // One of the two is empty or absent; an empty redirect_uri alone is none that could be configured.
    let is_android = request
        .android_package_name
        .as_ref()
        .is_some_and(|name| !name.is_empty());
    if is_android && uri.is_empty() {
        return Ok(());
    }
    if is_android {
        let why = "redirect_uri and android_package_name must not be used together";
        return Err(match guesses.redirect_and_android {
            RedirectAndAndroid::InvalidField => PlaidError::invalid_field(why),
            RedirectAndAndroid::InvalidConfiguration => PlaidError::invalid_configuration(why),
        });
    }
    let listed = allowed.is_none_or(|allowed| redirect_list::allows(allowed, uri, guesses));
    refuse_if(
        uri.is_empty() || !listed,
        "OAuth redirect URI must be configured in the developer dashboard. See \
             https://plaid.com/docs/link/oauth/",
    )?;
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
        let why = format!("redirect_uri must {rule}");
        Err(match guesses.redirect_uri_form {
            RedirectUriForm::InvalidField => PlaidError::invalid_field(why),
            RedirectUriForm::InvalidConfiguration => PlaidError::invalid_configuration(&why),
        })
    })
}

request! {
    pub(super) struct Get {
        required link_token: TEXT => String,
    }
}

/// `/link/token/get`
pub(super) fn get(call: &Call<'_>, request: Get) -> Result<Value, PlaidError> {
    ids::check_token(TokenKind::Link, &request.link_token)
        .map_err(|_| PlaidError::invalid_field("link_token must be a link token of this environment"))?;
    call.simulator
        .state()
        .link_tokens
        .get(&request.link_token)
        .filter(|link_token| link_token.client_id == call.client_id && !link_token.is_forgotten(call.now))
        .map(|link_token| link_token.json(call.now))
        .ok_or_else(|| match call.guesses.unknown_link_token {
            UnknownLinkToken::InvalidLinkToken => PlaidError::invalid_link_token(),
            UnknownLinkToken::InvalidField => PlaidError::invalid_field("invalid link_token provided"),
        })
}
