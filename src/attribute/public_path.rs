//! How another crate names a function, if it can.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::crate_path::{CrateKind, CratePath};
use super::items::{self, Scope, SourceFunction, Visibility};
use super::source::{mentioned, tokens_with_literals};
use super::touched::TouchedFunction;

/// The most calls between a private function and the public one that is benchmarked in its place.
const FURTHEST: usize = 3;

/// The path of a function for other crates; `None` where it has none.
pub(super) fn public_path(root: &Path, at: &TouchedFunction) -> Option<Vec<String>> {
    let function = &at.function;
    let krate = CratePath::of(root, &at.path)?;
    if krate.kind == CrateKind::Program || function.visibility() == Visibility::Private {
        return None;
    }
    let source = fs_err::read_to_string(root.join(&at.path)).ok()?;
    let own = within_file(&source, function)?;
    let item = own.first()?;
    let mut file = krate.package.join(krate.root_file());
    let mut path = vec![krate.name.clone()];
    for (depth, module) in krate.modules.iter().enumerate() {
        let source = fs_err::read_to_string(&file).ok()?;
        let tokens = tokens_with_literals(&source);
        let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
        if reexports(&words, module, item, krate.modules.len() - depth) {
            path.extend(own);
            return Some(path);
        }
        if !words
            .windows(3)
            .any(|three| three == ["pub", "mod", module])
        {
            return None;
        }
        path.push(module.clone());
        file = module_file(&file, depth == 0, module)?;
    }
    // A type may be private although its methods are not.
    let is_method = matches!(function.within.last(), Some(Scope::Methods { .. }));
    if is_method && !is_public_type(&source, own.get(own.len() - 2)?) {
        return None;
    }
    path.extend(own);
    Some(path)
}

/// The path of a function from its file's module on, without private modules whose items the file exports.
fn within_file(source: &str, function: &SourceFunction) -> Option<Vec<String>> {
    let tokens = tokens_with_literals(source);
    let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let mut own = Vec::new();
    for (index, scope) in function.within.iter().enumerate() {
        match scope {
            Scope::Module { name, visibility } => {
                let item = match function.within.get(index + 1) {
                    Some(Scope::Module { name, .. } | Scope::Methods { of: name, .. }) => name,
                    _ => &function.name,
                };
                match visibility {
                    Visibility::Public => own.push(name.clone()),
                    Visibility::Private if reexports(&words, name, item, 1) => {}
                    Visibility::Private => return None,
                }
            }
            Scope::Methods { of, .. } => own.push(of.clone()),
            Scope::Trait { .. } | Scope::Function(_) | Scope::Macro => return None,
        }
    }
    own.push(function.name.clone());
    Some(own)
}

/// Whether a `pub use` of `module` includes `item`; an item `below` more than one level deeper has to be named.
fn reexports(words: &[&str], module: &str, item: &str, below: usize) -> bool {
    let starts = words.windows(2).enumerate();
    let starts = starts.filter(|(_, two)| *two == ["pub", "use"]);
    starts.map(|(at, _)| at).any(|at| {
        let end = words[at..].iter().position(|word| *word == ";");
        let used = &words[at..end.map_or(words.len(), |end| at + end)];
        let has = |word: &str| used.contains(&word);
        has(module) && !has("as") && (has(item) || (has("*") && below == 1))
    })
}

fn is_public_type(source: &str, name: &str) -> bool {
    let tokens = tokens_with_literals(source);
    let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let defined = words
        .windows(3)
        .find(|three| ["struct", "enum", "union"].contains(&three[1]) && three[2] == name);
    // Defined in another file: its visibility is unknown here.
    defined.is_none_or(|three| three[0] == "pub")
}

fn module_file(parent: &Path, is_root: bool, module: &str) -> Option<PathBuf> {
    let folder = match is_root || parent.file_name()? == "mod.rs" {
        true => parent.parent()?.to_owned(),
        false => parent.with_extension(""),
    };
    let candidates = [
        folder.join(format!("{module}.rs")),
        folder.join(module).join("mod.rs"),
    ];
    candidates.into_iter().find(|path| path.is_file())
}

/// Public functions of the same crate that call a function, the nearest first.
pub(super) fn public_callers(root: &Path, of: &TouchedFunction) -> Vec<TouchedFunction> {
    let Some(krate) = CratePath::of(root, &of.path) else {
        return Vec::new();
    };
    let all = functions_below(root, &krate.package.join("src"));
    let mut wanted: BTreeSet<String> = BTreeSet::from([of.function.name.clone()]);
    let mut seen: BTreeSet<String> = wanted.clone();
    let mut found = Vec::new();
    for _ in 0..FURTHEST {
        let calls = |function: &SourceFunction| {
            let names = mentioned(&function.text);
            function.name != of.function.name
                && wanted.iter().any(|name| names.contains(name.as_str()))
        };
        let callers: Vec<&TouchedFunction> =
            all.iter().filter(|one| calls(&one.function)).collect();
        let public = callers
            .iter()
            .filter(|one| public_path(root, one).is_some());
        found.extend(public.map(|one| (*one).clone()));
        if !found.is_empty() {
            break;
        }
        wanted = callers
            .into_iter()
            .map(|one| one.function.name.clone())
            .filter(|name| seen.insert(name.clone()))
            .collect();
    }
    found
}

fn functions_below(root: &Path, folder: &Path) -> Vec<TouchedFunction> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs_err::read_dir(&folder) else {
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(root).ok();
            let source = path.extension().filter(|extension| *extension == "rs");
            let source = source.and_then(|_| fs_err::read_to_string(&path).ok());
            if let (Some(inside), Some(source)) = (inside, source) {
                let functions = items::functions(&source).into_iter();
                found.extend(functions.map(|function| TouchedFunction {
                    path: inside.to_string_lossy().into_owned(),
                    function,
                }));
            }
        }
    }
    found
}
