//! The forms of values that several settings share. Errors are instructions.

/// The parts of a comma-separated list, without the spaces around them and without empty ones.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The parts of a list of names, which may also be separated by whitespace.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    list(text).flat_map(str::split_whitespace)
}

/// `on` or `off`, and what people write for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("write on or off".to_owned()),
    }
}

/// A whole number of seconds within these bounds.
pub(super) fn seconds(text: &str, least: u64, most: u64) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("write a whole number of seconds from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_forgive_spaces_and_spare_commas() {
        assert_eq!(list(" a, b,,c ,").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(names("a b,\tc").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(list(" , ").count(), 0);
    }

    #[test]
    fn switches_know_the_usual_words() {
        assert!(
            ["on", "TRUE", "yes", "1"]
                .iter()
                .all(|text| switch(text) == Ok(true))
        );
        assert!(
            ["off", "False", "no", "0"]
                .iter()
                .all(|text| switch(text) == Ok(false))
        );
        assert_eq!(switch("perhaps"), Err("write on or off".to_owned()));
    }

    #[test]
    fn seconds_are_whole_and_within_their_bounds() {
        assert_eq!((seconds("10", 10, 20), seconds("20", 10, 20)), (Ok(10), Ok(20)));
        for text in ["9", "21", "1.5", "15s", "-15", "", "99999999999999999999"] {
            assert!(seconds(text, 10, 20).is_err(), "{text}");
        }
    }
}
