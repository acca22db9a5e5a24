//! What every request passes, one file each; the stack and its order stand in [`crate::router`].

pub mod body;
pub mod headers;
pub mod log;
pub mod peer;
pub mod rehearsal;
pub mod request_id;
pub mod timeout;
pub mod unread;
