//! Which functions a change of the source touches.
//!
//! Executables differ in more than what the author edited: after a change of one function, derived
//! and generic code may differ only by inlining. Only functions whose source changed are named.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::revision::ChangedFile;
use crate::units::Paired;

use super::crate_path::CratePath;
use super::items::{self, Scope, SourceFunction};
use super::source::tokens_with_literals;

/// A function of the head side whose source differs from that of the base side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedFunction {
    /// Its file, from the repository's root.
    pub path: String,
    pub(super) function: SourceFunction,
}

impl TouchedFunction {
    /// Whether a line of its file is its own, and not that of a function that is defined in it.
    #[must_use]
    pub fn has_line(&self, line: u32) -> bool {
        self.function.has_line(line)
    }

    /// `path:line`.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}", self.path, self.function.lines.start())
    }

    /// Its name with its crate and modules, where its package is below `root`.
    #[must_use]
    pub fn full_name(&self, root: &Path) -> String {
        let krate = CratePath::of(root, &self.path);
        let modules = krate.into_iter().flat_map(|krate| {
            let name = std::iter::once(krate.name);
            name.chain(krate.modules).collect::<Vec<_>>()
        });
        let names: Vec<String> = modules.chain([self.name()]).collect();
        names.join("::")
    }

    /// Its name within its file: `Parser::next`.
    #[must_use]
    pub fn name(&self) -> String {
        let scopes = self.function.within.iter().filter_map(|scope| match scope {
            Scope::Module { name, .. } | Scope::Function(name) => Some(name.as_str()),
            Scope::Methods { of, .. } | Scope::Trait { of, .. } => Some(of.as_str()),
            Scope::Macro => None,
        });
        let names: Vec<&str> = scopes.chain([self.function.name.as_str()]).collect();
        names.join("::")
    }
}

/// The functions of the head side that these changes touch, tests and benchmarks aside. White space,
/// comments and the place of a function do not count as a change.
#[must_use]
pub fn touched_functions(files: &[ChangedFile]) -> Vec<TouchedFunction> {
    let sources: Vec<ProductSource> = files.iter().filter_map(ProductSource::of).collect();
    let mut former: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let everywhere = sources.iter().flat_map(|source| &source.functions.base);
    for function in everywhere {
        let key = (function.name.as_str(), function.text.as_str());
        *former.entry(key).or_default() += 1;
    }
    let mut touched = Vec::new();
    for source in &sources {
        let counterparts = by_scope(&source.functions.base);
        for (key, head) in by_scope(&source.functions.head) {
            let same = |base: &&SourceFunction| base.text == head.text;
            let counterpart = counterparts.get(&key).copied();
            let moved = || former.contains_key(&(head.name.as_str(), head.text.as_str()));
            if counterpart.filter(same).is_none() && (counterpart.is_some() || !moved()) {
                touched.push(TouchedFunction {
                    path: source.path.clone(),
                    function: head.clone(),
                });
            }
        }
    }
    touched
}

/// Whether only documentation differs: the code of each Rust file is the same apart from comments, and everything
/// else that changed is Markdown that is neither an input of the build nor in a folder of benchmarks, where their
/// inputs lie. `paths` are those of all changed files; `is_read` says whether the build has read one.
#[must_use]
pub fn is_documentation(
    paths: &[Paired<Option<PathBuf>>],
    files: &[ChangedFile],
    is_read: impl Fn(&Path) -> bool,
) -> bool {
    let same_code = |text: &Paired<String>| {
        let texts = text.as_ref().map(|text| tokens_with_literals(text));
        let words = texts
            .as_ref()
            .map(|tokens| tokens.iter().map(|token| token.text));
        words.base.eq(words.head)
    };
    paths.iter().all(|paths| {
        let Some(file) = files.iter().find(|file| file.paths == *paths) else {
            return false;
        };
        let both = || [&paths.base, &paths.head].into_iter().flatten();
        let has = |extension: &str| {
            both().all(|path| path.extension().is_some_and(|own| own == extension))
        };
        let is_input = |path: &PathBuf| {
            let mut parts = path.iter();
            is_read(path) || parts.any(|part| part == "benches")
        };
        let is_moved = paths.base.is_none() || paths.base != paths.head;
        has("md") && !both().any(is_input) || has("rs") && !is_moved && same_code(&file.texts)
    })
}

/// A changed source file of the product.
struct ProductSource {
    path: String,
    functions: Paired<Vec<SourceFunction>>,
}

impl ProductSource {
    fn of(file: &ChangedFile) -> Option<ProductSource> {
        let path = file.paths.head.as_deref()?;
        is_product(path).then(|| ProductSource {
            path: path.to_string_lossy().into_owned(),
            functions: file.texts.as_ref().map(|text| items::functions(text)),
        })
    }
}

