//! Arguments of `simulate` that have a form of their own. Errors are reported at the start, not by each call.

use url::Url;

/// A client id and its secret: `ID:SECRET`.
pub(super) fn key(text: &str) -> Result<(String, String), String> {
    let (id, secret) = text
        .split_once(':')
        .filter(|(_, secret)| !secret.is_empty())
        .ok_or("write it as ID:SECRET")?;
    check_client_id(id)?;
    Ok((id.to_owned(), secret.to_owned()))
}

/// A client id and the products that it has: `ID:PRODUCT,PRODUCT`.
pub(super) fn products(text: &str) -> Result<(String, Vec<String>), String> {
    let (id, products) = text.split_once(':').ok_or("write it as ID:PRODUCT,PRODUCT")?;
    check_client_id(id)?;
    let products: Vec<_> = products.split(',').map(|name| name.trim().to_owned()).collect();
    match products
        .iter()
        .find(|name| !crate::spec::products::is_known(name))
    {
        Some(unknown) => Err(format!(
            "{unknown:?} is no product of Plaid's: they are written like auth or payment_initiation"
        )),
        None => Ok((id.to_owned(), products)),
    }
}

/// An address on the Dashboard's list, where `*.` may stand for a subdomain.
pub(super) fn redirect_uri(text: &str) -> Result<String, String> {
    let whole = text.replacen("://*.", "://any.", 1);
    if Url::parse(&whole).is_ok_and(|url| url.has_host()) {
        Ok(text.to_owned())
    } else {
        Err("write a whole address, like https://app.example/oauth.html".to_owned())
    }
}

/// The first of these ids that nobody has a key for.
pub(super) fn unknown_client<'a>(
    products: &'a [(String, Vec<String>)],
    keys: &[(String, String)],
) -> Option<&'a str> {
    let known = |id: &str| id == crate::simulator::CLIENT_ID || keys.iter().any(|(known, _)| known == id);
    products.iter().map(|(id, _)| &**id).find(|id| !known(id))
}

fn check_client_id(id: &str) -> Result<(), String> {
    if id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err("the client id must be 24 hexadecimal digits, as Plaid's are".to_owned())
    }
}
