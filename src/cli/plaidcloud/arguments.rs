//! Arguments that several commands share.

use std::time::Duration;

use clap::Args;
use plaidcloud::Client;

use super::{fail, read_input, usage};

/// A method with its parameters.
#[derive(Args, Debug)]
pub(super) struct Method {
    /// The method, as in analyze/project/list.
    #[arg(value_name = "METHOD")]
    name: String,
    /// The parameters: a JSON object, or @FILE, or - for standard input.
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// Add this `project_id` to the parameters; without an ID the one of the configuration.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    project: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Limit {
    /// How long the whole call may take, in seconds; a download until its first byte.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

impl Limit {
    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

impl Method {
    pub(super) fn call(&self, client: &Client) -> Result<plaidcloud::Call, u8> {
        let call = plaidcloud::Call::new(&self.name).map_err(fail)?;
        let call = match &self.params {
            Some(params) => {
                let json = json_argument(params, "--params")?;
                call.with_params(&json).map_err(fail)?
            }
            None => call,
        };
        match &self.project {
            Some(project) => {
                let project = project_id(project, client)?;
                call.with("project_id", &project).map_err(fail)
            }
            None => Ok(call),
        }
    }
}

/// The given id, or the configured one when it is empty.
pub(super) fn project_id(given: &str, client: &Client) -> Result<String, u8> {
    let configured = &client.connection().project_id;
    match (given, configured.as_str()) {
        ("", "") => Err(usage(
            "the configuration has no project_id: name one with --project ID, or import the text again with the project \
             selected in the web app",
        )),
        ("", configured) => Ok(configured.to_owned()),
        (given, _) => Ok(given.to_owned()),
    }
}

/// JSON itself, or the contents of @FILE, or standard input.
pub(super) fn json_argument(argument: &str, option: &str) -> Result<String, u8> {
    match argument.strip_prefix('@') {
        Some(file) => read_input(file, option),
        None if argument == "-" => read_input("-", option),
        None => Ok(argument.to_owned()),
    }
}