/// Whether a file is Rust, and in none of the usual places of benchmarks, tests and build scripts.
fn is_product(path: &Path) -> bool {
    let aside = ["benches", "tests", "examples"];
    let aside = |part: Component<'_>| aside.iter().any(|name| part.as_os_str() == *name);
    path.extension().is_some_and(|extension| extension == "rs")
        && path.file_name().is_some_and(|name| name != "build.rs")
        && !path.components().any(aside)
}

/// The functions by scope and name; the number distinguishes those that share both.
fn by_scope(functions: &[SourceFunction]) -> BTreeMap<(String, usize), &SourceFunction> {
    let mut found = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for function in functions {
        let name = format!("{:?} {}", function.within, function.name);
        let number = seen.entry(name.clone()).or_default();
        found.insert((name, *number), function);
        *number += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, base: &str, head: &str) -> ChangedFile {
        ChangedFile {
            paths: Paired::new(Some(path.into()), Some(path.into())),
            texts: Paired::new(base.to_owned(), head.to_owned()),
        }
    }

    fn names(files: &[ChangedFile]) -> Vec<String> {
        let touched = touched_functions(files);
        touched.iter().map(TouchedFunction::name).collect()
    }

    const BASE: &str = "
#[derive(Clone, PartialEq)]
struct Token(u8);
impl Token {
    fn kind(&self) -> u8 { self.0 & 3 }
    fn text(&self) -> &str { \"a\" }
}
fn spare() {}
";

    #[test]
    fn what_is_written_otherwise_is_touched_and_nothing_else() {
        let head = BASE
            .replace("& 3", "& 7")
            .replace("Token(u8)", "Token(u8 /* kind */)");
        assert_eq!(names(&[file("src/a.rs", BASE, &head)]), ["Token::kind"]);
        let literal = BASE.replace("\"a\"", "\"b\"");
        assert_eq!(names(&[file("src/a.rs", BASE, &literal)]), ["Token::text"]);
        let added = format!("{BASE}fn added() {{ spare() }}");
        assert_eq!(names(&[file("src/a.rs", BASE, &added)]), ["added"]);
    }

    #[test]
    fn a_comment_white_space_and_another_place_touch_nothing() {
        let commented = BASE.replace("{ self.0", "{\n  // why\n  self.0");
        assert_eq!(names(&[file("src/a.rs", BASE, &commented)]), [""; 0]);
        let without = BASE.replace("fn spare() {}\n", "");
        let there = "pub mod x { fn spare() {} }";
        let moved = [
            file("src/a.rs", BASE, &without),
            file("src/b.rs", "", there),
        ];
        assert_eq!(names(&moved), [""; 0]);
    }

    #[test]
    fn documentation_is_comments_and_markdown_and_nothing_else() {
        let is_documentation = |files: &[ChangedFile]| {
            let paths: Vec<_> = files.iter().map(|file| file.paths.clone()).collect();
            super::is_documentation(&paths, files, |path| path.ends_with("words.md"))
        };
        let commented = format!("//! Tokens.\n{BASE}");
        let rust = file("src/a.rs", BASE, &commented);
        let readme = file("README.md", "a", "b");
        assert!(is_documentation(&[rust.clone(), readme.clone()]));
        assert!(!is_documentation(&[file(
            "src/a.rs",
            BASE,
            &BASE.replace("& 3", "& 7")
        )]));
        assert!(!is_documentation(&[file("data.json", "1", "2"), readme]));
        // A file that `include_str!` names is a source, and a file beside benchmarks is their input.
        assert!(!is_documentation(&[file("src/words.md", "a", "b")]));
        assert!(!is_documentation(&[file("benches/corpus.md", "a", "b")]));
        // A file that is not text is among the paths only.
        let binary = Paired::new(None, Some("corpus.bin".into()));
        let paths = [rust.paths.clone(), binary];
        assert!(!super::is_documentation(&paths, &[rust], |_| false));
    }

    #[test]
    fn of_functions_in_functions_the_inner_one_is_touched_alone() {
        let base = "fn outer() { fn inner() -> u8 { 1 } inner(); }";
        let head = "fn outer() { fn inner() -> u8 { 2 } inner(); }";
        assert_eq!(names(&[file("src/a.rs", base, head)]), ["outer::inner"]);
    }

    #[test]
    fn benchmarks_tests_and_build_scripts_are_not_the_product() {
        for path in [
            "benches/a.rs",
            "x/tests/a.rs",
            "examples/a.rs",
            "build.rs",
            "a.md",
        ] {
            assert_eq!(names(&[file(path, "", "fn f() {}")]), [""; 0], "{path}");
        }
    }
}
