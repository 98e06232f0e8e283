//! Where a benchmark's files are, within the folder of artifacts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::units::BenchmarkKey;

/// The longest name of a folder made from a benchmark's.
const LONGEST_NAME: usize = 100;

/// A folder for each benchmark: `<package>/<target>/<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    all: BTreeMap<BenchmarkKey, PathBuf>,
}

impl Folders {
    /// The folders for all benchmarks of a run: all files of one benchmark go into one place.
    #[must_use]
    pub fn of<'k>(keys: impl IntoIterator<Item = &'k BenchmarkKey>) -> Folders {
        let mut all = BTreeMap::new();
        for key in keys {
            let folder = unused(folder(key), &all);
            all.insert(key.clone(), folder);
        }
        Folders { all }
    }

    /// That of one benchmark.
    #[must_use]
    pub fn get(&self, key: &BenchmarkKey) -> PathBuf {
        self.all.get(key).cloned().unwrap_or_else(|| folder(key))
    }
}

/// A folder name that is valid on every system, and in which different ids rarely become the same.
fn folder(key: &BenchmarkKey) -> PathBuf {
    let parts = [&key.package, &key.target, &key.id];
    parts.into_iter().map(|part| plain(part)).collect()
}

fn plain(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "-_+=,.".contains(c);
    let name: String = text
        .chars()
        .map(|c| if harmless(c) { c } else { '_' })
        .take(LONGEST_NAME)
        .collect();
    // The name must not be hidden, the folder itself, or empty.
    match name.trim_matches('.') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

fn unused(folder: PathBuf, used: &BTreeMap<BenchmarkKey, PathBuf>) -> PathBuf {
    let mut free = folder.clone();
    let mut number = 2;
    while used.values().any(|other| *other == free) {
        free = folder.clone();
        free.as_mut_os_string().push(format!("~{number}"));
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_s_name_leads_nowhere_else() {
        assert_eq!(plain("sort/1 000"), "sort_1_000");
        assert_eq!(plain("../../etc"), "_.._etc");
        assert_eq!(plain(".."), "_");
        assert_eq!(plain(""), "_");
        assert_eq!(plain(&"x".repeat(300)).len(), LONGEST_NAME);
    }

    #[test]
    fn ids_that_look_the_same_get_folders_of_their_own() {
        let key = |id: &str| BenchmarkKey {
            package: "a".to_owned(),
            target: "b".to_owned(),
            id: id.to_owned(),
        };
        let keys = ["c/d", "c d", "c:d"].map(key);
        let folders = Folders::of(&keys);
        let found = keys.each_ref().map(|key| folders.get(key));
        assert_eq!(
            found,
            ["a/b/c_d", "a/b/c_d~2", "a/b/c_d~3"].map(PathBuf::from)
        );
    }
}
