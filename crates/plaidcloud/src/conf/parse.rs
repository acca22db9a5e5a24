//! The text of `plaid.conf`, checked as a whole: every problem is reported at once, and none shows a value.

use std::fmt;

use url::{Host, Url};

use crate::secret::Secret;
use crate::yaml::{self, Node};

/// Every key, and whether it is required.
const KEYS: [(&str, bool); 16] = [
    ("user_id", true),
    ("client_id", true),
    ("client_secret", true),
    ("hostname", true),
    ("realm", true),
    ("workspace_uuid", true),
    ("auth_uri", false),
    ("project_id", false),
    ("workflow_id", false),
    ("step_id", false),
    ("redirect_uri", false),
    ("auth_token", false),
    ("name", false),
    ("auth_code", false),
    ("grant_type", false),
    ("verify_ssl", false),
];

/// The contents of `plaid.conf`.
#[derive(Clone, Debug)]
pub struct Conf {
    /// The member's id.
    pub user_id: String,
    /// The registered system's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The tenant's host, with a port when it is not 443.
    pub hostname: String,
    /// Keycloak's realm. Files from before 2022-05 lack it, and then no token can be requested.
    pub realm: Option<String>,
    /// The workspace.
    pub workspace_uuid: String,
    /// Where Keycloak is; `https://{hostname}/auth` unless the file says otherwise.
    pub auth_uri: Url,
    /// The selected project, or empty.
    pub project_id: String,
    /// Empty outside of a workflow.
    pub workflow_id: String,
    /// Empty outside of a workflow.
    pub step_id: String,
    /// Where the authorization endpoint sends the browser, or empty.
    pub redirect_uri: String,
    /// A token that is used as it is.
    pub auth_token: Option<Secret>,
    /// The system's name, or empty.
    pub name: String,
    /// A code to redeem when there is no token.
    pub auth_code: Option<Secret>,
    /// How a token is obtained.
    pub grant_type: GrantType,
    /// Whether certificates are verified: yes, unless the file says `verify_ssl: false`.
    pub verify_tls: bool,
    /// Remarks on what is accepted and may not be meant.
    pub notes: Vec<String>,
}

/// How a token is obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// `code`: a person logs in.
    Code,
    /// `client_credentials`: the system itself.
    ClientCredentials,
}

/// Everything that is wrong with one text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(|problem| format!("  - {problem}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The text of a file's bytes, without a byte order mark and with plain line ends.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Problems> {
    let problem = |text: &str| Err(Problems(vec![text.to_owned()]));
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return problem("the text is UTF-16; save it as UTF-8");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return problem("the text is not UTF-8; save it as UTF-8");
    };
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    Ok(text.replace("\r\n", "\n"))
}

impl Conf {
    /// Reads a text. `realm` may be missing here, since an `auth_token` works without it.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        Self::read(text, false)
    }

    /// Reads a text that is to be imported: `realm` is required too.
    pub(crate) fn parse_new(text: &str) -> Result<Self, Problems> {
        Self::read(text, true)
    }

    fn read(text: &str, is_new: bool) -> Result<Self, Problems> {
        let mut reader = Reader::of(text)?;
        for (key, _) in KEYS
            .iter()
            .filter(|(key, required)| *required && (is_new || *key != "realm"))
        {
            reader.require(key);
        }
        let hostname = reader.text("hostname");
        let host = reader.host(&hostname);
        let auth_uri = reader.auth_uri(host.as_ref());
        let realm = reader.realm();
        let grant_type = reader.grant_type();
        let verify_tls = reader.verify_tls();
        let redirect_uri = reader.text("redirect_uri");
        if !redirect_uri.is_empty() && Url::parse(&redirect_uri).is_err() {
            reader.problem("redirect_uri is not a URL".to_owned());
        }
        reader.unknown_keys();
        // Without a host or a valid URL there is a problem already.
        let Some(auth_uri) = auth_uri else {
            return Err(Problems(reader.problems));
        };
        let secret = |text: String| (!text.is_empty()).then(|| Secret::new(text));
        let conf = Self {
            user_id: reader.text("user_id"),
            client_id: reader.text("client_id"),
            client_secret: Secret::new(reader.text("client_secret")),
            hostname,
            realm,
            workspace_uuid: reader.text("workspace_uuid"),
            auth_uri,
            project_id: reader.text("project_id"),
            workflow_id: reader.text("workflow_id"),
            step_id: reader.text("step_id"),
            redirect_uri,
            auth_token: secret(reader.text("auth_token")),
            name: reader.text("name"),
            auth_code: secret(reader.text("auth_code")),
            grant_type,
            verify_tls,
            notes: std::mem::take(&mut reader.notes),
        };
        if reader.problems.is_empty() {
            Ok(conf)
        } else {
            Err(Problems(reader.problems))
        }
    }
}

