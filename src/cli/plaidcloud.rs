//! `plaidcloud`: configuration, paths, tokens and calls of PlaidCloud, which has nothing to do with Plaid. None of the
//! broker's settings are read here, and the store is not opened.

mod arguments;
mod conf;
mod files;
mod json;
mod requests;
mod token;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use plaidcloud::conf::{Connection, Located, locate};
use plaidcloud::paths::Paths;
use plaidcloud::{Client, Error, Kind, Options, Prepared, Secret, ServerError, TokenError, TokenSource};

use super::operate::runtime;
use super::{DONE, FAILED, UNREACHABLE, USAGE, complain, say};
use crate::clock::{Clock as _, SystemClock};
use crate::random;

/// Longer parameters belong into an upload.
const MOST_INPUT: u64 = 64 * 1024 * 1024;

/// PlaidCloud (another company, not Plaid): its configuration, paths, tokens and calls.
///
/// The configuration is the one of `--rpc-uri`, else of the variables `__PLAID_RPC_URI__` and
/// `__PLAID_RPC_AUTH_TOKEN__`, else the nearest `plaid.conf` or `.plaid/plaid.conf` upwards. The settings of the broker
/// (`PLAID_…` and others) are not read. See docs/plaidcloud.md.
#[derive(Args, Debug)]
pub(super) struct Plaidcloud {
    #[command(flatten)]
    from: From,
    #[command(subcommand)]
    command: Command,
}

/// Which configuration is used.
#[derive(Args, Debug)]
struct From {
    /// Begin the search for plaid.conf in this directory instead of the working directory.
    #[arg(long, value_name = "DIR", global = true)]
    start: Option<PathBuf>,
    /// Use this plaid.conf: do not search, and ignore the environment.
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "start")]
    conf: Option<PathBuf>,
    /// Use this JSON-RPC address, as in `https://my-company.plaid.cloud/json-rpc/`, with the token of --token-file.
    #[arg(long, value_name = "URI", global = true, conflicts_with_all = ["start", "conf"])]
    rpc_uri: Option<String>,
    /// With --rpc-uri: read the token from this file, or from standard input with `-`.
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<String>,
    /// With --rpc-uri: the workspace.
    #[arg(long, value_name = "ID", global = true)]
    workspace: Option<String>,
    /// Neither read nor write tokens on disk.
    #[arg(long, global = true)]
    no_cache: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find, show, import and check the configuration.
    #[command(subcommand)]
    Conf(conf::Conf),
    /// Show the paths of paths.yaml, or resolve one name or text.
    Paths(files::PathsCommand),
    /// Show the token: its source, expiry and scopes.
    Token(token::Token),
    /// Call a JSON-RPC method, and print its result.
    Call(requests::Call),
    /// Call a method that responds with a file, and write it below `LOCAL_STORAGE` or REPORTS.
    Download(files::Download),
    /// Load a CSV file into a table, with `analyze/table/load_csv`.
    Upload(files::Upload),
    /// Send a request to the REST interface below /rest/v1/, and print the response.
    Rest(requests::Rest),
}

impl Plaidcloud {
    pub(super) fn run(self) -> u8 {
        let Self { from, command } = self;
        let done = from.consistent().and_then(|()| match command {
            Command::Conf(conf) => conf.run(&from),
            Command::Paths(paths) => paths.run(&from),
            Command::Token(token) => token.run(&from),
            Command::Call(call) => call.run(&from),
            Command::Download(download) => download.run(&from),
            Command::Upload(upload) => upload.run(&from),
            Command::Rest(rest) => rest.run(&from),
        });
        done.map_or_else(|code| code, |()| DONE)
    }
}

impl From {
    fn consistent(&self) -> Result<(), u8> {
        if self.rpc_uri.is_some() != self.token_file.is_some() {
            return Err(usage("--rpc-uri and --token-file belong together"));
        }
        if self.workspace.is_some() && self.rpc_uri.is_none() {
            return Err(usage("--workspace needs --rpc-uri"));
        }
        Ok(())
    }

