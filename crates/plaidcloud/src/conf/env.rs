//! The connection that PlaidCloud's own environments (notebooks, workflows) pass by environment variables.

use url::Url;

use super::{Connection, ConnectionError, Origin, rpc_uri};
use crate::secret::Secret;

/// The address of the JSON-RPC interface. Chosen only together with [`TOKEN`].
const URI: &str = "__PLAID_RPC_URI__";
const TOKEN: &str = "__PLAID_RPC_AUTH_TOKEN__";
const VERIFY: &str = "__PLAID_VERIFY_SSL__";

/// The connection that the environment names, if it names both address and token. Nothing is merged with a file.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Connection>, ConnectionError> {
    let text = |name: &str| variable(name).unwrap_or_default();
    let (uri, token) = (text(URI), text(TOKEN));
    if uri.is_empty() || token.is_empty() {
        return Ok(None);
    }
    let mut connection = Connection::of(Origin::Environment, rpc_uri(URI, &uri)?);
    connection.fixed_token = Some(Secret::new(token));
    connection.auth_uri = Some(text("__PLAID_AUTH_URI__"))
        .filter(|uri| !uri.is_empty())
        .and_then(|uri| Url::parse(&uri).ok());
    connection.project_id = text("__PLAID_PROJECT_ID__");
    connection.workspace_uuid = text("__PLAID_WORKSPACE_UUID__");
    connection.workflow_id = text("__PLAID_WORKFLOW_ID__");
    connection.step_id = text("__PLAID_STEP_ID__");
    let verify = text(VERIFY);
    connection.verify_tls = verify.is_empty() || verify == "True";
    if !connection.verify_tls {
        connection.notes.push(format!(
            "certificates are not verified, because {VERIFY} is set and is not exactly `True`"
        ));
    }
    Ok(Some(connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Option<Connection> {
        let find = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        read(find).unwrap()
    }

    #[test]
    fn address_and_token_choose_the_environment_only_together() {
        assert!(from(&[]).is_none());
        assert!(from(&[(URI, "https://h/json-rpc/")]).is_none());
        assert!(from(&[(TOKEN, "t"), (URI, "")]).is_none());
        let connection = from(&[
            (URI, "https://h/json-rpc/"),
            (TOKEN, "t"),
            ("__PLAID_PROJECT_ID__", "p"),
            ("__PLAID_WORKSPACE_UUID__", "w"),
            ("__PLAID_WORKFLOW_ID__", "f"),
            ("__PLAID_STEP_ID__", "s"),
        ]);
        let connection = connection.unwrap();
        let ids = [
            connection.project_id,
            connection.workspace_uuid,
            connection.workflow_id,
            connection.step_id,
        ];
        assert_eq!(ids, ["p", "w", "f", "s"]);
        assert!(connection.verify_tls && connection.notes.is_empty());
    }

    #[test]
    fn only_exactly_true_verifies_when_the_variable_is_set() {
        for (value, verifies) in [
            ("True", true),
            ("", true),
            ("true", false),
            ("False", false),
            ("1", false),
        ] {
            let variables = [(URI, "https://h/json-rpc/"), (TOKEN, "t"), (VERIFY, value)];
            let connection = from(&variables).unwrap();
            assert_eq!(connection.verify_tls, verifies, "{value}");
            assert_eq!(connection.notes.is_empty(), verifies, "{value}");
        }
    }

    #[test]
    fn an_address_that_would_send_the_token_in_clear_is_refused() {
        for uri in ["http://tenant.plaid.cloud/json-rpc/", "tenant", "ftp://h/"] {
            let refused = read(|name| Some(if name == URI { uri } else { "s3cr3t" }.to_owned()));
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(URI) && !text.contains("s3cr3t"), "{text}");
        }
    }
}
