//! Faults as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Fault;

/// [`Fault`] with its fields spelled out: serde refuses unknown fields only of variants that are written as structs.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Wire {
    Error {
        status: u16,
        error_type: String,
        error_code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_message: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_message: Option<String>,
    },
    Delay {
        milliseconds: u64,
    },
    Hang {},
    Reset {},
    Body {
        status: u16,
        content_type: String,
        bytes: Vec<u8>,
    },
    DropAnswer {},
    Truncate {
        keep: usize,
    },
}

/// Converts with these arms beside those that both types have.
macro_rules! convert {
    ($value:expr, $From:ident => $To:ident, { $($arms:tt)* }) => {
        match $value {
            $From::Error { status, error_type, error_code, error_message, display_message } => {
                $To::Error { status, error_type, error_code, error_message, display_message }
            }
            $From::Body { status, content_type, bytes } => $To::Body { status, content_type, bytes },
            $From::Truncate { keep } => $To::Truncate { keep },
            $($arms)*
        }
    };
}

impl From<Wire> for Fault {
    fn from(wire: Wire) -> Self {
        convert!(wire, Wire => Fault, {
            Wire::Delay { milliseconds } => Fault::Delay(Duration::from_millis(milliseconds)),
            Wire::Hang {} => Fault::Hang,
            Wire::Reset {} => Fault::Reset,
            Wire::DropAnswer {} => Fault::DropAnswer,
        })
    }
}

impl From<Fault> for Wire {
    fn from(fault: Fault) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        convert!(fault, Fault => Wire, {
            Fault::Delay(duration) => Wire::Delay { milliseconds: millis(duration) },
            Fault::Hang => Wire::Hang {},
            Fault::Reset => Wire::Reset {},
            Fault::DropAnswer => Wire::DropAnswer {},
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_fault_can_be_written_as_json() {
        let error = json!({"kind": "error", "status": 429, "error_type": "A", "error_code": "B"});
        let mut told = error.clone();
        if let Some(told) = told.as_object_mut() {
            told.insert("error_message".to_owned(), "c".into());
            told.insert("display_message".to_owned(), "d".into());
        }
        for text in [
            json!({"kind": "delay", "milliseconds": 250}),
            json!({"kind": "hang"}),
            json!({"kind": "reset"}),
            json!({"kind": "drop_answer"}),
            json!({"kind": "truncate", "keep": 3}),
            json!({"kind": "body", "status": 502, "content_type": "text/html", "bytes": [60]}),
            error,
            told,
        ] {
            let fault: Fault = serde_json::from_value(text.clone()).expect("a fault");
            assert_eq!(serde_json::to_value(&fault).expect("JSON"), text);
            let mut more = text;
            if let Some(more) = more.as_object_mut() {
                more.insert("more".to_owned(), Value::Null);
            }
            assert!(serde_json::from_value::<Fault>(more.clone()).is_err(), "{more}");
        }
        assert!(serde_json::from_value::<Fault>(json!({"kind": "surprise"})).is_err());
    }
}
