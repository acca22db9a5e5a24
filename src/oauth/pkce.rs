//! Proof Key for Code Exchange (RFC 7636), method S256 alone: `plain` protects nothing (RFC 9700 2.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::secret::constant_time_eq;

/// The length of a verifier (RFC 7636 4.1): a shorter one can be guessed from its challenge.
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

/// A challenge or verifier that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PkceError {
    /// A method other than S256; `plain` is the default of the RFC, so no method with a challenge is one.
    #[error("code_challenge_method must be S256")]
    Method,
    /// Not the base64url of a SHA-256 digest.
    #[error("code_challenge must be 43 characters of base64url")]
    Challenge,
    /// A public client came without a challenge.
    #[error("this client is public and must use PKCE: send code_challenge and code_challenge_method=S256")]
    Required,
    /// The code was asked for with a challenge, and the verifier is missing.
    #[error("code_verifier is missing: the code was asked for with a code_challenge")]
    VerifierMissing,
    /// RFC 7636 4.1.
    #[error("code_verifier must be 43 to 128 characters long")]
    Verifier,
    /// A verifier without a challenge: what a downgrade attack looks like (RFC 9700 4.8.2).
    #[error("code_verifier was sent, but the code was asked for without a code_challenge")]
    VerifierUnexpected,
    /// The verifier is not the one.
    #[error("code_verifier does not match the code_challenge")]
    Mismatch,
}

/// Checks what came to the authorization endpoint.
pub fn check_challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    required: bool,
) -> Result<Option<String>, PkceError> {
    match (challenge, method) {
        (None, None) if required => Err(PkceError::Required),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(PkceError::Challenge),
        (Some(challenge), Some("S256")) => {
            let valid = challenge.len() == 43 && URL_SAFE_NO_PAD.decode(challenge).is_ok();
            valid
                .then(|| Some(challenge.to_owned()))
                .ok_or(PkceError::Challenge)
        }
        (Some(_), _) => Err(PkceError::Method),
    }
}

/// Checks what came to the token endpoint: all four cells of challenge × verifier.
pub fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), PkceError> {
    if verifier.is_some_and(|verifier| !VERIFIER_BYTES.contains(&verifier.len())) {
        return Err(PkceError::Verifier);
    }
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(PkceError::VerifierUnexpected),
        (Some(_), None) => Err(PkceError::VerifierMissing),
        (Some(challenge), Some(verifier)) => {
            let derived = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            constant_time_eq(derived.as_bytes(), challenge.as_bytes())
                .then_some(())
                .ok_or(PkceError::Mismatch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_four_cells() {
        assert_eq!(check_verifier(None, None), Ok(()));
        assert_eq!(
            check_verifier(None, Some(VERIFIER)),
            Err(PkceError::VerifierUnexpected)
        );
        assert_eq!(
            check_verifier(Some(CHALLENGE), None),
            Err(PkceError::VerifierMissing)
        );
        assert_eq!(check_verifier(Some(CHALLENGE), Some(VERIFIER)), Ok(()));
        assert_eq!(
            check_verifier(Some(CHALLENGE), Some(CHALLENGE)),
            Err(PkceError::Mismatch)
        );
    }

    #[test]
    fn a_verifier_has_43_to_128_characters() {
        for (length, fits) in [(1, false), (42, false), (43, true), (128, true), (129, false)] {
            let verifier = "v".repeat(length);
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            let expected = if fits { Ok(()) } else { Err(PkceError::Verifier) };
            assert_eq!(
                check_verifier(Some(&challenge), Some(&verifier)),
                expected,
                "{length}"
            );
            let without = check_verifier(None, Some(&verifier));
            let unexpected = if fits {
                PkceError::VerifierUnexpected
            } else {
                PkceError::Verifier
            };
            assert_eq!(without, Err(unexpected), "{length}");
        }
    }

    #[test]
    fn only_a_digest_with_s256_is_a_challenge() {
        assert_eq!(check_challenge(None, None, false), Ok(None));
        assert_eq!(check_challenge(None, None, true), Err(PkceError::Required));
        let ok = check_challenge(Some(CHALLENGE), Some("S256"), true);
        assert_eq!(ok, Ok(Some(CHALLENGE.to_owned())));
        assert_eq!(
            check_challenge(Some(CHALLENGE), Some("plain"), false),
            Err(PkceError::Method)
        );
        assert_eq!(
            check_challenge(Some(CHALLENGE), None, false),
            Err(PkceError::Method)
        );
        // 44 characters would be base64url too: of 33 bytes.
        for wrong in [
            "short",
            &CHALLENGE.replacen('E', "", 1),
            &format!("{CHALLENGE}A"),
            &CHALLENGE.replace('-', "+"),
        ] {
            assert_eq!(
                check_challenge(Some(wrong), Some("S256"), false),
                Err(PkceError::Challenge),
                "{wrong}"
            );
        }
        assert_eq!(
            check_challenge(None, Some("S256"), false),
            Err(PkceError::Challenge)
        );
    }
}
