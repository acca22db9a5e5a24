//! `plaidcloud call` and `plaidcloud rest`.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plaidcloud::{HttpMethod, RestRequest};

use super::arguments::{Limit, Method, json_argument};
use super::files::{Bar, Into};
use super::json::pretty;
use super::{From, dry_run, fail, print, usage, wait};
use crate::cli::say;

/// Call a JSON-RPC method, and print its result: formatted on a terminal, as the server wrote it in a pipe.
///
/// Exit codes: 0 success, 1 the server reports an error or a warning (code -1000; there is no result then),
/// 2 usage or configuration, 3 the server cannot be reached.
#[derive(Args, Debug)]
pub(super) struct Call {
    #[command(flatten)]
    method: Method,
    /// Print the request without secrets, and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    limit: Limit,
}

fn print_json(json: &str) -> Result<(), u8> {
    if std::io::stdout().is_terminal() {
        print(pretty(json).as_bytes())
    } else {
        print(json.as_bytes())
    }
}

impl Call {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let client = from.client(self.limit.duration())?;
        let call = self.method.call(&client)?;
        if self.dry_run {
            return dry_run(client.prepare(&call));
        }
        let result = wait(client.call(&call))?;
        print_json(result.get())
    }
}

/// Send a request to the REST interface below /rest/v1/ on the same host, and print the response.
#[derive(Args, Debug)]
pub(super) struct Rest {
    /// The HTTP method.
    #[arg(value_enum, ignore_case = true)]
    method: Verb,
    /// The path below /rest/v1/, as in analyze/dimension/dimensions.
    path: String,
    /// Add a query parameter. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    query: Vec<String>,
    /// The body, with POST: JSON, or @FILE, or - for standard input.
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// Write the response to this file, as `download` does.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where a relative FILE is.
    #[arg(long, value_enum, requires = "output")]
    into: Option<Into>,
    /// Print the request without secrets, and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    limit: Limit,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verb {
    #[value(name = "GET")]
    Get,
    #[value(name = "POST")]
    Post,
}

impl Rest {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let request = self.request()?;
        let client = from.client(self.limit.duration())?;
        if self.dry_run {
            return dry_run(client.prepare_rest(&request));
        }
        if let Some(output) = &self.output {
            let target = super::files::target(from, output, self.into)?;
            let mut bar = Bar::new();
            let mut progress = |received, total| bar.show(received, total);
            wait(client.rest_to_file(&request, &target, &mut progress))?;
            say(&target.display().to_string());
            return Ok(());
        }
        let body = wait(client.rest(&request))?;
        match std::str::from_utf8(&body).map(str::trim) {
            Ok("") => Ok(()),
            Ok(json) => print_json(json),
            Err(_) => print(&body),
        }
    }

    fn request(&self) -> Result<RestRequest, u8> {
        let method = match self.method {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
        };
        let mut request = RestRequest::new(method, &self.path).map_err(fail)?;
        for pair in &self.query {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(usage("--query: write NAME=VALUE"));
            };
            request = request.with_query(name, value);
        }
        match (&self.body, method) {
            (Some(_), HttpMethod::Get) => {
                Err(usage("--body: a GET request has no body; use --query or POST"))
            }
            (Some(body), HttpMethod::Post) => {
                let json = json_argument(body, "--body")?;
                request.with_body(&json).map_err(fail)
            }
            (None, _) => Ok(request),
        }
    }
}
