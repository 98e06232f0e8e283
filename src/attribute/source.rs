//! Where the functions of a Rust source file begin and end, and what a piece of code mentions.
//!
//! This needs no parser of the language, and no parser reads every edition: it is enough to
//! recognise what is not code (comments, strings) and to match braces.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// A function, a type or a constant in a source file, its lines from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemLines {
    pub(super) name: String,
    pub(super) lines: RangeInclusive<u32>,
}

/// A word or a mark of the code, and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: u32,
}

/// Every function with a body, in the order of their ends. Its attributes belong to it.
pub(super) fn functions(source: &str) -> Vec<ItemLines> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut open: Vec<Option<(String, u32)>> = Vec::new();
    let mut announced: Option<(String, u32)> = None;
    let mut nested = 0_i32;
    // Where the item begins that the next token may belong to, with its attributes.
    let mut begins: Option<u32> = None;
    // How deep the brackets of an attribute of everything around it are.
    let mut inner: Option<i32> = None;
    for (index, token) in tokens.iter().enumerate() {
        let begin = *begins.get_or_insert(token.line);
        match token.text {
            "fn" => {
                // `fn(u8) -> u8` is a type.
                if let Some(name) = tokens.get(index + 1).filter(|next| is_word(next.text)) {
                    announced = Some((name.text.to_owned(), begin));
                    nested = 0;
                }
            }
            "(" | "[" => {
                let mark = tokens[..index]
                    .last_chunk()
                    .map(|last| last.map(|one| one.text));
                if mark == Some(["#", "!"]) {
                    inner = Some(nested);
                }
                nested += 1;
            }
            ")" | "]" => {
                nested -= 1;
                // It belongs to no item that follows.
                if inner.take_if(|depth| *depth == nested).is_some() {
                    begins = None;
                }
            }
            // A declaration without a body; within brackets it is the length of an array.
            ";" if nested <= 0 => (announced, begins) = (None, None),
            "{" => {
                open.push(announced.take());
                begins = None;
            }
            "}" => {
                begins = None;
                if let Some(Some((name, first))) = open.pop() {
                    let lines = first..=token.line;
                    found.push(ItemLines { name, lines });
                }
            }
            _ => {}
        }
    }
    found
}

/// The innermost function around a line.
pub(super) fn enclosing(functions: &[ItemLines], line: u32) -> Option<&ItemLines> {
    let around = functions.iter().filter(|f| f.lines.contains(&line));
    around.min_by_key(|f| f.lines.end() - f.lines.start())
}

/// The names in a piece of code.
pub(super) fn mentioned(code: &str) -> BTreeSet<&str> {
    let words = tokens(code).into_iter().map(|token| token.text);
    words.filter(|word| is_word(word)).collect()
}

/// Every type, constant and static variable, in the order of their beginnings. Its attributes do not belong to it.
pub(super) fn definitions(source: &str) -> Vec<ItemLines> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let has_value = matches!(pair[0].text, "const" | "static" | "type");
        if !has_value && !matches!(pair[0].text, "struct" | "enum") {
            continue;
        }
        let name = match pair[1].text {
            "mut" => tokens.get(index + 2),
            _ => Some(&pair[1]),
        };
        let Some(name) = name.filter(|name| is_word(name.text) && name.text != "fn") else {
            continue;
        };
        if let Some(last) = end_of_definition(&tokens[index..], has_value) {
            found.push(ItemLines {
                name: name.text.to_owned(),
                lines: pair[0].line..=last,
            });
        }
    }
    found
}

/// The last line of the definition that these tokens begin with: it ends at its semicolon, or, unless it has a value, at the
/// brace that closes its body. A generic parameter (`const N: usize`) is no definition.
fn end_of_definition(tokens: &[Token<'_>], has_value: bool) -> Option<u32> {
    let mut nested = 0_i32;
    let mut is_assigned = false;
    for token in tokens {
        match token.text {
            "=" => is_assigned = true,
            "{" if has_value && !is_assigned => return None,
            "(" | "[" | "{" => nested += 1,
            ")" | "]" => nested -= 1,
            "}" => {
                nested -= 1;
                if nested <= 0 && !has_value {
                    return Some(token.line);
                }
            }
            ";" if nested <= 0 => return Some(token.line),
            _ => {}
        }
        if nested < 0 {
            return None;
        }
    }
    None
}

pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The kind of a stretch of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// White space or a comment.
    Blank,
    /// A string, a character or a number.
    Literal,
    /// A word or a mark.
    Code,
}

/// The code without white space, comments, strings and characters.
fn tokens(source: &str) -> Vec<Token<'_>> {
    lex(source, |sort| sort == Sort::Code)
}

/// The code with its literals, without white space and comments.
pub(super) fn tokens_with_literals(source: &str) -> Vec<Token<'_>> {
    lex(source, |sort| sort != Sort::Blank)
}

