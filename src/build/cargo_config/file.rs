//! One of cargo's configuration files, with those that it includes and its paths made absolute.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use toml::{Table, Value};

use crate::build::cargo_version::CargoVersion;
use crate::units::normal;

/// Whether cargo follows the key `include`; it does since 1.94.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::build) enum Includes {
    /// Values of the files that it names count.
    Followed,
    /// It means nothing.
    Unknown,
}

impl Includes {
    /// What `cargo --version` says of it.
    pub(in crate::build) fn of(version: &str) -> Includes {
        match CargoVersion::of(version) {
            Some(version) if version.follows_includes() => Includes::Followed,
            _ => Includes::Unknown,
        }
    }
}

/// A configuration file with those that it includes.
#[derive(Debug)]
pub(super) struct Loaded {
    /// All of them, merged by cargo's rules, with paths made absolute.
    pub(super) table: Table,
    /// What they say, file by file.
    pub(super) texts: Vec<(PathBuf, String)>,
}

/// Files that include each other: deeper nesting than this is a cycle.
const DEEPEST: usize = 16;

/// Reads `file` and what it includes; `None` where one of them is missing or not valid.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn load(file: &Path, includes: Includes) -> io::Result<Option<Loaded>> {
    let mut texts = Vec::new();
    let table = load_into(&mut texts, file, includes, 0)?;
    Ok(table.map(|table| Loaded { table, texts }))
}

fn load_into(
    texts: &mut Vec<(PathBuf, String)>,
    file: &Path,
    includes: Includes,
    depth: usize,
) -> io::Result<Option<Table>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let table = text.parse::<Table>();
    texts.push((file.to_owned(), text));
    let Ok(mut table) = table else {
        return Ok(None);
    };
    let folder = file.parent().unwrap_or(file);
    let included = table
        .remove("include")
        .filter(|_| includes == Includes::Followed);
    anchor(&mut table, folder.parent().unwrap_or(folder));
    // Later files in the list override earlier ones, and the file's own values override all.
    for include in included.iter().flat_map(entries).rev() {
        if depth == DEEPEST {
            return Ok(None);
        }
        let path = normal(&folder.join(include.path));
        match load_into(texts, &path, includes, depth + 1)? {
            Some(farther) => merge(&mut table, farther),
            None if include.optional && !path.exists() => {}
            None => return Ok(None),
        }
    }
    Ok(Some(table))
}

struct Include<'a> {
    path: &'a str,
    optional: bool,
}

fn entries(value: &Value) -> Vec<Include<'_>> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let entries = list.iter().filter_map(|entry| {
        let path = entry.as_str().or_else(|| entry.get("path")?.as_str())?;
        let optional = entry.get("optional").and_then(Value::as_bool) == Some(true);
        Some(Include { path, optional })
    });
    entries.collect()
}

/// Adds `farther` below `nearer`, by cargo's rules: tables merge, the nearer value wins, lists are
/// joined with the nearer one last.
pub(super) fn merge(nearer: &mut Table, farther: Table) {
    for (key, value) in farther {
        match (nearer.get_mut(&key), value) {
            (None, value) => {
                nearer.insert(key, value);
            }
            (Some(Value::Table(near)), Value::Table(far)) => merge(near, far),
            (Some(Value::Array(near)), Value::Array(mut far)) => {
                far.append(near);
                *near = far;
            }
            (Some(_), _) => {}
        }
    }
}

/// The keys whose value is a path that cargo reads relative to the configuration file's folder.
pub(super) const PATHS: &[&[&str]] = &[
    &["paths"],
    &["source", "*", "directory"],
    &["source", "*", "local-registry"],
    &["patch", "*", "*", "path"],
    &["http", "cainfo"],
    &["http", "proxy-cainfo"],
];

/// The keys whose value is a program: a path relative to that folder where it holds a slash.
pub(super) const PROGRAMS: &[&[&str]] = &[
    &["build", "rustc"],
    &["build", "rustc-wrapper"],
    &["build", "rustc-workspace-wrapper"],
    &["build", "rustdoc"],
    &["target", "*", "linker"],
    &["target", "*", "runner"],
    &["target", "*", "ar"],
];

/// Makes the paths of a file in a folder of `folder` absolute, so that they survive the move.
fn anchor(table: &mut Table, folder: &Path) {
    for keys in PATHS {
        visit(table, keys, &mut |text| {
            *text = absolute(folder, text);
            true
        });
    }
    for keys in PROGRAMS {
        visit(table, keys, &mut |text| {
            // A program and its arguments; without a slash it is looked for on the PATH.
            let (program, arguments) =
                text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
            if program.contains('/') {
                *text = format!("{}{arguments}", absolute(folder, program));
            }
            true
        });
    }
    if let Some(Value::Table(env)) = table.get_mut("env") {
        for (_, value) in env.iter_mut() {
            let Value::Table(entry) = value else { continue };
            if entry.get("relative") == Some(&Value::Boolean(true)) {
                entry.remove("relative");
                visit(entry, &["value"], &mut |text| {
                    *text = absolute(folder, text);
                    true
                });
            }
        }
    }
}

pub(super) fn absolute(folder: &Path, text: &str) -> String {
    normal(&folder.join(text)).to_string_lossy().into_owned()
}

/// Calls `change` for each string at `keys` (`*` stands for every key) and removes those for which it returns
/// false. In a list it is called for every string (`paths`) or, if the list is a program with arguments, for the
/// first.
pub(super) fn visit(table: &mut Table, keys: &[&str], change: &mut dyn FnMut(&mut String) -> bool) {
    let [key, rest @ ..] = keys else { return };
    table.retain(|name, value| {
        if *key != "*" && name != *key {
            return true;
        }
        match value {
            Value::Table(inner) if !rest.is_empty() => {
                visit(inner, rest, change);
                true
            }
            Value::String(text) if rest.is_empty() => change(text),
            Value::Array(items) if rest.is_empty() && name == "paths" => {
                items.retain_mut(|item| match item {
                    Value::String(text) => change(text),
                    _ => true,
                });
                true
            }
            Value::Array(items) if rest.is_empty() => match items.first_mut() {
                Some(Value::String(text)) => change(text),
                _ => true,
            },
            _ => true,
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_cargo_tells_whether_it_follows_includes() {
        for (version, includes) in [
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", Includes::Followed),
            ("cargo 1.94.0", Includes::Followed),
            (
                "cargo 1.97.0-nightly (4d1f98451 2026-05-15)",
                Includes::Followed,
            ),
            ("cargo 1.93.1 (abc 2026-01-01)", Includes::Unknown),
            ("cargo 1.9.0", Includes::Unknown),
            ("", Includes::Unknown),
        ] {
            assert_eq!(Includes::of(version), includes, "{version}");
        }
    }
}
