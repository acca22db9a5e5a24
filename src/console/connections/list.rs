//! The list.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use url::form_urlencoded::Serializer;

use super::client_name;
use crate::app::App;
use crate::app::admin::{Admin, Fields};
use crate::clock::Timestamp;
use crate::http::pages::{Choice, ConnectionRow, ConnectionsPage, Moment, Tone};
use crate::http::{Refusal, form_policy, html};
use crate::store::StoreError;
use crate::store::model::{
    ConnectionFilter, ConnectionId, ConnectionKey, ConnectionState, ConnectionSummary,
};

const ROOT: &str = "../";
const PAGE: usize = 25;
/// The states to choose from, by their words in the query; the first one holds when none is chosen.
const STATES: [(&str, &str, Option<ConnectionState>); 4] = [
    ("live", "In use", Some(ConnectionState::Live)),
    ("ending", "Being removed", Some(ConnectionState::Ending)),
    ("removed", "Removed", Some(ConnectionState::Removed)),
    ("all", "All", None),
];

struct Asked {
    client: String,
    state: &'static str,
    search: String,
    before: Option<ConnectionId>,
}

impl Asked {
    fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).map(str::trim).unwrap_or_default().to_owned();
        let state = text("state");
        let [(live, ..), ..] = STATES;
        let known = STATES.iter().find(|(word, ..)| *word == state);
        let before = match ConnectionKey::read(&text("before")) {
            ConnectionKey::Id(id) => Some(id),
            ConnectionKey::Item(_) => None,
        };
        Self {
            client: text("client"),
            state: known.map_or(live, |(word, ..)| word),
            search: text("id"),
            before,
        }
    }

    fn filter(&self) -> ConnectionFilter {
        let state = STATES.iter().find(|(word, ..)| *word == self.state);
        ConnectionFilter {
            client_id: (!self.client.is_empty()).then(|| self.client.clone()),
            state: state.and_then(|(_, _, state)| *state),
            before: self.before,
            // One more shows whether there is another page.
            limit: PAGE + 1,
            ..ConnectionFilter::default()
        }
    }

    /// This page, or the one behind `before`, as a query.
    fn query(&self, before: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query
            .append_pair("client", &self.client)
            .append_pair("state", self.state);
        if let Some(before) = before {
            query.append_pair("before", before);
        }
        query.finish()
    }
}

/// `GET /setup/connections`.
pub(super) async fn page(State(app): State<App>, admin: Admin, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let asked = Asked::read(&fields);
    let (rows, has_more) = match find(&app, &asked).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(%error, "the connections could not be listed");
            return app.error_page(ROOT, &Refusal::store_unavailable());
        }
    };
    let older = rows
        .last()
        .filter(|_| has_more)
        .map(|row| asked.query(Some(&row.id)));
    let of_client = (!asked.client.is_empty()).then(|| {
        let query = Serializer::new(String::new())
            .append_pair("client", &asked.client)
            .finish();
        (client_name(&app, &asked.client), query)
    });
    let page = ConnectionsPage {
        root: ROOT,
        environment: app.page_environment(),
        proof: admin.proof().to_owned(),
        notice: notice(&fields),
        clients: clients(&app, &asked.client),
        states: states(asked.state),
        is_first: asked.before.is_none(),
        older,
        newest: asked.query(None),
        search: asked.search,
        rows,
        of_client,
    };
    html(ROOT, &page, form_policy())
}

async fn find(app: &App, asked: &Asked) -> Result<(Vec<ConnectionRow>, bool), StoreError> {
    let mut found = if asked.search.is_empty() {
        app.store.connections(asked.filter()).await?
    } else {
        // A search by id ignores state and client.
        let key = ConnectionKey::read(&asked.search);
        app.store.connection_summary(key).await?.into_iter().collect()
    };
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    Ok((found.iter().map(|summary| row(app, summary)).collect(), has_more))
}

