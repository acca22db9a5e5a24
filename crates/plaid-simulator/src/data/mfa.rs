//! What a test bank asks beside the password: <https://plaid.com/docs/sandbox/test-credentials/>.
//!
//! The password says it: `mfa_device`, `mfa_questions_<rounds>_<questions>`, `mfa_selections` and
//! `mfa_selections_<rounds>_<questions>_<answers>`.

use serde_json::{Value, json};

use crate::spec::Guesses;
use crate::spec::guesses::MfaDevice;

/// The code that every test login is asked for.
const CODE: &str = "1234";
/// No test needs more; the numbers are a person's to choose.
const MOST: usize = 10;
/// Where a code can be sent to.
const DEVICES: &[(&str, &str)] = &[
    ("phone", "Text to ••• ••• 1234"),
    ("email", "Mail to t••t@example.com"),
];

/// What is asked, and which round of it the person is in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) enum Mfa {
    /// Where to send the code to.
    Device,
    /// The code.
    Code,
    /// Questions with free answers.
    Questions {
        rounds: usize,
        round: usize,
        questions: usize,
    },
    /// Questions with answers to choose from.
    Selections {
        rounds: usize,
        round: usize,
        questions: usize,
        answers: usize,
    },
    /// The one question whose answer is `Yes`.
    Confirmation,
}

/// What became of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Right,
    Wrong,
    /// Right, and more is asked.
    Next(Mfa),
}

impl Mfa {
    /// What this password asks for; `None` when it is not one of those.
    pub(crate) fn of_password(password: &str, guesses: &Guesses) -> Option<Self> {
        match (password, guesses.mfa_device) {
            ("mfa_device", MfaDevice::DeviceFirst) => return Some(Self::Device),
            ("mfa_device", MfaDevice::CodeOnly) => return Some(Self::Code),
            ("mfa_selections", _) => return Some(Self::Confirmation),
            _ => {}
        }
        let (kind, numbers) = password.strip_prefix("mfa_")?.split_once('_')?;
        let numbers: Vec<usize> = numbers
            .split('_')
            .map(|number| number.parse().ok())
            .collect::<Option<_>>()?;
        match (kind, numbers.as_slice()) {
            ("questions", &[rounds, questions]) => Self::questions(rounds, questions),
            ("selections", &[rounds, questions, answers]) => Self::selections(rounds, questions, answers),
            _ => None,
        }
    }

    /// `None` when the numbers are too large, or zero.
    pub(crate) fn questions(rounds: usize, questions: usize) -> Option<Self> {
        let sound = [rounds, questions]
            .iter()
            .all(|number| (1..=MOST).contains(number));
        sound.then_some(Self::Questions {
            rounds,
            round: 0,
            questions,
        })
    }

    /// With answers to choose from; `None` as above.
    pub(crate) fn selections(rounds: usize, questions: usize, answers: usize) -> Option<Self> {
        let numbers = [rounds, questions, answers];
        let sound = numbers.iter().all(|number| (1..=MOST).contains(number));
        sound.then_some(Self::Selections {
            rounds,
            round: 0,
            questions,
            answers,
        })
    }

