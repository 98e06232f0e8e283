//! Cargo's configuration files in the folders above the user's repository.
//!
//! They apply to the user's own builds, but the checkouts lie elsewhere. So they are merged into
//! one file in the run's folder, above both checkouts: there cargo finds it by itself and gives it
//! just the rank it has for the user, below the repository's own files and above those of
//! `CARGO_HOME`. (As `--config` it would outrank even the repository's files and the environment.)

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use toml::{Table, Value};

use super::workspace::normal;

/// Merges the configuration files above `repository` and writes them into `run_folder`; gives the
/// files that were merged, the nearest first. Files that cargo finds from the checkouts, too, since
/// they lie above both, are left to cargo.
///
/// # Errors
/// Where a file cannot be read or written. One that is not valid TOML is left out: cargo, which
/// reads it for the user's own builds, complains better.
pub(super) fn carry_over(repository: &Path, run_folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut merged = Table::new();
    let mut files = Vec::new();
    for folder in repository.ancestors().skip(1) {
        if run_folder.starts_with(folder) || is_cargo_home(&folder.join(".cargo")) {
            continue;
        }
        let Some(file) = config_in(folder) else {
            continue;
        };
        let Ok(mut table) = fs::read_to_string(&file)?.parse::<Table>() else {
            continue;
        };
        anchor(&mut table, folder);
        merge(&mut merged, table);
        files.push(file);
    }
    if !files.is_empty() {
        let folder = run_folder.join(".cargo");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("config.toml"), merged.to_string())?;
    }
    Ok(files)
}

/// The configuration files above `repository`, as they are, by their paths: those that
/// [`carry_over`] merges, and those that it leaves to cargo.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn texts(repository: &Path) -> io::Result<BTreeMap<String, String>> {
    let above = repository.ancestors().skip(1).filter_map(config_in);
    above
        .map(|file| {
            Ok((
                file.to_string_lossy().into_owned(),
                fs::read_to_string(&file)?,
            ))
        })
        .collect()
}

/// Cargo prefers the name without an ending where both exist.
fn config_in(folder: &Path) -> Option<PathBuf> {
    ["config", "config.toml"]
        .map(|name| folder.join(".cargo").join(name))
        .into_iter()
        .find(|file| file.is_file())
}

fn is_cargo_home(folder: &Path) -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.is_some_and(|home| home == folder)
}

/// Adds `farther` below `nearer`, by cargo's rules: tables merge, the nearer value wins, lists are
/// joined with the nearer one last.
fn merge(nearer: &mut Table, farther: Table) {
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
const PATHS: &[&[&str]] = &[
    &["paths"],
    &["source", "*", "directory"],
    &["source", "*", "local-registry"],
    &["patch", "*", "*", "path"],
    &["http", "cainfo"],
];

/// The keys whose value is a program: a path relative to that folder where it holds a slash.
const PROGRAMS: &[&[&str]] = &[
    &["build", "rustc"],
    &["build", "rustc-wrapper"],
    &["build", "rustc-workspace-wrapper"],
    &["build", "rustdoc"],
    &["target", "*", "linker"],
    &["target", "*", "runner"],
    &["target", "*", "ar"],
];

/// Makes the paths of a file in `folder/.cargo` absolute, so that they survive the move.
fn anchor(table: &mut Table, folder: &Path) {
    // The builds have target folders of their own.
    if let Some(Value::Table(build)) = table.get_mut("build") {
        build.remove("target-dir");
        build.remove("build-dir");
    }
    for keys in PATHS {
        visit(table, keys, &mut |text| *text = absolute(folder, text));
    }
    for keys in PROGRAMS {
        visit(table, keys, &mut |text| {
            if text.contains('/') && !text.contains(' ') {
                *text = absolute(folder, text);
            }
        });
    }
    if let Some(Value::Table(env)) = table.get_mut("env") {
        for (_, value) in env.iter_mut() {
            let Value::Table(entry) = value else { continue };
            if entry.get("relative") == Some(&Value::Boolean(true)) {
                entry.remove("relative");
                visit(entry, &["value"], &mut |text| {
                    *text = absolute(folder, text)
                });
            }
        }
    }
}

fn absolute(folder: &Path, text: &str) -> String {
    normal(&folder.join(text)).to_string_lossy().into_owned()
}

/// Calls `change` for each string at `keys`, `*` being every key; of a list, for its strings
/// (`paths`) or, where it is a program with arguments, for the first.
fn visit(table: &mut Table, keys: &[&str], change: &mut dyn FnMut(&mut String)) {
    let [key, rest @ ..] = keys else { return };
    for (name, value) in table.iter_mut() {
        if *key != "*" && name != key {
            continue;
        }
        match value {
            Value::Table(inner) if !rest.is_empty() => visit(inner, rest, change),
            Value::String(text) if rest.is_empty() => change(text),
            Value::Array(items) if rest.is_empty() => {
                let how_many = if name == "paths" { items.len() } else { 1 };
                for item in items.iter_mut().take(how_many) {
                    if let Value::String(text) = item {
                        change(text);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, text: &str) {
        fs::create_dir_all(folder.join(".cargo")).unwrap();
        fs::write(folder.join(".cargo/config.toml"), text).unwrap();
    }

    #[test]
    fn files_above_the_repository_are_merged_nearest_first_with_their_paths_made_absolute() {
        let temp = tempfile::tempdir().unwrap();
        let (home, run) = (temp.path().join("home"), temp.path().join("cache/run"));
        let repository = home.join("work/project");
        fs::create_dir_all(&repository).unwrap();
        fs::create_dir_all(&run).unwrap();
        config(&repository, "[build]\njobs = 7");
        config(
            &home.join("work"),
            "[build]\njobs = 2\nrustflags = [\"-Cnear\"]\ntarget-dir = \"x\"\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = \"tools/ld\"\n\
             [env]\nDATA = { value = \"data\", relative = true }",
        );
        config(
            &home,
            "[build]\njobs = 1\nrustflags = [\"-Cfar\"]\n[term]\nverbose = true\n\
             [source.ours]\ndirectory = \"vendor\"\n[target.x86_64-unknown-linux-gnu]\nlinker = \"cc\"",
        );
        let files = carry_over(&repository, &run).unwrap();
        assert_eq!(files.len(), 2, "{files:?}");
        let text = fs::read_to_string(run.join(".cargo/config.toml")).unwrap();
        let merged: Table = text.parse().unwrap();
        let work = home.join("work");
        let expected: Table = format!(
            "[build]\njobs = 2\nrustflags = [\"-Cfar\", \"-Cnear\"]\n[term]\nverbose = true\n\
             [source.ours]\ndirectory = \"{0}/vendor\"\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = \"{1}/tools/ld\"\n\
             [env]\nDATA = {{ value = \"{1}/data\" }}",
            home.display(),
            work.display()
        )
        .parse()
        .unwrap();
        assert_eq!(merged, expected);
    }

    #[test]
    fn without_such_files_nothing_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let repository = temp.path().join("a/project");
        let run = temp.path().join("b/run");
        fs::create_dir_all(&repository).unwrap();
        fs::create_dir_all(&run).unwrap();
        assert_eq!(
            carry_over(&repository, &run).unwrap(),
            Vec::<PathBuf>::new()
        );
        assert!(!run.join(".cargo").exists());
    }
}
