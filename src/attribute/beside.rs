//! What changed beside the code: settings of the build, and versions of dependencies.

use std::collections::BTreeMap;

use crate::analyse;
use crate::build::Build;
use crate::revision::ChangedFile;
use crate::units::Paired;

/// Tables of a manifest, or of cargo's configuration, that change what is compiled and how.
const TABLES: [&str; 9] = [
    "profile",
    "features",
    "dependencies",
    "workspace",
    "patch",
    "target",
    "build",
    "env",
    "toolchain",
];

/// No more settings of one file are named.
const MOST: usize = 5;

/// Every difference beside the code, as lower-case fragments.
pub(super) fn changes(builds: &Paired<Build>, files: &[ChangedFile]) -> Vec<String> {
    let mut found: Vec<String> = files.iter().flat_map(settings).collect();
    found.extend(analyse::confounders(builds));
    found.extend(benchmarks(files));
    found
}

/// `Cargo.toml: profile.bench.opt-level 3 → 1`.
fn settings(file: &ChangedFile) -> Vec<String> {
    let path = file.paths.head.as_ref().or(file.paths.base.as_ref());
    let Some(path) = path else { return Vec::new() };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_setting = name == "Cargo.toml"
        || name == "rust-toolchain.toml"
        || path.ends_with(".cargo/config.toml")
        || path.ends_with(".cargo/config");
    if !is_setting {
        return Vec::new();
    }
    let values = file.texts.as_ref().map(|text| flattened(text));
    let mut names: Vec<&String> = values.base.keys().chain(values.head.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter_map(|name| {
        let (base, head) = (values.base.get(name), values.head.get(name));
        let told = |value: Option<&String>| value.map_or("not set".to_owned(), Clone::clone);
        (base != head)
            .then(|| format!("{}: {name} {} → {}", path.display(), told(base), told(head)))
    });
    changed.take(MOST).collect()
}

/// Dotted key to value, of those tables that matter.
fn flattened(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        for (name, value) in &table {
            if TABLES.contains(&name.as_str()) {
                flatten(name, value, &mut found);
            }
        }
    }
    found
}

fn flatten(name: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(&format!("{name}.{key}"), value, into);
            }
        }
        value => {
            into.insert(name.to_owned(), value.to_string());
        }
    }
}

/// Whether a benchmark itself is another.
fn benchmarks(files: &[ChangedFile]) -> Option<String> {
    let heads = files.iter().filter_map(|file| file.paths.head.as_ref());
    let benches: Vec<String> = heads
        .filter(|path| path.components().any(|part| part.as_os_str() == "benches"))
        .map(|path| path.display().to_string())
        .collect();
    match &benches[..] {
        [] => None,
        [one] => Some(format!("the benchmarks' own source changed: {one}")),
        [one, rest @ ..] => Some(format!(
            "the benchmarks' own source changed: {one} and {} more",
            rest.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(base: &str, head: &str) -> ChangedFile {
        ChangedFile {
            paths: Paired::from_fn(|_| Some("crates/a/Cargo.toml".into())),
            texts: Paired::new(base.to_owned(), head.to_owned()),
        }
    }

    #[test]
    fn a_setting_that_changes_what_is_compiled_is_told_with_both_values() {
        let told = settings(&manifest(
            "[package]\nversion = '1'\n[profile.bench]\nopt-level = 3\n",
            "[package]\nversion = '2'\n[profile.bench]\nopt-level = 1\nlto = true\n",
        ));
        assert_eq!(
            told,
            [
                "crates/a/Cargo.toml: profile.bench.lto not set → true",
                "crates/a/Cargo.toml: profile.bench.opt-level 3 → 1"
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_setting_is_not_read_as_one() {
        let mut file = manifest("[profile.bench]\nlto = true", "");
        file.paths = Paired::from_fn(|_| Some("data/profile.toml".into()));
        assert_eq!(settings(&file), [""; 0]);
        file.paths = Paired::from_fn(|_| Some("benches/sort.rs".into()));
        assert!(benchmarks(&[file]).unwrap().contains("benches/sort.rs"));
    }
}