fn row(app: &App, summary: &ConnectionSummary) -> ConnectionRow {
    let clients = summary.clients();
    let mut names: Vec<String> = clients.iter().map(|id| client_name(app, id)).collect();
    if names.is_empty() {
        names.push("none: a browser login".to_owned());
    }
    let (health, health_detail, tone) = standing(summary, app.simulator.is_some());
    let name = summary.institution_name.as_ref();
    ConnectionRow {
        id: summary.id.to_string(),
        bank: name
            .or(summary.institution_id.as_ref())
            .map_or_else(|| "A bank that Link did not name".to_owned(), Clone::clone),
        item_id: summary.item_id.clone(),
        products: summary.products().into_iter().map(str::to_owned).collect(),
        health,
        health_detail,
        tone,
        clients: names,
        created: moment(summary.created_at),
        refreshed: summary.refreshed_at().map(moment),
        is_live: summary.state == ConnectionState::Live,
    }
}

/// State and health as text. `simulated`: the embedded simulator may have been restarted without its state.
fn standing(summary: &ConnectionSummary, simulated: bool) -> (String, Option<String>, Tone) {
    let text = str::to_owned;
    match (summary.state, &summary.removal, &summary.health) {
        (ConnectionState::Removed, _, _) => {
            let at = summary.removed_at.map(|at| moment(at).human);
            (text("Removed"), at, Tone::Quiet)
        }
        (ConnectionState::Ending, removal, _) => {
            let tries = removal.as_ref().map_or(0, |removal| removal.attempts);
            let detail = match tries {
                0 => text("access has ended; removal at Plaid is queued"),
                tries => format!("access has ended; Plaid was asked {tries} times and is asked again"),
            };
            (text("Being removed"), Some(detail), Tone::Quiet)
        }
        (ConnectionState::Live, _, None) => (text("Not checked yet"), None, Tone::Quiet),
        (ConnectionState::Live, _, Some(health)) => match health.word.as_str() {
            "healthy" => (text("Healthy"), None, Tone::Good),
            "unknown" => (text("Unknown"), Some(text("Plaid did not answer")), Tone::Quiet),
            "ITEM_LOGIN_REQUIRED" => (
                text("Needs a new login"),
                Some(text("ITEM_LOGIN_REQUIRED")),
                Tone::Bad,
            ),
            "INVALID_ACCESS_TOKEN" if simulated => (
                text("Forgotten by the simulator"),
                Some(text("it was restarted without its state; connect again")),
                Tone::Bad,
            ),
            code => (text("Does not work"), Some(text(code)), Tone::Bad),
        },
    }
}

fn moment(at: Timestamp) -> Moment {
    let shown = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    Moment {
        machine: shown.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        human: shown.strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

fn clients(app: &App, chosen: &str) -> Vec<Choice> {
    let choice = |value: &str, label: String| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen,
    };
    let mut choices = vec![choice("", "All".to_owned())];
    let clients = app.clients();
    for client in clients.as_slice() {
        choices.push(choice(&client.id, client_name(app, &client.id)));
    }
    // A client that is not configured any more may still have connections.
    if !choices.iter().any(|choice| choice.chosen) {
        choices.push(choice(chosen, chosen.to_owned()));
    }
    choices
}

fn states(chosen: &str) -> Vec<Choice> {
    let choice = |(word, label, _): &(&str, &str, _)| Choice {
        value: (*word).to_owned(),
        label: (*label).to_owned(),
        chosen: *word == chosen,
    };
    STATES.iter().map(choice).collect()
}

/// What was just done. The query contains only numbers.
fn notice(fields: &Fields) -> Option<String> {
    if fields.get("ending").is_some() {
        return Some(
            "The connections are being ended in the background. Reload the page to see the result."
                .to_owned(),
        );
    }
    let ended: u64 = fields.get("ended")?.parse().ok()?;
    Some(match ended {
        0 => "There was nothing to end.".to_owned(),
        1 => "One connection was ended. Its Item is being removed at Plaid.".to_owned(),
        many => format!("{many} connections were ended. Their Items are being removed at Plaid."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_to_the_minute() {
        let moment = moment(Timestamp::from_millis(1_795_000_059_999));
        assert_eq!(moment.machine, "2026-11-18T11:07:39Z");
        assert_eq!(moment.human, "2026-11-18 11:07");
    }

    #[test]
    fn the_notice_says_what_was_ended_and_what_goes_on() {
        let notice = |query: &str| notice(&Fields::read(query.as_bytes()));
        assert!(notice("ended=2").is_some_and(|notice| notice.contains("2 connections were ended")));
        assert!(notice("ending=1").is_some_and(|notice| notice.contains("being ended")));
        assert_eq!(notice("ended=%3Cb%3E"), None);
    }
}