struct Reader {
    root: Node,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Reader {
    fn of(text: &str) -> Result<Self, Problems> {
        let problem = |text: String| Err(Problems(vec![text]));
        if text.trim().is_empty() {
            return problem(
                "the text is empty; paste what the gear icon of the registered system shows".to_owned(),
            );
        }
        if let Some(line) = ini_line(text) {
            return problem(format!(
                "line {line} is in INI format (key = value); plaid.conf is YAML: write key: value"
            ));
        }
        let root = match yaml::parse(text) {
            Ok(root) => root,
            Err(error) => return problem(format!("{error}. Is the text complete? Copy all of it again")),
        };
        if !matches!(root, Node::Map(_)) {
            return problem(
                "the text is not a list of `key: value` lines. Is it complete? Copy all of it again"
                    .to_owned(),
            );
        }
        Ok(Self {
            root,
            problems: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn problem(&mut self, text: String) {
        if !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// The key's text; empty when it is missing, null, or no text (which is then a problem).
    fn text(&mut self, key: &str) -> String {
        let text = match self.root.get(key) {
            None | Some(Node::Null) => return String::new(),
            Some(Node::Scalar(text)) => text.trim().to_owned(),
            Some(Node::List(_) | Node::Map(_)) => {
                self.problem(format!("{key} must be one value, not a list or a map"));
                return String::new();
            }
        };
        if text.chars().any(char::is_control) {
            self.problem(format!(
                "{key} contains a line break or another control character"
            ));
        }
        text
    }

    fn require(&mut self, key: &str) {
        let is_structure = matches!(self.root.get(key), Some(Node::List(_) | Node::Map(_)));
        if !self.text(key).is_empty() || is_structure {
            return;
        }
        let written = self.root.get(key).is_some();
        let hint = match self.nearest_written(key) {
            _ if written => " has no value".to_owned(),
            Some(other) => format!(" is missing; is `{other}` a typing error for it?"),
            None => " is missing".to_owned(),
        };
        self.problem(format!("{key}{hint}"));
    }

    /// The unknown key of the text that is most like `key`.
    fn nearest_written(&self, key: &str) -> Option<String> {
        let Node::Map(entries) = &self.root else {
            return None;
        };
        let unknown = entries
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !is_key(name));
        nearest(key, unknown).map(str::to_owned)
    }

    fn unknown_keys(&mut self) {
        let Node::Map(entries) = &self.root else { return };
        for (name, _) in entries.iter().filter(|(name, _)| !is_key(name)) {
            // A secret that was pasted where a key belongs would be shown otherwise.
            if let Some(key) = nearest(name, KEYS.map(|(key, _)| key)) {
                self.notes
                    .push(format!("the key `{name}` is not used; did you mean `{key}`?"));
            }
        }
    }

    fn host(&mut self, hostname: &str) -> Option<Url> {
        if hostname.is_empty() {
            return None;
        }
        let url = Url::parse(&format!("https://{hostname}/")).ok().filter(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            plain && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
        });
        if url.is_none() || hostname.contains(['/', '\\', '?', '#', '@']) {
            self.problem(
                "hostname must be the host alone, as in my-company.plaid.cloud: no https:// and no path"
                    .to_owned(),
            );
            return None;
        }
        url
    }

    fn auth_uri(&mut self, host: Option<&Url>) -> Option<Url> {
        let text = self.text("auth_uri");
        if text.is_empty() {
            return host.and_then(|host| host.join("/auth").ok());
        }
        match Url::parse(text.trim_end_matches('/')) {
            Ok(url) if is_safe(&url) => Some(url),
            Ok(_) => {
                self.problem("auth_uri must begin with https:// (secrets are sent there)".to_owned());
                None
            }
            Err(_) => {
                self.problem("auth_uri is not a URL".to_owned());
                None
            }
        }
    }

    fn realm(&mut self) -> Option<String> {
        let realm = self.text("realm");
        if realm.contains(['/', '?', '#']) {
            self.problem("realm must be a name without /, ? and #".to_owned());
        }
        (!realm.is_empty()).then_some(realm)
    }

    fn grant_type(&mut self) -> GrantType {
        match self.text("grant_type").as_str() {
            "" | "code" => GrantType::Code,
            "client_credentials" => GrantType::ClientCredentials,
            _ => {
                self.problem("grant_type must be `code` or `client_credentials`".to_owned());
                GrantType::Code
            }
        }
    }

    /// YAML 1.1 has several words for false, and all of them mean it.
    fn verify_tls(&mut self) -> bool {
        match self.text("verify_ssl").to_ascii_lowercase().as_str() {
            "" | "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.problem("verify_ssl must be true or false".to_owned());
                true
            }
        }
    }
}

fn is_key(name: &str) -> bool {
    KEYS.iter().any(|(key, _)| *key == name)
}

/// The candidate that differs in at most a third of its letters.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' '], "_");
    let name = plain(name);
    let scored = candidates.into_iter().map(|candidate| {
        let score = strsim::normalized_damerau_levenshtein(&name, &plain(candidate));
        (score, candidate)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.67).then_some(best.1)
}

/// Whether a secret may be sent there: by TLS, or without leaving this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    let has_host = url.host().is_some() && url.username().is_empty() && url.password().is_none();
    has_host && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The line that only INI has: a section alone, or `key = value` without a colon before.
fn ini_line(text: &str) -> Option<usize> {
    let is_ini = |line: &str| {
        let line = line.trim();
        let section = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_section = section.is_some_and(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        });
        let is_pair = line.split_once('=').is_some_and(|(key, _)| is_key(key.trim()));
        is_section || is_pair
    };
    text.lines().position(is_ini).map(|index| index + 1)
}

#[cfg(test)]
mod tests;