fn lex(source: &str, wanted: impl Fn(Sort) -> bool) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, sort) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Sort::Blank),
            '/' if rest.starts_with("/*") => (block_comment(rest), Sort::Blank),
            '"' => (string(rest), Sort::Literal),
            '\'' => (character_or_lifetime(rest), Sort::Literal),
            c if c.is_alphabetic() || c == '_' => match raw_string(rest) {
                Some(length) => (length, Sort::Literal),
                None => (word(rest), Sort::Code),
            },
            c if c.is_whitespace() => (c.len_utf8(), Sort::Blank),
            // Numbers are skipped like words, so that the `e` in a number is not a name.
            c if c.is_ascii_digit() => (word(rest), Sort::Literal),
            c => (c.len_utf8(), Sort::Code),
        };
        let (text, after) = rest.split_at(length.max(1));
        if wanted(sort) {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count() as u32;
        rest = after;
    }
    tokens
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        if tail.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of `"…"`, which `rest` begins with.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `'a'`, or of the mark of `'lifetime`.
fn character_or_lifetime(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            // The escaped character can be a quote itself.
            let closing = rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'');
            closing.map_or(rest.len(), |(at, _)| at + 3)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// The length of `r"…"`, `br#"…"#`, `c"…"` and the like, if `rest` begins with one.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.starts_with(['"', '#', '\'']))
    })?;
    let after = &rest[prefix.len()..];
    if after.starts_with('\'') {
        return (prefix == "b").then(|| prefix.len() + character_or_lifetime(after));
    }
    if !prefix.ends_with('r') {
        return after.starts_with('"').then(|| prefix.len() + string(after));
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    // `r#name` is a name.
    let body = after[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = body
        .find(&closing)
        .map_or(body.len(), |at| at + closing.len());
    Some(prefix.len() + hashes + 1 + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r##"
// fn not_this() {
struct S { f: fn(u8) -> u8 }
impl S {
    /* fn nor /* this */ { */
    fn outer<'a>(x: &'a str, n: [u8; 4]) -> char {
        let brace = "} \" {";
        let raw = r#"} " fn inside() {"#;
        fn inner() -> char { '}' }
        let quote = '\'';
        inner()
    }
}
trait T { fn declared(&self); fn given(&self) { } }
"##;

    #[test]
    fn functions_end_where_their_braces_do() {
        let found = functions(SOURCE);
        let lines: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), *f.lines.start(), *f.lines.end()))
            .collect();
        assert_eq!(
            lines,
            [("inner", 9, 9), ("outer", 6, 12), ("given", 14, 14)]
        );
    }

    #[test]
    fn attributes_of_the_file_do_not_belong_to_its_first_function() {
        let found = functions("#![warn(a[b])]\n#![no_std]\n\n#[inline]\nfn first() {\n}\n");
        assert_eq!(found[0].lines, 4..=6);
    }

    #[test]
    fn a_line_belongs_to_the_innermost_function_around_it() {
        let found = functions(SOURCE);
        let name = |line| enclosing(&found, line).map(|f| f.name.as_str());
        assert_eq!(name(9), Some("inner"));
        assert_eq!(name(10), Some("outer"));
        assert_eq!(name(3), None);
    }

    #[test]
    fn the_attributes_of_a_function_belong_to_it() {
        let source = "use a::b;\n\n/// Words.\n#[inline]\n#[must_use]\npub const fn f(\n    x: [u8; 4],\n) {\n}\n#[a] fn g() {}\n";
        let lines: Vec<_> = functions(source).into_iter().map(|f| f.lines).collect();
        assert_eq!(lines, [4..=9, 10..=10]);
    }

    #[test]
    fn types_and_constants_have_lines_and_what_is_only_mentioned_has_none() {
        let source = "pub const ROUNDS: [u32; 2] = [\n    STEP, // LIMIT\n    { 2 },\n];\n#[derive(Debug)]\nstruct Shelf<T> {\n    \
                      items: Vec<T>,\n}\nstruct Unit;\nenum Way { On, Off }\nstatic mut COUNT: u8 = 1;\nconst fn turn() { step() }\n\
                      impl<const N: usize> Shelf<N> { const LEAST: u8 = 3; }\n";
        let found = definitions(source);
        let lines: Vec<_> = found
            .iter()
            .map(|item| (item.name.as_str(), *item.lines.start(), *item.lines.end()))
            .collect();
        let expected = [
            ("ROUNDS", 1, 4),
            ("Shelf", 6, 8),
            ("Unit", 9, 9),
            ("Way", 10, 10),
            ("COUNT", 11, 11),
            ("LEAST", 13, 13),
        ];
        assert_eq!(lines, expected);
        assert!(mentioned("a(STEP) // LIMIT").contains("STEP"));
        assert!(!mentioned("a(STEP) // LIMIT").contains("LIMIT"));
    }

    #[test]
    fn nonsense_ends() {
        for source in [
            "'", "\"", "/*", "r#\"", "b'", "fn", "}}}", "'\\", "r#", "é'é",
        ] {
            functions(source);
            definitions(source);
            mentioned(source);
        }
    }
}
