//! What changed besides the code: settings of the build, and versions of dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::analyse;
use crate::build::Build;
use crate::revision::ChangedFile;
use crate::units::{BenchmarkKey, Paired, Side};

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

/// What changed besides the code, for every benchmark; and the sources of the benchmarks themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct BuildChanges {
    /// As lower-case fragments.
    everywhere: Vec<String>,
    /// The sources that differ, by the package and target that they belong to.
    benchmarks: BTreeMap<(String, String), BTreeSet<PathBuf>>,
}

impl BuildChanges {
    /// Every difference beside the code.
    pub(super) fn of(builds: &Paired<Build>, files: &[ChangedFile]) -> BuildChanges {
        let mut beside = BuildChanges {
            everywhere: files.iter().flat_map(settings).collect(),
            benchmarks: BTreeMap::new(),
        };
        beside.everywhere.extend(analyse::confounders(builds));
        for side in Side::BOTH {
            let build = builds.get(side);
            for executable in &build.executables {
                let target = (executable.package.clone(), executable.target.clone());
                beside.add_sources(target, side, build.sources(executable), files);
            }
        }
        beside
    }

    /// Adds those of a target's own sources on one side that differ.
    fn add_sources(
        &mut self,
        target: (String, String),
        side: Side,
        sources: Vec<PathBuf>,
        files: &[ChangedFile],
    ) {
        let changed = |path: &PathBuf| {
            let file = files
                .iter()
                .find(|file| file.paths.get(side).as_ref() == Some(path))?;
            file.paths.head.clone().or(file.paths.base.clone())
        };
        let changed: Vec<PathBuf> = sources.iter().filter_map(changed).collect();
        self.benchmarks.entry(target).or_default().extend(changed);
    }

    /// What changed besides the code that this benchmark runs, as lower-case fragments.
    pub(super) fn told_of(&self, key: &BenchmarkKey) -> Vec<String> {
        let target = (key.package.clone(), key.target.clone());
        let own = self.benchmarks.get(&target);
        let own = own.and_then(benchmark);
        self.everywhere.iter().cloned().chain(own).collect()
    }
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

/// That a benchmark itself is another.
fn benchmark(changed: &BTreeSet<PathBuf>) -> Option<String> {
    let mut paths = changed.iter().map(|path| path.display().to_string());
    let first = paths.next()?;
    Some(match paths.count() {
        0 => format!("the benchmark's own source changed: {first}"),
        more => format!("the benchmark's own source changed: {first} and {more} more"),
    })
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
    }

    #[test]
    fn only_sources_of_the_benchmark_s_own_target_are_named() {
        let source = |base: &str, head: &str| ChangedFile {
            paths: Paired::new(Some(base.into()), Some(head.into())),
            texts: Paired::new("a".to_owned(), "b".to_owned()),
        };
        let files = [
            source("a/benches/sort.rs", "a/benches/sorting.rs"),
            source("b/benches/find.rs", "b/benches/find.rs"),
        ];
        let mut beside = BuildChanges::default();
        let mut add = |package: &str, target: &str, side, path: &str| {
            let sources = vec![PathBuf::from(path), PathBuf::from("common/same.rs")];
            beside.add_sources(
                (package.to_owned(), target.to_owned()),
                side,
                sources,
                &files,
            );
        };
        add("a", "sort", Side::Base, "a/benches/sort.rs");
        add("a", "sort", Side::Head, "a/benches/sorting.rs");
        add("b", "find", Side::Head, "b/benches/find.rs");
        add("c", "other", Side::Head, "c/benches/other.rs");
        let told = |package: &str, target: &str| {
            beside.told_of(&BenchmarkKey {
                package: package.to_owned(),
                target: target.to_owned(),
                id: "any".to_owned(),
            })
        };
        let text = "the benchmark's own source changed:";
        assert_eq!(told("a", "sort"), [format!("{text} a/benches/sorting.rs")]);
        assert_eq!(told("b", "find"), [format!("{text} b/benches/find.rs")]);
        assert_eq!(told("c", "other"), [""; 0]);
    }
}