    pub(crate) fn exit_status(&self) -> &'static str {
        match self {
            Self::Device => "choose_device",
            Self::Code => "requires_code",
            Self::Questions { .. } => "requires_questions",
            Self::Selections { .. } | Self::Confirmation => "requires_selections",
        }
    }

    /// The `mfa_type` of the event `SUBMIT_MFA`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Code => "code",
            Self::Questions { .. } => "questions",
            Self::Selections { .. } | Self::Confirmation => "selections",
        }
    }

    /// What the person is shown.
    pub(crate) fn pane(&self) -> Value {
        let asked = match *self {
            Self::Device => DEVICES
                .iter()
                .map(|(id, text)| json!({"id": id, "text": text}))
                .collect(),
            Self::Code => vec![json!({"id": "code", "text": "Code"})],
            Self::Questions { round, questions, .. } => (0..questions)
                .map(|at| json!({"id": format!("question_{round}_{at}"), "text": format!("Question {round}-{at}")}))
                .collect(),
            Self::Selections {
                round,
                questions,
                answers,
                ..
            } => (0..questions)
                .map(|at| {
                    let answers: Vec<_> = (0..answers).map(|answer| format!("answer_{round}_{at}_{answer}")).collect();
                    json!({
                        "id": format!("question_{round}_{at}"),
                        "text": format!("Question {round}-{at}"),
                        "answers": answers,
                    })
                })
                .collect(),
            Self::Confirmation => vec![json!({
                "id": "confirmation",
                "text": "Do you want to go on?",
                "answers": ["Yes", "No"],
            })],
        };
        json!({"mfa_type": self.kind(), "asked": asked, "hint": self.hint()})
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Device => "Nothing is sent in the simulator.",
            Self::Code => "Test users always get the code 1234.",
            Self::Questions { .. } => "The right answer to question 0-1 is answer_0_1, and so on.",
            Self::Selections { .. } => "The right answer is the first one.",
            Self::Confirmation => "The right answer is Yes.",
        }
    }

    pub(crate) fn answer(&self, answers: &[String]) -> Answered {
        let given: Vec<&str> = answers.iter().map(|answer| answer.trim()).collect();
        match *self {
            Self::Device => {
                let known = |answer: &&str| DEVICES.iter().any(|(id, _)| id == answer);
                match given.as_slice() {
                    [device] if known(device) => Answered::Next(Self::Code),
                    _ => Answered::Wrong,
                }
            }
            Self::Code => judge(given == [CODE]),
            Self::Confirmation => judge(given == ["Yes"]),
            Self::Questions {
                rounds,
                round,
                questions,
            } => {
                let right = (0..questions).map(|at| format!("answer_{round}_{at}"));
                let next = (round + 1 < rounds).then_some(Self::Questions {
                    rounds,
                    round: round + 1,
                    questions,
                });
                go_on(right.eq(given), next)
            }
            Self::Selections {
                rounds,
                round,
                questions,
                answers,
            } => {
                let right = (0..questions).map(|at| format!("answer_{round}_{at}_0"));
                let next = (round + 1 < rounds).then_some(Self::Selections {
                    rounds,
                    round: round + 1,
                    questions,
                    answers,
                });
                go_on(right.eq(given), next)
            }
        }
    }
}

fn judge(right: bool) -> Answered {
    if right { Answered::Right } else { Answered::Wrong }
}

fn go_on(right: bool, next: Option<Mfa>) -> Answered {
    match next {
        Some(next) if right => Answered::Next(next),
        _ => judge(right),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use super::*;

    fn of_password(password: &str) -> Option<Mfa> {
        Mfa::of_password(password, &Guesses::default())
    }

    fn answer(mfa: &Mfa, answers: &[&str]) -> Answered {
        let answers: Vec<_> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        mfa.answer(&answers)
    }

    fn next(mfa: &Mfa, answers: &[&str]) -> Mfa {
        match answer(mfa, answers) {
            Answered::Next(next) => next,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn passwords_name_what_is_asked() {
        for password in [
            "mfa_",
            "mfa_device_1",
            "mfa_questions",
            "mfa_questions_1",
            "mfa_questions_0_1",
            "mfa_questions_1_99",
            "mfa_selections_1_1",
            "mfa_questions_1_1_1",
            "pass_good",
        ] {
            assert_eq!(of_password(password), None, "{password}");
        }
    }

    #[test]
    fn a_code_is_sent_to_a_device_and_checked() {
        let device = of_password("mfa_device").unwrap();
        assert_eq!(answer(&device, &["pager"]), Answered::Wrong);
        let code = next(&device, &["phone"]);
        assert_eq!(answer(&code, &["4321"]), Answered::Wrong);
        assert_eq!(answer(&code, &[" 1234 "]), Answered::Right);
    }

    #[test]
    fn questions_come_in_rounds() {
        let first = of_password("mfa_questions_2_2").unwrap();
        assert_eq!(answer(&first, &["answer_0_0"]), Answered::Wrong);
        let second = next(&first, &["answer_0_0", "answer_0_1"]);
        assert_eq!(answer(&second, &["answer_0_0", "answer_0_1"]), Answered::Wrong);
        assert_eq!(answer(&second, &["answer_1_0", "answer_1_1"]), Answered::Right);
    }

    #[test]
    fn selections_have_answers_to_choose_from() {
        let yes = of_password("mfa_selections").unwrap();
        assert_eq!(answer(&yes, &["No"]), Answered::Wrong);
        assert_eq!(answer(&yes, &["Yes"]), Answered::Right);
        let first = of_password("mfa_selections_2_1_3").unwrap();
        let offered = first.pane();
        assert_eq!(
            offered
                .pointer("/asked/0/answers")
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            3
        );
        let second = next(&first, &["answer_0_0_0"]);
        assert_eq!(answer(&second, &["answer_1_0_1"]), Answered::Wrong);
        assert_eq!(answer(&second, &["answer_1_0_0"]), Answered::Right);
    }
}
