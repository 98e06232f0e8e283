//! The system's libraries that a build has linked because a build script said so.
//!
//! Cargo does not check them. A static library becomes part of the executable: one side must not
//! contain yesterday's version and the other today's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::BuildScript;

use super::key::stamp;

/// Where linkers look by themselves.
const BY_ITSELF: &[&str] = &["/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/lib64"];

/// The libraries that `scripts` name, as files outside of `target_dir`, with their stamps.
pub(super) fn linked(scripts: &[BuildScript], target_dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for script in scripts {
        let named = script.linked_paths.iter().map(|path| {
            let path = path.as_str();
            PathBuf::from(path.split_once('=').map_or(path, |(_, path)| path))
        });
        let outside = named.filter(|folder| !folder.starts_with(target_dir));
        let folders: Vec<PathBuf> = outside.chain(by_itself()).collect();
        for library in &script.linked_libs {
            let library = library.as_str();
            let name = library.split_once('=').map_or(library, |(_, name)| name);
            let name = name.split(':').next().unwrap_or(name);
            for folder in &folders {
                for file in [format!("lib{name}.a"), format!("lib{name}.so")] {
                    let file = folder.join(file);
                    found.extend(stamp(&file).map(|stamp| (file, stamp)));
                }
            }
        }
    }
    found
}

/// The folders that the linker searches by itself, including those for single architectures
/// (`/usr/lib/x86_64-linux-gnu`).
fn by_itself() -> impl Iterator<Item = PathBuf> {
    let architecture = format!("{}-linux-gnu", std::env::consts::ARCH);
    let apart = ["/usr/lib", "/lib"].map(|folder| Path::new(folder).join(&architecture));
    BY_ITSELF.iter().map(PathBuf::from).chain(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_a_build_script_names_is_found_unless_the_build_made_it() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for folder in ["system", "target/out"] {
            std::fs::create_dir_all(at(folder)).unwrap();
            std::fs::write(at(folder).join("libours.a"), folder).unwrap();
        }
        let script: BuildScript = serde_json::from_value(serde_json::json!({
            "package_id": "a",
            "linked_libs": ["static=ours", "static:+whole-archive=ours", "not-there"],
            "linked_paths": [
                format!("native={}", at("system").display()),
                format!("native={}", at("target/out").display()),
            ],
            "cfgs": [],
            "env": [],
            "out_dir": "out",
        }))
        .unwrap();
        let linked = linked(&[script], &at("target"));
        let files: Vec<_> = linked.keys().cloned().collect();
        assert_eq!(files, [at("system/libours.a")]);
    }
}
