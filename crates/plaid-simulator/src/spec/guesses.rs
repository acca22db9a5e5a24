//! What Plaid's pages leave open, and how the simulator answers: one switch for each guess.
//!
//! The guesses themselves are in `list`; each has answers of which the first is what the simulator does when it is
//! told nothing. `--guess NAME=ANSWER`, `POST /_simulator/guesses` and [`Guesses::set`] choose another.

mod list;

pub use self::list::*;

/// One guess: a question that Plaid's pages do not answer.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// What the switch is called.
    pub name: &'static str,
    /// What is not known.
    pub question: &'static str,
    /// What the simulator can do; the first is the usual.
    pub answers: &'static [Choice],
}

/// One answer to a guess.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// What the answer is called.
    pub name: &'static str,
    /// What the simulator then does.
    pub meaning: &'static str,
}

/// Why a guess was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuessError {
    /// No guess has this name.
    #[error("there is no guess {0:?}: `simulate --list-guesses` names them")]
    Name(String),
    /// The guess has no such answer.
    #[error("the guess {name} has no answer {answer:?}, but {answers}")]
    Answer {
        /// The guess.
        name: &'static str,
        /// What was wanted.
        answer: String,
        /// What there is.
        answers: String,
    },
    /// It is not written as `NAME=ANSWER`.
    #[error("write it as NAME=ANSWER: `simulate --list-guesses` names them")]
    Form,
}

impl Guess {
    fn refuse(&self, answer: &str) -> GuessError {
        let answers: Vec<_> = self.answers.iter().map(|choice| choice.name).collect();
        GuessError::Answer {
            name: self.name,
            answer: answer.to_owned(),
            answers: answers.join(", "),
        }
    }
}

impl Guesses {
    /// Every guess that there is.
    #[must_use]
    pub fn all() -> &'static [Guess] {
        ALL
    }

    /// Chooses an answer by its words, as written on a command line: `removed_item=invalid_access_token`.
    pub fn set_by_text(&mut self, text: &str) -> Result<(), GuessError> {
        let (name, answer) = text.split_once('=').ok_or(GuessError::Form)?;
        self.set(name, answer)
    }
}

/// Makes an enumeration of each guess, [`Guesses`] that holds one of each, and the list of them all.
macro_rules! guesses {
    ($(
        $(#[doc = $question:literal])+
        $field:ident: $kind:ident {
            $usual:ident = $usual_name:literal: $usual_meaning:literal,
            $($variant:ident = $name:literal: $meaning:literal,)+
        }
    )+) => {
        $(
            $(#[doc = $question])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
            pub enum $kind {
                #[doc = $usual_meaning]
                #[default]
                #[serde(rename = $usual_name)]
                $usual,
                $(
                    #[doc = $meaning]
                    #[serde(rename = $name)]
                    $variant,
                )+
            }
        )+

        /// How all guesses are set. As JSON it has their names, and those that are left out are as usual.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Guesses {
            $(
                $(#[doc = $question])+
                pub $field: $kind,
            )+
        }

        pub(crate) const ALL: &[Guess] = &[$(
            Guess {
                name: stringify!($field),
                question: concat!($($question),+).trim_ascii(),
                answers: &[
                    Choice { name: $usual_name, meaning: $usual_meaning },
                    $(Choice { name: $name, meaning: $meaning },)+
                ],
            },
        )+];

        impl Guesses {
            /// Chooses the answer with this name to the guess with that name.
            ///
            /// # Errors
            /// When there is no such guess, or it has no such answer.
            pub fn set(&mut self, guess: &str, answer: &str) -> Result<(), GuessError> {
                let known = ALL.iter().find(|known| known.name == guess);
                let known = known.ok_or_else(|| GuessError::Name(guess.to_owned()))?;
                match (guess, answer) {
                    $(
                        (stringify!($field), $usual_name) => self.$field = $kind::$usual,
                        $((stringify!($field), $name) => self.$field = $kind::$variant,)+
                    )+
                    _ => return Err(known.refuse(answer)),
                }
                Ok(())
            }
        }
    };
}
use guesses;
