//! The functions of a Rust source file, with the items that they are defined in.
//!
//! Like [`super::source`], this reads tokens and matches braces. Whatever it does not recognise counts as a block.

use std::ops::RangeInclusive;

use super::source::{Token, is_word, tokens_with_literals};

/// A function with a body that is not a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFunction {
    pub(super) name: String,
    /// What it is defined in, the outermost first.
    pub(super) within: Vec<Scope>,
    /// From its signature to its last brace, from 1.
    pub(super) lines: RangeInclusive<u32>,
    /// The lines of functions that are defined in it.
    pub(super) nested: Vec<RangeInclusive<u32>>,
    /// Attributes, signature and body, with one blank between tokens: no comments, and nothing of the
    /// functions that are defined in it.
    pub(super) text: String,
    /// What stands between attributes and body.
    pub(super) signature: Vec<String>,
}

/// What a function is defined in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    Module {
        name: String,
        visibility: Visibility,
    },
    /// Methods of a type; the whole text between `impl` and the brace distinguishes blocks.
    Methods {
        of: String,
        header: String,
    },
    /// An implementation of a trait, or a trait's own default.
    Trait {
        of: String,
        header: String,
    },
    Function(String),
    /// Code that a macro receives or makes.
    Macro,
}

/// Who may name something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Public,
    Private,
}

impl Visibility {
    /// The visibility of an item that begins with these words. `pub(crate)` is private to other crates.
    pub(super) fn of<S: AsRef<str>>(words: &[S]) -> Visibility {
        let word = |index: usize| words.get(index).map(AsRef::as_ref);
        match (word(0), word(1)) {
            (Some("pub"), next) if next != Some("(") => Visibility::Public,
            _ => Visibility::Private,
        }
    }
}

impl SourceFunction {
    pub(super) fn has_line(&self, line: u32) -> bool {
        self.lines.contains(&line) && !self.nested.iter().any(|inner| inner.contains(&line))
    }

    pub(super) fn visibility(&self) -> Visibility {
        Visibility::of(&self.signature)
    }
}

/// Every function that is not a test, in the order in which they end.
pub(super) fn functions(source: &str) -> Vec<SourceFunction> {
    let tokens = tokens_with_literals(source);
    let mut reader = Reader::default();
    for token in tokens {
        reader.take(token);
    }
    reader.found
}

#[derive(Default)]
struct Reader<'a> {
    open: Vec<Open<'a>>,
    /// The tokens since the last brace or semicolon.
    header: Vec<Token<'a>>,
    /// Brackets that are open since then.
    brackets: i32,
    found: Vec<SourceFunction>,
}

/// A brace that is not closed yet.
struct Open<'a> {
    scope: Option<Scope>,
    purpose: CodePurpose,
    brackets: i32,
    function: Option<OpenFunction<'a>>,
}

