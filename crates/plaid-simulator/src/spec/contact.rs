//! E-mail addresses and phone numbers, as far as their form says whether somebody can be reached by them.

/// A name, `@` and a host with a dot.
pub(crate) fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.contains('@')
            && host.split('.').count() > 1
            && host.split('.').all(|label| !label.is_empty())
            && !text.contains(char::is_whitespace)
    })
}

/// An international number (E.164): `+` and 7 to 15 digits, which may be grouped as people write them. Of the
/// numbering plans North America's is known, where neither area nor exchange begin with 0 or 1.
pub(crate) fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    let digits: String = digits
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let is_number = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    is_number && digits.strip_prefix('1').is_none_or(is_north_american)
}

fn is_north_american(number: &str) -> bool {
    let at = |place| number.as_bytes().get(place).copied().unwrap_or(b'0');
    // 211 to 911 are services and no areas.
    let is_service = at(1) == b'1' && at(2) == b'1';
    number.len() == 10 && at(0) >= b'2' && at(3) >= b'2' && !is_service
}
