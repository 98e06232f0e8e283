//! Text from elsewhere inside GitHub-flavoured markdown.

use super::super::escape::visible;

/// `text` as inline code, also inside a table's cell.
///
/// Code spans are used where they are safe. A pipe or a backtick needs HTML with references: in a
/// cell a backslash before a pipe would end the cell, and references never make structure.
pub(super) fn code(text: &str) -> String {
    let text = visible(text);
    if text.is_empty() {
        return "<code></code>".to_owned();
    }
    let span = |c: char| c != '|' && c != '`' && c != '\\';
    if text.chars().all(span) && !text.starts_with(' ') && !text.ends_with(' ') {
        return format!("`{text}`");
    }
    html_code(&text)
}

/// `text` as code within HTML, where markdown is not read: in the summary of a fold.
pub(super) fn html_code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in visible(text).chars() {
        if c.is_ascii_punctuation() {
            out.push_str(&format!("&#{};", c as u32));
        } else {
            out.push(c);
        }
    }
    out.push_str("</code>");
    out
}

/// `text` as ordinary words: nothing in it makes markup, a mention, a reference or a link.
pub(super) fn words(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            // The invisible space breaks mentions and issue references, which GitHub finds in the
            // rendered text, where an escape is gone.
            '@' if next.is_alphanumeric() => out.push_str("@\u{200b}"),
            '#' if next.is_ascii_digit() => out.push_str("\\#\u{200b}"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '#' => out.extend(['\\', c]),
            // At the start these would begin a list; later they are themselves.
            '-' | '+' | '=' if out.is_empty() => out.extend(['\\', c]),
            '.' | ')' if out.chars().all(|c| c.is_ascii_digit()) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// `text` as a fenced block, with a fence longer than any within.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let lines: Vec<String> = text.lines().map(visible).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{code, fenced, html_code, words};

    #[test]
    fn nothing_from_an_id_becomes_structure() {
        assert_eq!(code("parse/large 10%"), "`parse/large 10%`");
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("`"), "<code>&#96;</code>");
        assert_eq!(code("<img src=x>"), "`<img src=x>`");
        assert_eq!(html_code("a<b"), "<code>a&#60;b</code>");
        assert_eq!(
            words("hi @all, *see* #1"),
            "hi @\u{200b}all, \\*see\\* \\#\u{200b}1"
        );
        assert_eq!(words("1. x"), "1\\. x");
        assert_eq!(words("CPU @ 3.0 GHz"), "CPU @ 3.0 GHz");
        assert!(fenced("", "```").starts_with("````\n"));
    }
}
