//! What is wrong with the settings, and how to correct it.

use std::fmt;

/// One thing that keeps the broker from starting. Shown on one line: the variable, what to do, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The variable's name, or the place in `.env`.
    pub variable: String,
    /// What was found, made fit to be shown; always `None` where it could be a secret.
    pub found: Option<String>,
    /// What is expected, or what to do.
    pub expected: String,
}

impl Problem {
    /// A problem that shows no value.
    pub(super) fn new(place: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            variable: place.into(),
            found: None,
            expected: expected.into(),
        }
    }

    /// The same, with what was found.
    pub(super) fn with(self, found: String) -> Self {
        Self {
            found: Some(found),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.expected)?;
        match &self.found {
            Some(found) => write!(f, " (found `{found}`)"),
            None => Ok(()),
        }
    }
}

/// All problems of the settings, so that one start is enough to see them. The process ends with code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 problem in the settings:")?,
            count => write!(f, "{count} problems in the settings:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_a_list_with_one_line_each() {
        let port = Problem {
            variable: "APP_PORT".to_owned(),
            found: Some("eighty".to_owned()),
            expected: "give a number".to_owned(),
        };
        let secret = Problem {
            variable: "PLAID_SECRET".to_owned(),
            found: None,
            expected: "is missing".to_owned(),
        };
        assert_eq!(
            Problems(vec![port.clone(), secret]).to_string(),
            "2 problems in the settings:\n  - APP_PORT: give a number (found `eighty`)\n  - PLAID_SECRET: is missing"
        );
        assert!(
            Problems::from(port)
                .to_string()
                .starts_with("1 problem in the settings:\n")
        );
    }
}