    fn start(&self) -> PathBuf {
        self.start.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// The file, whether or not the environment is used instead.
    fn located(&self) -> Result<Located, u8> {
        if let Some(path) = &self.conf {
            let path = path.clone();
            return Ok(Located {
                path,
                levels: Vec::new(),
            });
        }
        locate(&self.start()).map_err(|error| fail(plaidcloud::conf::ConnectionError::from(error)))
    }

    /// Arguments, else the environment, else the file.
    fn connection(&self) -> Result<Connection, u8> {
        let connection = match (&self.rpc_uri, &self.token_file, &self.conf) {
            (Some(address), Some(file), _) => {
                let text = read_input(file, "--token-file")?;
                let token = Secret::new(text.trim());
                if token.expose().is_empty() || token.expose().contains(|c: char| !c.is_ascii_graphic()) {
                    return Err(usage(
                        "--token-file: the file must contain one token and nothing else",
                    ));
                }
                let workspace = self.workspace.clone().unwrap_or_default();
                Connection::direct(address, token, workspace, String::new())
            }
            (_, _, Some(path)) => Connection::from_file(path),
            _ => match Connection::from_environment(|name| std::env::var(name).ok()) {
                Ok(Some(connection)) => Ok(connection),
                Ok(None) => Connection::from_directory(&self.start()),
                Err(error) => Err(error),
            },
        };
        connection.map_err(fail)
    }

    /// A client, with the connection's remarks on standard error.
    fn client(&self, timeout: Duration) -> Result<Client, u8> {
        let connection = self.connection()?;
        for note in &connection.notes {
            warn(note);
        }
        let cache = if self.no_cache || connection.fixed_token.is_some() {
            None
        } else {
            Some(cache_directory()?)
        };
        let [a, b, c, d] = random::bytes::<4>();
        let options = Options {
            cache,
            clock: Arc::new(|| SystemClock.now().as_secs()),
            call_id_prefix: format!("{a:02x}{b:02x}{c:02x}{d:02x}"),
            timeout,
        };
        Client::new(connection, options).map_err(fail)
    }

    /// The paths beside `plaid.conf`, with their remarks on standard error.
    fn paths(&self) -> Result<Option<Paths>, u8> {
        let path = self.located()?.path;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let paths = Paths::load(folder, &home()?).map_err(fail)?;
        for note in paths.iter().flat_map(|paths| &paths.notes) {
            warn(note);
        }
        Ok(paths)
    }
}

fn home() -> Result<String, u8> {
    let home = std::env::home_dir().filter(|home| home != Path::new(""));
    let home = home.and_then(|home| home.into_os_string().into_string().ok());
    home.ok_or_else(|| usage("the home directory is not known; set HOME"))
}

/// Tokens are kept where other programs of this user keep what can be made again.
fn cache_directory() -> Result<PathBuf, u8> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else {
        set("XDG_CACHE_HOME").filter(|path| path.is_absolute())
    };
    let base = match base {
        Some(base) => base,
        None => Path::new(&home()?).join(".cache"),
    };
    Ok(base.join("plaidcloud").join("tokens"))
}

/// Runs work that an interrupt ends, so that no partial file stays.
fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, u8> {
    runtime()?.block_on(async {
        tokio::select! {
            outcome = work => outcome.map_err(fail),
            _ = tokio::signal::ctrl_c() => {
                complain("interrupted; no file was written");
                Err(FAILED)
            }
        }
    })
}

/// Shows a request instead of sending it.
fn dry_run(prepared: Result<Prepared, Error>) -> Result<(), u8> {
    say(&prepared.map_err(fail)?.to_string());
    Ok(())
}

/// Reports an error, and returns its exit code.
fn fail(error: impl Into<Error>) -> u8 {
    let error = error.into();
    complain(&error.to_string());
    match &error {
        Error::Token(TokenError::LoginRequired) => {
            complain("Log in with: plaid-token-broker plaidcloud token --login");
        }
        Error::Server(ServerError::Unauthorized {
            token_source: TokenSource::Cache | TokenSource::Granted,
            ..
        }) => complain("Is the registered system still active, and has it access to this workspace?"),
        _ => {}
    }
    match error.kind() {
        Kind::Configuration => USAGE,
        Kind::Server | Kind::Local => FAILED,
        Kind::Unreachable => UNREACHABLE,
    }
}

fn usage(text: &str) -> u8 {
    complain(text);
    USAGE
}

fn warn(text: &str) {
    complain(&format!("warning: {text}"));
}

/// The text of a file, or of standard input for `-`.
fn read_input(name: &str, option: &str) -> Result<String, u8> {
    let bytes =
        read_bytes(name).map_err(|error| usage(&format!("{option}: {name} cannot be read: {error}")))?;
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).to_vec();
    String::from_utf8(text).map_err(|_| usage(&format!("{option}: {name} is not UTF-8 text")))
}

fn read_bytes(name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if name == "-" {
        io::stdin().lock().take(MOST_INPUT + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(name)?
            .take(MOST_INPUT + 1)
            .read_to_end(&mut bytes)?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_INPUT) {
        return Err(io::Error::other("it is larger than 64 MiB"));
    }
    Ok(bytes)
}

/// Data on standard output. A reader that went away is no error; a full disk is one.
fn print(data: &[u8]) -> Result<(), u8> {
    let mut out = io::stdout().lock();
    match out
        .write_all(data)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output cannot be written: {error}"));
            Err(FAILED)
        }
        _ => Ok(()),
    }
}
