//! "Did you mean …?" for a name that does not exist.

pub(crate) use strsim::levenshtein as distance;

/// The candidate that `name` is probably a typo of: at most three letters differ, or a quarter of a short name. Two
/// swapped letters count once. The first candidate on a tie.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 4).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_another_word_finds_none() {
        let names = ["PLAID_ENV", "PLAID_SECRET", "PLAID_PRODUCTS", "PLAID_CLIENT_NAME"];
        assert_eq!(nearest("PLAID_PRODUCT", names), Some("PLAID_PRODUCTS"));
        assert_eq!(nearest("PLAID_SERCET", names), Some("PLAID_SECRET"));
        for far in [
            "X",
            "PLAID_ENVIRONMENT",
            "PLAID_CLIENT_SECRET",
            "PLAID_PRODUCTION_SECRET",
        ] {
            assert_eq!(nearest(far, names), None, "{far}");
        }
        assert_eq!(nearest("X", []), None);
    }
}
