//! What happens to every call beside its answer: faults that tests ordered, the record of calls, rate limits.

pub(crate) mod faults;
pub(crate) mod rate_limits;
pub(crate) mod recorder;
