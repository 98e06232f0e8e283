//! A first benchmark for a function that has none, derived from its signature: it compiles, and the user adds
//! realistic input.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::items::{Scope, generics_end};
use super::public_path::{public_callers, public_path};
use super::signature::{
    Argument, Color, Parameter, ParameterKind, Receiver, Safety, Signature, parameters, split,
};
use super::touched::TouchedFunction;

/// The skeleton of a benchmark, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skeleton {
    /// A file for `benches/`.
    Code(String),
    /// Why it cannot be written from the signature, as a lower-case fragment.
    Unavailable(String),
}

/// Writes the skeleton of a benchmark of a function whose file lies below `root`: of the function
/// itself if other crates can call it, or else of the nearest public function that calls it.
#[must_use]
pub fn skeleton(root: &Path, of: &TouchedFunction) -> Skeleton {
    let direct = match public_path(root, of) {
        Some(path) => write(of, &path, None),
        None => {
            Err("it is private to its crate, and no public function that calls it was found".into())
        }
    };
    match direct {
        Ok(code) => Skeleton::Code(code),
        Err(reason) => {
            let callers = public_callers(root, of).into_iter();
            let mut codes = callers.filter_map(|caller| {
                let path = public_path(root, &caller)?;
                write(&caller, &path, Some(of)).ok()
            });
            match codes.next() {
                Some(code) => Skeleton::Code(code),
                None => Skeleton::Unavailable(reason),
            }
        }
    }
}

/// One thing that a call needs.
struct Input {
    name: String,
    /// How it is given: `&it`, `&mut it`, `it`.
    given: String,
    what: String,
    /// The type, if the call alone does not determine it.
    concrete: Option<String>,
    is_mutable: bool,
}

fn write(
    of: &TouchedFunction,
    path: &[String],
    instead_of: Option<&TouchedFunction>,
) -> Result<String, String> {
    let unclear = || "its signature is not understood".to_owned();
    let signature = Signature::of(&of.function).ok_or_else(unclear)?;
    if signature.color == Color::Async {
        return Err("it is async, and which runtime it needs is not known".to_owned());
    }
    let callee = callee(of, path, &signature)?;
    let inputs = inputs(of, &signature)?;
    let given: Vec<String> = inputs
        .iter()
        .map(|one| format!("black_box({})", one.given))
        .collect();
    let call = format!("{callee}({})", given.join(", "));
    let call = match signature.safety {
        Safety::Safe => call,
        Safety::Unsafe => format!("unsafe {{ {call} }}"),
    };
    let full = path.join("::");
    let about = match instead_of {
        Some(inner) => format!("`{full}`, which calls `{}`", inner.name()),
        None => format!("`{full}`"),
    };
    Ok(file(
        &about,
        &of.function.name,
        &path[1..].join("::"),
        &inputs,
        &call,
    ))
}

fn file(about: &str, name: &str, id: &str, inputs: &[Input], call: &str) -> String {
    let routine = format!("{{\n                let _ = black_box({call});\n            }}");
    let (batch, realistic, body) = match inputs {
        [] => ("", "", format!("b.iter(|| {routine})")),
        _ => ("BatchSize, ", REALISTIC, batched(inputs, &routine)),
    };
    format!(
        "//! A benchmark of {about}, to be completed.\n\nuse std::hint::black_box;\n\n\
         use criterion::{{{batch}Criterion, criterion_group, criterion_main}};\n{realistic}\n\
         fn bench_{name}(c: &mut Criterion) {{\n    c.bench_function({id:?}, |b| {{\n        {body}\n    }});\n}}\n\n\
         criterion_group!(benches, bench_{name});\ncriterion_main!(benches);\n"
    )
}

const REALISTIC: &str = "\n/// Input as your users have it: put some in the place of each call.\n\
    fn realistic<T>(what: &str) -> T {\n    todo!(\"{what}\")\n}\n";

fn batched(inputs: &[Input], routine: &str) -> String {
    let made = inputs.iter().map(|input| {
        let concrete = input.concrete.as_ref().map(|one| format!("::<{one}>"));
        format!(
            "realistic{}({:?})",
            concrete.unwrap_or_default(),
            input.what
        )
    });
    let made: Vec<String> = made.collect();
    let names = inputs.iter().map(|input| match input.is_mutable {
        true => format!("mut {}", input.name),
        false => input.name.clone(),
    });
    let names: Vec<String> = names.collect();
    format!(
        "b.iter_batched(\n            || ({},),\n            |({},)| {routine},\n            \
         BatchSize::SmallInput,\n        )",
        made.join(", "),
        names.join(", ")
    )
}

fn inputs(of: &TouchedFunction, signature: &Signature) -> Result<Vec<Input>, String> {
    let mut inputs = Vec::new();
    if let Some(receiver) = signature.receiver {
        let (given, is_mutable) = match receiver {
            Receiver::Shared => ("&this", false),
            Receiver::Exclusive => ("&mut this", true),
            Receiver::Owned => ("this", false),
        };
        let of = match of.function.within.last() {
            Some(Scope::Methods { of, .. }) => of.as_str(),
            _ => "Self",
        };
        inputs.push(Input {
            name: "this".to_owned(),
            given: given.to_owned(),
            what: format!("self: {of}"),
            concrete: None,
            is_mutable,
        });
    }
    for argument in &signature.arguments {
        inputs.push(Input {
            name: argument.name.clone(),
            given: argument.name.clone(),
            what: format!("{}: {}", argument.name, text(&argument.words)),
            concrete: concrete_argument(argument)?,
            is_mutable: false,
        });
    }
    Ok(inputs)
}

