//! What only the inside of the `PostgreSQL` store can show.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod outages;
mod sessions;

use crate::helpers::cluster;
use crate::helpers::postgres::{fresh, options};
