//! Plain pages of text as PDF (ISO 32000-1), for statements and asset reports.

use std::fmt::Write as _;

const LINES_PER_PAGE: usize = 56;

/// A document of these lines. Letters beyond ASCII become question marks: the font's encoding has no others.
pub(crate) fn of_lines(lines: &[String]) -> Vec<u8> {
    let pages: Vec<&[String]> = if lines.is_empty() {
        vec![&[]]
    } else {
        lines.chunks(LINES_PER_PAGE).collect()
    };
    // Objects 1 to 3 are catalogue, page tree and font; each page has two more: itself and its content.
    let kids: String = (0..pages.len()).fold(String::new(), |mut kids, at| {
        let _written = write!(kids, "{} 0 R ", 4 + 2 * at);
        kids
    });
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {}/Kids[{}]>>", pages.len(), kids.trim_end()),
        "<</Type/Font/Subtype/Type1/BaseFont/Courier>>".to_owned(),
    ];
    for (at, lines) in pages.iter().enumerate() {
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5 + 2 * at
        ));
        let content = content_of(lines);
        objects.push(format!(
            "<</Length {}>>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    document_of(&objects).into_bytes()
}

fn content_of(lines: &[String]) -> String {
    let mut content = "BT /F1 9 Tf 12 TL 54 738 Td".to_owned();
    for line in lines {
        let _written = write!(content, "\n({}) Tj T*", escaped(line));
    }
    content.push_str("\nET");
    content
}

fn escaped(line: &str) -> String {
    line.chars()
        .fold(String::with_capacity(line.len()), |mut text, letter| {
            match letter {
                '(' | ')' | '\\' => {
                    text.push('\\');
                    text.push(letter);
                }
                ' '..='~' => text.push(letter),
                _ => text.push('?'),
            }
            text
        })
}

/// The objects with a header, the table of where each begins, and the trailer.
fn document_of(objects: &[String]) -> String {
    let mut document = "%PDF-1.4\n".to_owned();
    let mut table = String::new();
    for (at, object) in objects.iter().enumerate() {
        let _written = writeln!(table, "{:010} 00000 n ", document.len());
        let _written = write!(document, "{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let start = document.len();
    let size = objects.len() + 1;
    let _written = write!(
        document,
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    document
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, clippy::string_slice, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_table_points_at_the_objects() {
        let lines: Vec<_> = (0..100).map(|n| format!("line {n} (ä) \\")).collect();
        let pdf = String::from_utf8(of_lines(&lines)).expect("ASCII");
        let start = pdf.find("xref\n").expect("a table");
        assert!(pdf.ends_with(&format!("startxref\n{start}\n%%EOF\n")));
        let offsets: Vec<usize> = pdf[start..]
            .lines()
            .filter_map(|line| line.strip_suffix(" 00000 n ")?.parse().ok())
            .collect();
        assert_eq!(offsets.len(), 3 + 2 * 2);
        for (at, offset) in offsets.iter().enumerate() {
            assert!(pdf[*offset..].starts_with(&format!("{} 0 obj\n", at + 1)), "{at}");
        }
        assert!(pdf.contains(r"(line 99 \(?\) \\) Tj"));
    }
}