/// The type to choose for `impl Trait`; others follow from the call.
fn concrete_argument(argument: &Argument) -> Result<Option<String>, String> {
    let words = &argument.words;
    let Some(at) = words.iter().position(|word| word == "impl") else {
        return Ok(None);
    };
    let chosen = choose(&words[at + 1..]).ok_or_else(|| needs_type(&text(words)))?;
    match at {
        0 => Ok(Some(chosen)),
        _ => Err(needs_type(&text(words))),
    }
}

/// The function's path with the types that a call alone does not determine.
fn callee(of: &TouchedFunction, path: &[String], signature: &Signature) -> Result<String, String> {
    let mut names = path.to_vec();
    if let Some(Scope::Methods { header, .. }) = of.function.within.last() {
        let at = names.len() - 2;
        names[at].push_str(&self_arguments(header)?);
    }
    let mut chosen = Vec::new();
    for parameter in &signature.parameters {
        chosen.push(choose_for(parameter)?);
    }
    let last = names.pop().unwrap_or_default();
    let turbofish = match chosen.is_empty() {
        true => String::new(),
        false => format!("::<{}>", chosen.join(", ")),
    };
    let start = names.join("::");
    Ok(format!("{start}::{last}{turbofish}"))
}

/// The generic arguments of a type, by the header of its `impl` block.
fn self_arguments(header: &str) -> Result<String, String> {
    let words: Vec<String> = header.split(' ').skip(1).map(str::to_owned).collect();
    let generics = &words[..generics_end(&words)];
    let rest = &words[generics.len()..];
    let at = rest.iter().position(|word| word == "where");
    let (own, conditions) = match at {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &[][..]),
    };
    let Some(start) = own.iter().position(|word| word == "<") else {
        return Ok(String::new());
    };
    let parameters = parameters(generics, conditions);
    let mut arguments = Vec::new();
    for argument in split(&own[start + 1..own.len() - 1]) {
        if argument.first().is_some_and(|word| word == "'") {
            continue;
        }
        let parameter = parameters.iter().find(|one| argument == [one.name.clone()]);
        let simple = argument.iter().all(|word| is_standard(word));
        arguments.push(match parameter {
            Some(parameter) => choose_for(parameter)?,
            None if simple => text(argument),
            None => return Err(needs_type(&text(own))),
        });
    }
    Ok(match arguments.is_empty() {
        true => String::new(),
        false => format!("::<{}>", arguments.join(", ")),
    })
}

fn choose_for(parameter: &Parameter) -> Result<String, String> {
    match &parameter.kind {
        ParameterKind::Constant => Ok("4".to_owned()),
        ParameterKind::Type(bounds) => {
            let bounded = || format!("{}: {}", parameter.name, text(bounds));
            choose(bounds).ok_or_else(|| needs_type(&bounded()))
        }
    }
}

fn needs_type(what: &str) -> String {
    format!("`{what}` needs a type that only you can choose")
}

/// Bounds that `u64` meets.
const NUMBERS: [&str; 18] = [
    "Copy",
    "Clone",
    "Ord",
    "PartialOrd",
    "Eq",
    "PartialEq",
    "Hash",
    "Debug",
    "Display",
    "Default",
    "Send",
    "Sync",
    "Sized",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "ToString",
];

/// A type of the standard library that meets these bounds.
fn choose(bounds: &[String]) -> Option<String> {
    let mut each = bounds
        .split(|word| word == "+")
        .filter(|bound| !bound.is_empty());
    let written: Vec<String> = each.by_ref().map(text).collect();
    // `?Sized` and lifetimes ask for nothing.
    let asked = written
        .iter()
        .filter(|bound| !bound.starts_with(['?', '\'']));
    let asked: Vec<&str> = asked
        .map(|bound| bound.rsplit("::").next().unwrap_or(bound))
        .collect();
    let item = |bound: &str| {
        let (name, rest) = bound.split_once("<Item=")?;
        let item = rest.strip_suffix('>')?;
        let known = [
            "Iterator",
            "IntoIterator",
            "ExactSizeIterator",
            "DoubleEndedIterator",
        ];
        let words: Vec<String> = items_of(item);
        let simple = words.iter().all(|word| is_standard(word));
        (known.contains(&name) && simple).then(|| format!("std::vec::IntoIter<{item}>"))
    };
    match asked[..] {
        ["AsRef<str>" | "Into<String>" | "AsRef<Path>" | "AsRef<OsStr>"] => Some("&str".to_owned()),
        ["AsRef<[u8]>" | "Read" | "BufRead"] => Some("&[u8]".to_owned()),
        ["Write"] => Some("Vec<u8>".to_owned()),
        [one] if item(one).is_some() => item(one),
        _ => asked
            .iter()
            .all(|bound| NUMBERS.contains(bound))
            .then(|| "u64".to_owned()),
    }
}

fn items_of(text: &str) -> Vec<String> {
    let tokens = super::source::tokens_with_literals(text);
    tokens.iter().map(|token| token.text.to_owned()).collect()
}

/// Whether a word of a type means the same everywhere.
fn is_standard(word: &str) -> bool {
    let known = [
        "bool", "char", "str", "String", "Vec", "Option", "Box", "u8", "u16", "u32", "u64", "u128",
        "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    ];
    known.contains(&word) || !word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words as people write them.
fn text(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let word = word.as_str();
        let glued = |c: char| c.is_alphanumeric() || c == '_';
        if text.ends_with(glued) && word.starts_with(glued)
            || matches!(word, "+" | "=") && text.ends_with(' ')
        {
            text.push(' ');
        }
        text.push_str(word);
        if word == "," {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests;
