//! What most endpoints use.

pub(super) use serde_json::{Value, json};

pub(super) use super::Call;
pub(super) use crate::spec::error::{PlaidError, refuse_if};
pub(super) use crate::spec::fields::{
    FROM_ZERO, Kind, NON_EMPTY, TEXT, TEXTS, fields, int, list, request, some, text,
};
