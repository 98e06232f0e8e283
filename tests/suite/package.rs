//! The published package builds by itself: it contains everything that the sources need.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        // What building and testing leave behind.
        if path.ends_with("target") || path.extension().is_some_and(|end| end == "new") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What a source names in `include_str!("…")` and its kin, from the package's root.
fn included(source: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root().join(source)).unwrap();
    let mut found = Vec::new();
    for part in text.split("include").skip(1) {
        let macros = ["_str!(", "_bytes!(", "!("];
        let Some(rest) = macros.iter().find_map(|name| part.strip_prefix(name)) else {
            continue;
        };
        let Some(name) = rest.trim_start().strip_prefix('"') else {
            continue;
        };
        let name = name.split('"').next().unwrap();
        let path = source.parent().unwrap().join(name);
        // Other sources are quoted in tests.
        if root().join(&path).is_file() {
            found.push(normal(&path));
        }
    }
    found
}

fn normal(path: &Path) -> PathBuf {
    path.components()
        .fold(PathBuf::new(), |mut so_far, part| match part {
            Component::ParentDir => {
                so_far.pop();
                so_far
            }
            other => so_far.join(other),
        })
}

#[test]
fn the_package_has_every_file_that_its_sources_and_its_build_script_need() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let listed: BTreeSet<&Path> = text.lines().map(Path::new).collect();

    let sources: Vec<PathBuf> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| files_below(Path::new(folder)))
        .collect();
    let named = sources
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .flat_map(|source| included(source));
    let named: BTreeSet<PathBuf> = named.collect();
    assert!(named.len() > 5, "{named:?}");
    let needed = ["probe", "fixtures", "schemas", "ci"]
        .iter()
        .flat_map(|folder| files_below(Path::new(folder)))
        .chain(sources)
        .chain(named)
        .chain(["build.rs", "Cargo.lock", "README.md", "LICENSE-MIT"].map(PathBuf::from));
    let missing: Vec<PathBuf> = needed
        .filter(|path| !listed.contains(path.as_path()))
        .collect();
    assert_eq!(missing, [""; 0].map(PathBuf::from));
}

/// Names and versions of a lock file.
fn locked(path: &str) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let lock: toml::Table = text.parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages
        .map(|package| (text(package, "name"), text(package, "version")))
        .collect()
}

#[test]
fn what_the_probes_depend_on_is_at_hand_once_the_package_itself_was_fetched() {
    let own = locked("Cargo.lock");
    for probe in ["probe", "probe/profile"] {
        let missing: Vec<_> = locked(&format!("{probe}/Cargo.lock"))
            .into_iter()
            .filter(|(name, _)| !name.starts_with("perfcheck-"))
            .filter(|package| !own.contains(package))
            .collect();
        assert!(missing.is_empty(), "{probe}: {missing:?}");
    }
}
