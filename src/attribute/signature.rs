//! What a function's signature requires of a caller.

use super::items::{SourceFunction, generics_end};
use super::source::is_word;

/// A signature, taken to pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) receiver: Option<Receiver>,
    pub(super) arguments: Vec<Argument>,
    /// Its own type and constant parameters.
    pub(super) parameters: Vec<Parameter>,
    pub(super) color: Color,
    pub(super) safety: Safety,
}

/// How a method takes `self`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Shared,
    Exclusive,
    Owned,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) words: Vec<String>,
}

/// A type or constant parameter with its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: ParameterKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParameterKind {
    Type(Vec<String>),
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Sync,
    Async,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    Safe,
    Unsafe,
}

impl Signature {
    /// `None` where it is not understood.
    pub(super) fn of(function: &SourceFunction) -> Option<Signature> {
        let words = &function.signature;
        let at = words.iter().position(|word| word == "fn")?;
        let before = &words[..at];
        let has = |word: &str| before.iter().any(|other| other == word);
        let rest = &words[at + 2..];
        let generics = &rest[..generics_end(rest)];
        let rest = &rest[generics.len()..];
        let end = closing(rest)?;
        let conditions = rest[end..].iter().position(|word| word == "where");
        let conditions = conditions.map_or(&[][..], |at| &rest[end + at + 1..]);
        let mut arguments: Vec<&[String]> = split(&rest[1..end]);
        let receiver = arguments.first().and_then(|first| receiver(first));
        if receiver.is_some() {
            arguments.remove(0);
        }
        let arguments = arguments.into_iter().enumerate();
        Some(Signature {
            receiver,
            arguments: arguments.map(argument).collect::<Option<_>>()?,
            parameters: parameters(generics, conditions),
            color: if has("async") {
                Color::Async
            } else {
                Color::Sync
            },
            safety: if has("unsafe") {
                Safety::Unsafe
            } else {
                Safety::Safe
            },
        })
    }
}

/// The type and constant parameters of generics with their brackets, and the `where` clauses about them.
pub(super) fn parameters(generics: &[String], conditions: &[String]) -> Vec<Parameter> {
    let inner = match generics {
        [_, inner @ .., _] => inner,
        _ => &[],
    };
    let named = split(inner).into_iter().filter_map(|words| {
        if words.first()? == "const" {
            return Some(Parameter {
                name: words.get(1)?.clone(),
                kind: ParameterKind::Constant,
            });
        }
        // A lifetime begins with its mark.
        let name = words.first().filter(|word| is_word(word))?.clone();
        let mut bounds = bounds(&words[1..]);
        for condition in split(conditions) {
            if condition.first() == Some(&name) {
                bounds.extend([String::from("+")]);
                bounds.extend(self::bounds(&condition[1..]));
            }
        }
        Some(Parameter {
            name,
            kind: ParameterKind::Type(bounds),
        })
    });
    named.collect()
}

/// What follows the colon, up to a default.
fn bounds(words: &[String]) -> Vec<String> {
    let words = match words {
        [colon, rest @ ..] if colon == ":" => rest,
        _ => &[],
    };
    words.to_vec()
}

/// Where the bracket that `words` begins with is closed.
fn closing(words: &[String]) -> Option<usize> {
    let mut depth = 0;
    words.iter().position(|word| {
        depth += match word.as_str() {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        };
        depth == 0
    })
}

/// Parts between commas that lie in no brackets.
pub(super) fn split(words: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_arrow = at > 0 && ["-", "="].contains(&words[at - 1].as_str());
        match word.as_str() {
            "(" | "[" | "{" | "<" => depth += 1,
            ">" if is_arrow => {}
            ")" | "]" | "}" | ">" => depth -= 1,
            "," if depth == 0 => {
                parts.push(&words[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&words[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn receiver(words: &[String]) -> Option<Receiver> {
    let at = words.iter().position(|word| word == "self")?;
    let before = &words[..at];
    if words.get(at + 1).is_some() {
        // `self: Rc<Self>` is passed as it is.
        return Some(Receiver::Owned);
    }
    let has = |word: &str| before.iter().any(|other| other == word);
    Some(match (has("&"), has("mut")) {
        (true, true) => Receiver::Exclusive,
        (true, false) => Receiver::Shared,
        (false, _) => Receiver::Owned,
    })
}

fn argument((index, words): (usize, &[String])) -> Option<Argument> {
    let colon = words.iter().position(|word| word == ":")?;
    let pattern = words[..colon].iter().filter(|word| *word != "mut");
    let pattern: Vec<&String> = pattern.collect();
    let name = match pattern[..] {
        [name] if is_word(name) && name != "_" => name.trim_start_matches('_').to_owned(),
        _ => format!("argument{}", index + 1),
    };
    Some(Argument {
        name,
        words: words[colon + 1..].to_vec(),
    })
}
