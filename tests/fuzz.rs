//! Everything that reads what strangers send, fed with mutations of good input: nothing panics, and what is accepted is
//! what must be. The seed is fixed, so that a failure can be repeated; `FUZZ_CASES` (20000 unless set) says how many.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "fuzz/mutation.rs"]
mod mutation;

#[path = "fuzz/requests.rs"]
mod requests;
#[path = "fuzz/router.rs"]
mod router;
#[path = "fuzz/settings.rs"]
mod settings;
#[path = "fuzz/store.rs"]
mod store;
