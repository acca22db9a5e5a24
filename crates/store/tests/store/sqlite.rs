//! The contract on `SQLite`, and what is particular to its files.

mod backups;
mod indexing;
mod keys;
mod opening;

use crate::contract::contract_suite;
use crate::helpers::sqlite::{fresh, options};

contract_suite!(super::fresh);