struct OpenFunction<'a> {
    name: String,
    first: u32,
    signature: Vec<String>,
    text: Vec<&'a str>,
    nested: Vec<RangeInclusive<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodePurpose {
    Product,
    Test,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: Token<'a>) {
        if let Some(function) = self.innermost() {
            function.text.push(token.text);
        }
        self.header.push(token);
        match token.text {
            "(" | "[" => self.brackets += 1,
            ")" | "]" => {
                self.brackets -= 1;
                let inner = |at: usize, text| self.header.get(at).is_some_and(|t| t.text == text);
                if self.brackets <= 0 && token.text == "]" && inner(0, "#") && inner(1, "!") {
                    self.header.clear();
                }
            }
            ";" if self.brackets <= 0 => self.header.clear(),
            "{" => self.open(),
            "}" => self.close(token.line),
            _ => {}
        }
    }

    fn innermost(&mut self) -> Option<&mut OpenFunction<'a>> {
        let mut open = self.open.iter_mut().rev();
        open.find_map(|open| open.function.as_mut())
    }

    fn open(&mut self) {
        let header = std::mem::take(&mut self.header);
        let (attributes, item) = header.split_at(attributes_end(&header));
        let item = &item[..item.len() - 1];
        let parent = self.open.last().map(|open| open.purpose);
        let purpose = match is_test(attributes) {
            true => CodePurpose::Test,
            false => parent.unwrap_or(CodePurpose::Product),
        };
        let named = item
            .windows(2)
            .rposition(|pair| pair[0].text == "fn" && is_word(pair[1].text));
        let function = named.map(|at| OpenFunction {
            name: item[at + 1].text.to_owned(),
            first: item[0].line,
            signature: item.iter().map(|token| token.text.to_owned()).collect(),
            text: header.iter().map(|token| token.text).collect(),
            nested: Vec::new(),
        });
        if function.is_some()
            && let Some(outer) = self.innermost()
        {
            let rest = outer.text.len().saturating_sub(header.len());
            outer.text.truncate(rest);
        }
        let scope = match &function {
            Some(function) => Some(Scope::Function(function.name.clone())),
            None => scope(item),
        };
        self.open.push(Open {
            scope,
            purpose,
            brackets: std::mem::take(&mut self.brackets),
            function,
        });
    }

    fn close(&mut self, line: u32) {
        self.header.clear();
        let Some(open) = self.open.pop() else {
            return;
        };
        self.brackets = open.brackets;
        let Some(function) = open.function else {
            return;
        };
        let lines = function.first..=line;
        if let Some(outer) = self.innermost() {
            outer.nested.push(lines.clone());
        }
        if open.purpose == CodePurpose::Product {
            let within = self.open.iter().filter_map(|open| open.scope.clone());
            self.found.push(SourceFunction {
                name: function.name,
                within: within.collect(),
                lines,
                nested: function.nested,
                text: function.text.join(" "),
                signature: function.signature,
            });
        }
    }
}

