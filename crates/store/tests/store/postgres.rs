//! The contract on `PostgreSQL`, and what several instances on one database must not do to each other.

mod indexing;
mod instances;
mod lost_commits;
mod missing_keys;
mod opening;

use crate::contract::contract_suite;
use crate::helpers::cluster;
use crate::helpers::postgres::{database, fresh, keys, options, two, with};

contract_suite!([ignore = "needs PostgreSQL: tests/run starts one"] super::fresh);
