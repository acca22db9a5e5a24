//! Where connections are kept and what seals them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::plaid::Environment;
use super::settings::Settings;
use crate::store::config::{DatabaseUrl, KeySource, PostgresUrl, SealingKey, StoreConfig};

const KEY_BYTES: usize = 32;
const ID_CHARS: usize = 32;
const KEY_FILE: &str = "broker.key";

/// A key file on one machine would be of no use to the instances on others.
const KEYS_WANTED: &str = "set it, as PostgreSQL has no key file beside it: \
     `plaid-token-broker keys generate` makes a key; all instances that share the database need the same";

/// Keys come from `openssl rand -base64 32` or from tools that leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn read(settings: &mut Settings, environment: Option<Environment>) -> StoreConfig {
    let name = environment.unwrap_or(Environment::Sandbox).name();
    let database = settings
        .parsed("DATABASE_URL", database_url)
        .unwrap_or_else(|| DatabaseUrl::Sqlite(Path::new("data").join(format!("{name}.db"))));
    let given = settings.parsed("BROKER_KEYS", sealing_keys);
    let keys = match (given, &database) {
        (Some(keys), _) => KeySource::Given(keys),
        (None, DatabaseUrl::Sqlite(path)) => KeySource::File(path.with_file_name(KEY_FILE)),
        (None, DatabaseUrl::Postgres(_)) => {
            if !settings.is_given("BROKER_KEYS") {
                settings.problem("BROKER_KEYS", KEYS_WANTED);
            }
            KeySource::Given(Vec::new())
        }
    };
    StoreConfig { database, keys }
}

/// `BROKER_CONTROL_SOCKET`. Unset, it is beside the `SQLite` database, because that folder belongs to one broker's user.
pub(super) fn control_socket(
    settings: &Settings,
    database: &DatabaseUrl,
    environment: Option<Environment>,
) -> PathBuf {
    match (settings.text("BROKER_CONTROL_SOCKET"), database) {
        (Some(path), _) => PathBuf::from(path),
        (None, DatabaseUrl::Sqlite(path)) => path.with_extension("sock"),
        (None, DatabaseUrl::Postgres(_)) => {
            let name = environment.unwrap_or(Environment::Sandbox).name();
            Path::new("data").join(format!("{name}.sock"))
        }
    }
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" => database_path(rest).map(DatabaseUrl::Sqlite),
        "postgres" | "postgresql" => PostgresUrl::parse(rest).map(|url| DatabaseUrl::Postgres(Box::new(url))),
        _ => Err(
            "write sqlite:// and the path of a file, for example sqlite://data/broker.db, or \
             postgres://user:password@host/database"
                .to_owned(),
        ),
    }
}

fn database_path(rest: &str) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.starts_with(":memory:") {
        return Err(
            "name a file: a database in memory would forget every bank connection when the broker stops"
                .to_owned(),
        );
    }
    if path.contains(['?', '#', '\0']) {
        return Err("write the path of the file alone, without ? or #".to_owned());
    }
    let is_file = Path::new(path).file_name().is_some() && !path.ends_with('/');
    if is_file {
        Ok(PathBuf::from(path))
    } else {
        Err("name a file and not a folder".to_owned())
    }
}

/// `id:base64` pairs with commas; in a file also one a line.
fn sealing_keys(text: &str) -> Result<Vec<SealingKey>, String> {
    let mut keys: Vec<SealingKey> = Vec::new();
    let pairs = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|part| !part.is_empty());
    for (number, pair) in (1..).zip(pairs) {
        let key = sealing_key(pair).map_err(|expected| format!("key {number}: {expected}"))?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(format!(
                "key {number}: give it an id of its own, because an earlier key has the same"
            ));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        Err("write at least one id:base64 pair".to_owned())
    } else {
        Ok(keys)
    }
}

fn sealing_key(pair: &str) -> Result<SealingKey, String> {
    let (id, base64) = pair
        .split_once(':')
        .ok_or("write id:base64, for example 2025-01:…")?;
    let id_is_good = (1..=ID_CHARS).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if !id_is_good {
        return Err(format!(
            "its id may have 1 to {ID_CHARS} letters, digits, - and ."
        ));
    }
    let plain = Zeroizing::new(base64.replace('-', "+").replace('_', "/"));
    let bytes = BASE64
        .decode(plain.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| "what follows its id is no base64")?;
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
        .map_err(|_| format!("must be {KEY_BYTES} bytes (openssl rand -base64 {KEY_BYTES} makes one)"))?;
    Ok(SealingKey {
        id: id.to_owned(),
        key: Zeroizing::new(key),
    })
}