/// How many tokens at the beginning are attributes.
fn attributes_end(header: &[Token<'_>]) -> usize {
    let mut at = 0;
    while header.get(at).is_some_and(|token| token.text == "#") {
        let mut depth = 0;
        for (offset, token) in header[at + 1..].iter().enumerate() {
            match token.text {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                at += offset + 2;
                break;
            }
        }
        if depth != 0 {
            return header.len() - 1;
        }
    }
    at
}

/// Whether attributes make an item test code: `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[bench]`.
fn is_test(attributes: &[Token<'_>]) -> bool {
    let each = attributes.split(|token| token.text == "#");
    each.into_iter().any(|attribute| {
        let has = |word: &str| attribute.iter().any(|token| token.text == word);
        (has("test") || has("bench")) && !has("not") && !has("cfg_attr")
    })
}

/// The scope that a brace opens, if it is not a function.
fn scope(item: &[Token<'_>]) -> Option<Scope> {
    let words: Vec<&str> = item.iter().map(|token| token.text).collect();
    let first = words.iter().position(|word| {
        is_word(word) && !["pub", "crate", "super", "in", "unsafe", "default"].contains(word)
    })?;
    let name = words.get(first + 1).copied().unwrap_or_default();
    let header = words[first..].join(" ");
    match words[first] {
        "mod" => Some(Scope::Module {
            name: name.to_owned(),
            visibility: Visibility::of(&words),
        }),
        "trait" => Some(Scope::Trait {
            of: name.to_owned(),
            header,
        }),
        "impl" => Some(implementation(&words[first + 1..], header)),
        _ if words.contains(&"!") && words.last() == Some(&"!") || name == "!" => {
            Some(Scope::Macro)
        }
        _ => None,
    }
}

/// What follows `impl`.
fn implementation(words: &[&str], header: String) -> Scope {
    let words = &words[generics_end(words)..];
    let end = words.iter().position(|word| *word == "where");
    let words = &words[..end.unwrap_or(words.len())];
    let mut depth = 0;
    let of_trait = words.iter().position(|word| {
        depth += depth_of(word);
        depth == 0 && *word == "for"
    });
    let of = type_name(&words[of_trait.map_or(0, |at| at + 1)..]);
    match of_trait {
        Some(_) => Scope::Trait { of, header },
        None => Scope::Methods { of, header },
    }
}

/// How many of the words are generics: `< … >`.
pub(super) fn generics_end<S: AsRef<str>>(words: &[S]) -> usize {
    if words.first().is_none_or(|word| word.as_ref() != "<") {
        return 0;
    }
    let mut depth = 0;
    let end = words.iter().enumerate().position(|(at, word)| {
        // `->` has no bracket.
        let arrow = at > 0 && words[at - 1].as_ref() == "-";
        depth += if arrow { 0 } else { depth_of(word.as_ref()) };
        depth == 0
    });
    end.map_or(words.len(), |end| end + 1)
}

fn depth_of(word: &str) -> i32 {
    match word {
        "<" => 1,
        ">" => -1,
        _ => 0,
    }
}

/// The last name of a path: `Parser` of `crate::parse::Parser<'a>`.
fn type_name(words: &[&str]) -> String {
    let end = words.iter().position(|word| *word == "<");
    let path = &words[..end.unwrap_or(words.len())];
    let mut names = path.iter().rev().filter(|word| is_word(word));
    names.next().copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
#![deny(missing_docs)]
//! Words.
pub mod deep {
    pub(crate) struct S;
    impl<'a, T: Fn(u8) -> u8> S<'a, T> where T: Copy {
        /// Counts.
        #[inline]
        pub fn count(&self, by: [u8; 4]) -> usize {
            const N: usize = 4; // four
            fn step() -> u8 { 1 }
            by.iter().map(|x| { *x as usize }).sum::<usize>() + N
        }
    }
    impl Iterator for S { fn next(&mut self) -> Option<u8> { None } }
}
trait T { fn declared(&self); fn given(&self) {} }
macro_rules! make { ($x:ident) => { fn $x() {} fn made() {} } }
#[cfg(test)]
mod tests { fn helper() {} }
#[tokio::test]
async fn a_test() {}
#[cfg(not(test))]
fn product() { "literal"; }
"#;

    fn found() -> Vec<SourceFunction> {
        functions(SOURCE)
    }

    #[test]
    fn every_function_that_is_no_test_is_found_with_what_it_is_in() {
        let names: Vec<_> = found()
            .iter()
            .map(|f| {
                let within = f.within.iter().map(|scope| match scope {
                    Scope::Module { name, .. } => name.clone(),
                    Scope::Methods { of, .. } => format!("impl {of}"),
                    Scope::Trait { of, .. } => format!("trait {of}"),
                    Scope::Function(name) => format!("fn {name}"),
                    Scope::Macro => "macro".to_owned(),
                });
                let within: Vec<_> = within.collect();
                format!("{}: {}", within.join(", "), f.name)
            })
            .collect();
        assert_eq!(
            names,
            [
                "deep, impl S, fn count: step",
                "deep, impl S: count",
                "deep, trait S: next",
                "trait T: given",
                "macro: made",
                ": product",
            ]
        );
    }

    #[test]
    fn the_text_of_a_function_has_no_comments_and_nothing_of_the_functions_in_it() {
        let all = found();
        let count = all.iter().find(|f| f.name == "count").unwrap();
        assert!(count.text.starts_with("# [ inline ] pub fn count ("));
        assert!(count.text.contains("const N : usize = 4 ;"));
        assert!(!count.text.contains("step"), "{}", count.text);
        assert!(!count.text.contains("four"), "{}", count.text);
        assert_eq!(count.visibility(), Visibility::Public);
        assert!(count.has_line(10) && !count.has_line(11));
        let product = all.iter().find(|f| f.name == "product").unwrap();
        assert!(product.text.contains("\"literal\""));
    }

    #[test]
    fn nonsense_ends() {
        for source in [
            "{", "}", "#", "#[", "#[{", "fn f", "fn f{", "impl<{", "{#![a]",
        ] {
            functions(source);
        }
    }
}
