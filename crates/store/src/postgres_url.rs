//! `DATABASE_URL=postgres://…`: libpq's URL, of which three parameters are ours to understand.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

/// How many connections one instance opens at most, unless `pool_size` says otherwise.
const POOL_SIZE: usize = 10;
const MOST_CONNECTIONS: usize = 500;
/// A server that does not answer by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what was sent may stay unacknowledged by the other side before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
const IDLE_BEFORE_PROBE: Duration = Duration::from_secs(30);

/// For a URL that was not understood: nothing of it is quoted.
const WRITE: &str = "write postgres://user:password@host/database; in user and password, percent-encode what is not a \
     letter, digit, - . _ or ~; of libpq's parameters, sslmode, sslrootcert, host, hostaddr, connect_timeout, \
     application_name, options and the keepalives are known";

/// `sslmode`, as libpq means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    Disable,
    /// TLS when the server has it, without asking who the server is: it keeps listeners out, not a forger in between.
    #[default]
    Prefer,
    /// TLS, and the server's certificate is of its host and of an authority that is trusted.
    Require,
}

/// Where a `PostgreSQL` database is and how it is reached. Its `Debug` and `Display` show no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    pub connect: Box<tokio_postgres::Config>,
    /// `sslmode`.
    pub tls: TlsMode,
    /// `sslrootcert`: the authorities that are trusted instead of the platform's.
    pub root_certificates: Option<PathBuf>,
    /// `pool_size`: how many connections are opened at most.
    pub pool_size: usize,
}

impl PostgresUrl {
    /// Reads what follows `postgres:`.
    ///
    /// # Errors
    /// What to write instead, without quoting what was given.
    pub fn parse(rest: &str) -> Result<Self, String> {
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut tls, mut root_certificates, mut pool_size) = (TlsMode::default(), None, POOL_SIZE);
        let mut theirs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => tls = tls_mode(value)?,
                "sslrootcert" => root_certificates = Some(PathBuf::from(decoded(value))),
                "pool_size" => pool_size = size(value)?,
                _ => theirs.push(pair),
            }
        }
        // The parser ends the password at the first @: the rest of it would count as host or database, and be shown.
        if before.matches('@').count() > 1 {
            return Err(WRITE.to_owned());
        }
        let text = zeroize::Zeroizing::new(format!("postgres:{before}?{}", theirs.join("&")));
        // The parser's own words may quote what it was given.
        let mut connect: tokio_postgres::Config = text.parse().map_err(|_| WRITE.to_owned())?;
        if connect
            .get_hosts()
            .iter()
            .any(|host| matches!(host, Host::Tcp(name) if name.contains('@')))
        {
            return Err(WRITE.to_owned());
        }
        if connect.get_dbname().is_none() {
            return Err("name the database, as in postgres://user:password@host/database".to_owned());
        }
        if connect.get_hosts().is_empty() && connect.get_hostaddrs().is_empty() {
            return Err(
                "name the host, as in postgres://user:password@host/database, or the directory of the server's \
                 socket, as in postgres://user@/database?host=/run/postgresql"
                    .to_owned(),
            );
        }
        let addresses = connect.get_hostaddrs().len();
        // Whom the certificate should name, and whether there is a network in between, is known from the host alone.
        if addresses > 0
            && (addresses != connect.get_hosts().len() || !connect.get_hosts().iter().all(is_tcp))
        {
            return Err(
                "name a host for each hostaddr, as in postgres://user:password@host/database?hostaddr=192.0.2.7: the \
                 host is the name in the server's certificate"
                    .to_owned(),
            );
        }
        if !connect.get_hosts().iter().any(is_tcp) {
            // As libpq does: there is no network to listen on.
            tls = TlsMode::Disable;
        }
        connect.ssl_mode(match tls {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require => SslMode::Require,
        });
        if connect.get_connect_timeout().is_none() {
            connect.connect_timeout(CONNECT_TIMEOUT);
        }
        if connect.get_application_name().is_none() {
            connect.application_name("plaid-token-broker");
        }
        if !query.contains("keepalives_idle=") {
            connect.keepalives_idle(IDLE_BEFORE_PROBE);
        }
        if connect.get_tcp_user_timeout().is_none() {
            connect.tcp_user_timeout(UNACKNOWLEDGED);
        }
        Ok(Self {
            connect: Box::new(connect),
            tls,
            root_certificates,
            pool_size,
        })
    }

    /// Whether all of its hosts are this machine itself.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let addresses = self.connect.get_hostaddrs();
        // Where there are addresses, they are what is connected to.
        addresses.iter().all(std::net::IpAddr::is_loopback)
            && self.connect.get_hosts().iter().all(|host| {
                let Host::Tcp(name) = host else { return true };
                name == "localhost"
                    || name
                        .parse::<std::net::IpAddr>()
                        .is_ok_and(|address| address.is_loopback())
            })
    }
}

fn is_tcp(host: &Host) -> bool {
    matches!(host, Host::Tcp(_))
}

fn tls_mode(value: &str) -> Result<TlsMode, String> {
    match value {
        "disable" => Ok(TlsMode::Disable),
        "prefer" | "allow" => Ok(TlsMode::Prefer),
        // Ours asks for all that libpq asks for with these.
        "require" | "verify-ca" | "verify-full" => Ok(TlsMode::Require),
        _ => Err("sslmode may be disable, prefer or require".to_owned()),
    }
}

fn size(value: &str) -> Result<usize, String> {
    value
        .parse()
        .ok()
        .filter(|size| (1..=MOST_CONNECTIONS).contains(size))
        .ok_or_else(|| format!("pool_size may be a number from 1 to {MOST_CONNECTIONS}"))
}

/// A value of the query, its percent-encoding undone.
fn decoded(value: &str) -> String {
    let pair = format!("v={}", value.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// Host and database alone.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let ports = self.connect.get_ports();
        let hosts = self.connect.get_hosts();
        let mut comma = "";
        for (place, host) in hosts.iter().enumerate() {
            let Host::Tcp(name) = host else { continue };
            let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
            if name.contains(':') {
                write!(f, "{comma}[{name}]:{port}")?;
            } else {
                write!(f, "{comma}{name}:{port}")?;
            }
            comma = ",";
        }
        write!(f, "/{}", self.connect.get_dbname().unwrap_or_default())?;
        match hosts.iter().find_map(socket) {
            Some(directory) => write!(f, "?host={}", directory.display()),
            None => Ok(()),
        }
    }
}

#[cfg(unix)]
fn socket(host: &Host) -> Option<&Path> {
    match host {
        Host::Unix(directory) => Some(directory),
        Host::Tcp(_) => None,
    }
}

#[cfg(not(unix))]
fn socket(_host: &Host) -> Option<&Path> {
    None
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PostgresUrl({self}, {:?}, pool of {})",
            self.tls, self.pool_size
        )
    }
}
