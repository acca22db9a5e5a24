//! `DATABASE_URL` and `BROKER_KEYS`: from text to values.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{DatabaseUrl, PostgresUrl, SealingKey};

const KEY_BYTES: usize = 32;
const ID_CHARS: usize = 32;

/// Keys come from `openssl rand -base64 32` or from tools that leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl DatabaseUrl {
    /// The error is an instruction without any part of the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => database_path(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => PostgresUrl::parse(rest).map(|url| Self::Postgres(Box::new(url))),
            _ => Err(
                "write sqlite:// and the path of a file, for example sqlite://data/broker.db, or \
                 postgres://user:password@host/database"
                    .to_owned(),
            ),
        }
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

impl SealingKey {
    /// Keys as `id:base64` pairs with commas; in a file also one per line. The error shows no key.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut keys: Vec<Self> = Vec::new();
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
            return Err("write at least one id:base64 pair".to_owned());
        }
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
