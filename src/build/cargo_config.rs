//! Cargo's configuration files that apply in a folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use cargo_platform::{Cfg, Platform};
use toml::{Table, Value};

mod file;
mod inherited;
mod tracked;

pub(super) use file::Includes;
pub(super) use inherited::{Surroundings, is_ignored};
pub(super) use tracked::tracked;

/// One of them, with what it includes; its paths are absolute.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// What its relative paths start from.
    pub(super) anchor: PathBuf,
    table: Table,
}

impl ConfigFile {
    /// The value at `keys`.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Value> {
        let (last, tables) = keys.split_last()?;
        let inner = tables
            .iter()
            .try_fold(&self.table, |table, key| table.get(*key)?.as_table());
        inner?.get(*last)
    }

    /// All of its values.
    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The path from the folder above `.cargo`: the user does not know the checkout.
    pub(super) fn shown(&self) -> String {
        let parts: Vec<_> = self.path.iter().rev().take(2).collect();
        let parts = parts.iter().rev().map(|part| part.to_string_lossy());
        parts.collect::<Vec<_>>().join("/")
    }
}

/// The files that cargo reads when it is run in `folder`, the most important first. Cargo itself
/// complains about one that cannot be read.
pub(super) fn files(folder: &Path) -> Vec<ConfigFile> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let folders = folder.ancestors().map(|folder| folder.join(".cargo"));
    let mut files: Vec<ConfigFile> = Vec::new();
    for folder in folders.chain(home) {
        // Cargo prefers the name without an ending where both exist.
        let names = ["config", "config.toml"].map(|name| folder.join(name));
        let found = names.into_iter().find(|path| path.is_file());
        // A cargo that does not support `include` warns about the key, so no project has one for such a cargo.
        let loaded = found.map(|path| (file::load(&path, Includes::Followed), path));
        let Some((Ok(Some(loaded)), path)) = loaded else {
            continue;
        };
        let anchor = folder.parent().unwrap_or(&folder).to_owned();
        files.push(ConfigFile {
            path,
            anchor,
            table: loaded.table,
        });
    }
    files
}

/// The program that `text` names: a path where it holds a slash, else a name to be searched.
pub(super) fn program(anchor: &Path, text: &OsString) -> OsString {
    if text.to_string_lossy().contains('/') {
        anchor.join(text).into_os_string()
    } else {
        text.clone()
    }
}

/// A program and its arguments, or flags: a list, or words with spaces between them.
pub(super) fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(words) => words
            .iter()
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .collect(),
        value => {
            let words = value.as_str().unwrap_or_default().split_whitespace();
            words.map(str::to_owned).collect()
        }
    }
}

/// Whether a `cfg(…)` holds.
pub(super) fn holds(key: &str, conditions: &[Cfg]) -> bool {
    Platform::from_str(key).is_ok_and(|platform| platform.matches("", conditions))
}

/// As cargo writes a triple in the name of a variable.
pub(super) fn shout(triple: &str) -> String {
    triple.to_uppercase().replace(['-', '.'], "_")
}
