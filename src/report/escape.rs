//! Makes text from elsewhere (ids, subjects, paths, output of processes) harmless.

/// `text` on one line, without anything that moves a cursor, hides or reorders characters.
///
/// Control characters become their pictures (`␊`), invisible formatting becomes `\u{202e}`.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
            '\x7f' => out.push('␡'),
            c if c.is_control() || reorders(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters without a shape that change how their neighbours look (Unicode TR 36, "Trojan source").
fn reorders(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `text` with at most `limit` characters: the middle of a longer one becomes an ellipsis, since
/// ids differ at their ends.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let front = limit.saturating_sub(1).div_ceil(2);
    let back = limit.saturating_sub(1) - front;
    let head: String = text.chars().take(front).collect();
    let tail: String = text.chars().skip(length - back).collect();
    format!("{head}…{tail}")
}

/// `text` with at most `limit` characters: a longer one loses its end, which suits a line of source.
pub(super) fn clipped(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::{clipped, shortened, visible};

    #[test]
    fn what_moves_the_cursor_or_reorders_becomes_visible() {
        assert_eq!(visible("a\nb\u{1b}[31m"), "a␊b␛[31m");
        assert_eq!(visible("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(visible("größe/µs 日本"), "größe/µs 日本");
    }

    #[test]
    fn a_long_text_keeps_both_ends() {
        assert_eq!(shortened("abcdefghij", 5), "ab…ij");
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdef", 1), "…");
    }

    #[test]
    fn a_long_line_of_source_reads_from_its_beginning() {
        assert_eq!(clipped("let total = sum;", 10), "let total…");
        assert_eq!(clipped("let x;", 6), "let x;");
    }
}
