//! JSON for people. Numbers and texts stay as the server wrote them, which a parsed tree would not promise.

/// Valid JSON, with line breaks and two spaces for each level.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_stay_as_they_are() {
        let json = r#"{"a":[1.10,{}, [ ],"x\\\"{,:"],"b":12345678901234567890}"#;
        let expected = "{\n  \"a\": [\n    1.10,\n    {},\n    [],\n    \"x\\\\\\\"{,:\"\n  ],\n  \"b\": 12345678901234567890\n}";
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty("null"), "null");
    }

    proptest::proptest! {
        #[test]
        fn the_meaning_stays(text in "\\PC{0,12}", number in -1e9_f64..1e9, deep in 0_usize..6) {
            let mut value = serde_json::json!([text, number, {}, []]);
            for _ in 0..deep {
                value = serde_json::json!({ text.clone(): value, "x": [value] });
            }
            // What is read of a text, not what was written into it: a number may change in its last digit there.
            let value: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
            let again: serde_json::Value = serde_json::from_str(&pretty(&value.to_string())).unwrap();
            proptest::prop_assert_eq!(again, value);
        }
    }
}
