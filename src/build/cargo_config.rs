//! Cargo's configuration files that apply in a folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// One of them.
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
}

/// The files that cargo reads when it is run in `folder`, the most important first; one that cannot be
/// read is cargo's to complain of.
pub(super) fn files(folder: &Path) -> Vec<ConfigFile> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let folders = folder.ancestors().map(|folder| folder.join(".cargo"));
    let mut files: Vec<ConfigFile> = Vec::new();
    for folder in folders.chain(home) {
        // Cargo prefers the name without an ending where both exist.
        let names = ["config", "config.toml"].map(|name| folder.join(name));
        let found = names
            .into_iter()
            .find_map(|path| Some((fs_err::read_to_string(&path).ok()?, path)));
        let Some((text, path)) = found else { continue };
        let Ok(table) = text.parse() else { continue };
        let anchor = folder.parent().unwrap_or(&folder).to_owned();
        files.push(ConfigFile {
            path,
            anchor,
            table,
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
