//! Configuration: explicit arguments, else the environment, else `plaid.conf`. The three are never merged.

mod env;
mod import;
mod locate;
mod parse;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use url::Url;

use crate::secret::Secret;

pub use import::{ImportError, Imported, import};
pub use locate::{DIRECTORY, FILE, Level, LocateError, Located, locate};
pub use parse::{Conf, GrantType, Problems};
pub(crate) use parse::{decode, is_loopback, is_safe, nearest};

/// Longer than any configuration.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where a connection's configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Explicit arguments.
    Arguments,
    /// `__PLAID_RPC_URI__` and its companions.
    Environment,
    /// This `plaid.conf`.
    File(PathBuf),
}

/// All that a call needs to know.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where this comes from.
    pub origin: Origin,
    /// The address of the JSON-RPC interface; method names are joined to it as relative references.
    pub rpc_uri: Url,
    /// Where Keycloak is, when it is known.
    pub auth_uri: Option<Url>,
    /// The workspace, or empty.
    pub workspace_uuid: String,
    /// The selected project, or empty.
    pub project_id: String,
    /// The workflow, or empty.
    pub workflow_id: String,
    /// The workflow's step, or empty.
    pub step_id: String,
    /// Whether certificates are verified.
    pub verify_tls: bool,
    /// A token that is used as it is.
    pub fixed_token: Option<Secret>,
    /// What tokens are requested with: only a file has it.
    pub conf: Option<Conf>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// No file was found.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The file cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file's text is wrong.
    #[error("{} is not a valid plaid.conf:\n{problems}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Problems,
    },
    /// An address cannot be used.
    #[error("{name}: {reason}")]
    Address {
        /// The variable or argument.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Connection {
    fn of(origin: Origin, rpc_uri: Url) -> Self {
        let mut notes = Vec::new();
        if !rpc_uri.path().ends_with('/') {
            notes.push(
                "the JSON-RPC address has no / at its end, so a method's name replaces its last part"
                    .to_owned(),
            );
        }
        Self {
            origin,
            rpc_uri,
            auth_uri: None,
            workspace_uuid: String::new(),
            project_id: String::new(),
            workflow_id: String::new(),
            step_id: String::new(),
            verify_tls: true,
            fixed_token: None,
            conf: None,
            notes,
        }
    }

    /// From explicit arguments.
    pub fn direct(
        address: &str,
        token: Secret,
        workspace_uuid: String,
        project_id: String,
    ) -> Result<Self, ConnectionError> {
        let mut connection = Self::of(Origin::Arguments, rpc_uri("the JSON-RPC address", address)?);
        connection.fixed_token = Some(token);
        connection.workspace_uuid = workspace_uuid;
        connection.project_id = project_id;
        Ok(connection)
    }

    /// From the environment, if `__PLAID_RPC_URI__` and `__PLAID_RPC_AUTH_TOKEN__` are both non-empty.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConnectionError> {
        env::read(variable)
    }

    /// From the nearest `plaid.conf` at or above a directory.
    pub fn from_directory(start: &Path) -> Result<Self, ConnectionError> {
        Self::from_file(&locate(start)?.path)
    }

    /// From this `plaid.conf`.
    pub fn from_file(path: &Path) -> Result<Self, ConnectionError> {
        let invalid = |problems| ConnectionError::Invalid {
            path: path.to_owned(),
            problems,
        };
        let bytes = read_bounded(path).map_err(|error| ConnectionError::Read {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
        let conf = decode(&bytes)
            .and_then(|text| Conf::parse(&text))
            .map_err(invalid)?;
        let address = Url::parse(&format!("https://{}/json-rpc/", conf.hostname));
        let address = address.map_err(|_| invalid(Problems(vec!["hostname is not a host".to_owned()])))?;
        let mut connection = Self::of(Origin::File(path.to_owned()), address);
        connection.auth_uri = Some(conf.auth_uri.clone());
        connection.workspace_uuid.clone_from(&conf.workspace_uuid);
        connection.project_id.clone_from(&conf.project_id);
        connection.workflow_id.clone_from(&conf.workflow_id);
        connection.step_id.clone_from(&conf.step_id);
        connection.verify_tls = conf.verify_tls;
        connection.fixed_token.clone_from(&conf.auth_token);
        connection.notes.extend(conf.notes.iter().cloned());
        if !conf.verify_tls {
            connection.notes.push(format!(
                "certificates are not verified, because {} says verify_ssl: false",
                path.display()
            ));
        }
        connection.conf = Some(conf);
        Ok(connection)
    }

    /// Keycloak's token endpoint; absent when the realm is unknown.
    #[must_use]
    pub fn token_uri(&self) -> Option<Url> {
        self.keycloak("token")
    }

    /// Keycloak's authorization endpoint; absent when the realm is unknown.
    #[must_use]
    pub fn authorization_uri(&self) -> Option<Url> {
        self.keycloak("auth")
    }

    fn keycloak(&self, endpoint: &str) -> Option<Url> {
        let realm = self.conf.as_ref()?.realm.as_ref()?;
        let base = self.auth_uri.as_ref()?;
        let text = format!("{base}/realms/{realm}/protocol/openid-connect/{endpoint}");
        Url::parse(&text).ok()
    }
}

fn rpc_uri(name: &str, text: &str) -> Result<Url, ConnectionError> {
    let refused = |reason| ConnectionError::Address {
        name: name.to_owned(),
        reason,
    };
    let url = Url::parse(text).map_err(|_| refused("this is not a URL"))?;
    if is_safe(&url) {
        Ok(url)
    } else {
        Err(refused(
            "the address must begin with https:// (a token is sent there)",
        ))
    }
}

pub(crate) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::other("the file is larger than 1 MiB"));
    }
    Ok(bytes)
}
