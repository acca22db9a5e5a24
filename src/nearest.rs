//! "Did you mean …?" for what nobody knows.

/// The candidate that needs the fewest single-letter changes to become `name`; the first one on a tie.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .min_by_key(|candidate| distance(name, candidate))
}

/// Levenshtein's distance in characters, one row at a time.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, x) in a.chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for ((y, &above_left), &above) in b.chars().zip(&row).zip(row.iter().skip(1)) {
            left = (above_left + usize::from(x != y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letter_changes() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("PLAID_ENV", "PLAID_ENVIRONMENT"), 8);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("é", "e"), 1);
    }

    #[test]
    fn a_typo_finds_its_name() {
        let names = ["PLAID_ENV", "PLAID_SECRET", "PLAID_PRODUCTS"];
        assert_eq!(nearest("PLAID_PRODUCT", names), Some("PLAID_PRODUCTS"));
        assert_eq!(nearest("PLAID_SERCET", names), Some("PLAID_SECRET"));
        assert_eq!(nearest("X", []), None);
    }

    proptest::proptest! {
        #[test]
        fn distance_is_a_metric_with_itself(a in "[a-c/]{0,12}", b in "[a-c/]{0,12}") {
            proptest::prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            proptest::prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }
}
