//! Reading a request body: bounded in size and in time, so that a body that arrives a byte a second costs little.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use thiserror::Error;

/// Larger than any request of ours: 64 KiB.
pub const MAX_BODY: usize = 64 * 1024;
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    #[error("the body did not arrive within 10 s")]
    TooSlow,
    /// The client went away in the middle of it.
    #[error("the body is incomplete")]
    Broken,
}

/// Reads the whole body. One that is announced to be too large is not waited for.
pub async fn read(body: Body) -> Result<Bytes, BodyError> {
    if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > MAX_BODY) {
        return Err(BodyError::TooLarge);
    }
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect());
    match collected.await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}

/// Reads a JSON object. (serde would take an array for a struct as well.)
#[must_use]
pub fn json_object<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    serde_json::from_value(serde_json::Value::Object(object)).ok()
}
