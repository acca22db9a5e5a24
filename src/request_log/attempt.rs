//! The entry of a request while it is served: handlers add what they learn.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode};

use super::Record;
use super::entry::{Count, Endpoint, Entry, Outcome};
use crate::clock::Timestamp;
use crate::http::limits::site;

/// A longer callback is nobody's, and is not offered to be allowed. In bytes.
const MAX_REDIRECT_URI: usize = 1000;
/// Remarks of one entry.
const MAX_REMARKS: usize = 4;

/// The kinds of body that are told by name; whatever else was sent stays out of the record.
const CONTENT_TYPES: [&str; 7] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data",
    "application/xml",
    "text/xml",
    "text/plain",
    "application/octet-stream",
];

/// An entry that is not written yet. Where the record is off it does nothing.
pub struct Attempt(Option<Open>);

struct Open {
    record: Record,
    entry: Entry,
    suspicions: Vec<(String, Option<String>)>,
    because: Option<(String, Option<String>)>,
}

impl Attempt {
    pub(super) fn begin(record: Option<Record>, endpoint: Endpoint, at: Timestamp) -> Self {
        Self(record.map(|record| Open {
            record,
            suspicions: Vec::new(),
            because: None,
            entry: Entry {
                number: 0,
                id: 0,
                at,
                endpoint,
                client: None,
                proven: false,
                parameters: Vec::new(),
                others: 0,
                content_type: None,
                authentication: None,
                grant_type: None,
                outcome: Outcome::GivenUp,
                status: None,
                error: None,
                words: "the caller went away before there was an answer".to_owned(),
                fix: None,
                remarks: Vec::new(),
                redirect_uri: None,
                network: None,
                request_id: crate::http::request_id::current(),
                count: Count(1),
            },
        }))
    }

    /// An attempt that nobody wants recorded.
    #[must_use]
    pub fn unrecorded() -> Self {
        Self(None)
    }

    /// Whether it will be written: what it takes to find words can be left out otherwise.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    fn change(&mut self, change: impl FnOnce(&mut Open)) {
        if let Some(open) = &mut self.0 {
            change(open);
        }
    }

    /// The address that it came from: what strangers send is kept per network.
    pub fn address(&mut self, address: IpAddr) {
        self.change(|open| open.entry.network = Some(site(address)));
    }

    /// What kind of body came.
    pub fn headers(&mut self, headers: &HeaderMap) {
        self.change(|open| open.entry.content_type = Some(content_type(headers)));
    }

    /// The names of parameters, and how many unknown ones there were.
    pub fn parameters(&mut self, names: impl IntoIterator<Item = &'static str>, others: usize) {
        self.change(|open| {
            open.entry.parameters = names.into_iter().collect();
            open.entry.others = others;
        });
    }

    /// How the client authenticates.
    pub fn authentication(&mut self, method: &'static str) {
        self.change(|open| open.entry.authentication = Some(method));
    }

    /// Which of our clients it says to be.
    pub fn client(&mut self, id: &str) {
        self.change(|open| open.entry.client = Some(id.to_owned()));
    }

    /// It has shown that it is that client.
    pub fn proven(&mut self) {
        self.change(|open| open.entry.proven = true);
    }

    /// The grant.
    pub fn grant_type(&mut self, name: &'static str) {
        self.change(|open| open.entry.grant_type = Some(name));
    }

    /// Something odd, whatever the outcome.
    pub fn remark(&mut self, words: impl Into<String>) {
        self.change(|open| {
            if open.entry.remarks.len() < MAX_REMARKS {
                open.entry.remarks.push(words.into());
            }
        });
    }

    /// What will have been the cause, should it be refused for no other, and what to do about it, if that is not what is
    /// to be done about the refusal anyhow.
    pub fn suspect(&mut self, words: impl Into<String>, fix: Option<&str>) {
        self.change(|open| open.suspicions.push((words.into(), fix.map(str::to_owned))));
    }

    /// The cause of what comes, more precise than what the caller is told, and what to do about it.
    pub fn because(&mut self, words: impl Into<String>, fix: Option<String>) {
        self.change(|open| open.because = Some((words.into(), fix)));
    }

    /// The callback that was refused.
    pub fn refused_callback(&mut self, sent: &str) {
        self.change(|open| {
            open.entry.redirect_uri = (sent.len() <= MAX_REDIRECT_URI).then(|| sent.to_owned());
        });
    }

    /// It was answered as it should be.
    pub fn good(self, status: StatusCode, words: impl Into<String>) {
        self.finish(|open| {
            open.entry.outcome = Outcome::Good;
            open.entry.status = Some(status.as_u16());
            open.entry.words = words.into();
        });
    }

    /// It was refused, with these words unless something more precise is known.
    pub fn refused(
        self,
        status: StatusCode,
        error: &'static str,
        words: impl Into<String>,
        fix: Option<String>,
    ) {
        self.finish(|open| {
            open.entry.outcome = Outcome::Refused;
            open.entry.status = Some(status.as_u16());
            open.entry.error = Some(error);
            // With a known cause what looked odd besides would only mislead.
            (open.entry.words, open.entry.fix) = open.because.take().unwrap_or_else(|| {
                let (suspected, fixes): (Vec<_>, Vec<_>) = open.suspicions.drain(..).unzip();
                let words: Vec<String> = std::iter::once(words.into()).chain(suspected).collect();
                (words.join(": "), fixes.into_iter().flatten().next().or(fix))
            });
        });
    }

    fn finish(mut self, change: impl FnOnce(&mut Open)) {
        // Written by being dropped.
        self.change(change);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(Open { record, entry, .. }) = self.0.take() {
            record.write(entry);
        }
    }
}

/// The kind of body by a fixed name.
fn content_type(headers: &HeaderMap) -> &'static str {
    let mut values = headers.get_all(http::header::CONTENT_TYPE).iter();
    let (value, further) = (values.next(), values.next());
    if further.is_some() {
        return "two at once";
    }
    let Some(value) = value else { return "none" };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    let known = CONTENT_TYPES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(essence));
    known.unwrap_or("another")
}
