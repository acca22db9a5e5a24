//! What a token says about itself. Nothing is verified: the server does that, and this is for display and renewal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims of a JWT that matter to its holder.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Claims {
    /// When it expires, in seconds since 1970 (UTC).
    pub exp: Option<f64>,
    /// When it was issued, in the same unit.
    pub iat: Option<f64>,
    /// Its scopes, separated by spaces.
    pub scope: Option<String>,
}

impl Claims {
    /// The claims, if the text is a JWT.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// [`Self::exp`] in whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.exp.and_then(seconds)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn seconds(value: f64) -> Option<i64> {
    (value.is_finite() && value.abs() < 1e15).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_from_a_jwt_and_from_nothing_else() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1795000000.5,"scope":"analyze","more":[1]}"#);
        let claims = Claims::of(&format!("e30.{payload}.c2ln")).unwrap();
        assert_eq!(claims.expires_at(), Some(1_795_000_000));
        assert_eq!(claims.scope.as_deref(), Some("analyze"));
        for bad in ["", "opaque", "a.b", "e30.!!.x", "e30.WzFd.x"] {
            assert_eq!(Claims::of(bad), None, "{bad}");
        }
        let huge = URL_SAFE_NO_PAD.encode(r#"{"exp":1e300}"#);
        assert_eq!(Claims::of(&format!("e30.{huge}.x")).unwrap().expires_at(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-Za-z0-9_.=-]{0,40}|\\PC{0,20}") {
            let _ = Claims::of(&text);
        }
    }
}
