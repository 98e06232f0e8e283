//! Files for other tools, and for looking closer: flame graphs, folded stacks, pprof profiles.

use std::path::PathBuf;

use crate::discover::BenchmarkKey;
use crate::flame::{self, Caption, Folded, Kind};
use crate::seam::ProfileSeam;
use crate::units::{Paired, Side};

use super::{Attributed, Attribution};

/// What one weight of a stack is.
const UNIT: &str = "samples";
/// The longest name of a folder made from a benchmark's.
const LONGEST_NAME: usize = 100;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its path within the folder of artifacts.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The files of all profiled benchmarks, each benchmark's in a folder of its own:
/// `<package>/<target>/<id>/cpu.<base|head>.<svg|folded|pb.gz>` and `cpu.diff.svg`.
#[must_use]
pub fn artifacts(all: &[Attributed]) -> Vec<Artifact> {
    let mut files: Vec<Artifact> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for one in all {
        let folder = artifact_folder(&one.attribution.key, &folders);
        let mut add = |name: String, bytes: Vec<u8>| {
            let path = folder.join(name);
            files.push(Artifact { path, bytes });
        };
        for (name, picture) in graphs(&one.attribution) {
            add(format!("cpu.{name}.svg"), picture.into_bytes());
        }
        for side in Side::BOTH {
            if let Some(folded) = one.attribution.stacks.get(side) {
                add(format!("cpu.{side}.folded"), folded.text().into_bytes());
            }
            if let Some(stacks) = one.stacks.get(side) {
                let comment = format!("{}, {side}", one.attribution.key);
                let bytes = flame::pprof(&stacks.stacks, &kinds(), &comment);
                add(format!("cpu.{side}.pb.gz"), bytes);
            }
        }
        folders.push(folder);
    }
    files
}

fn kinds() -> [Kind<'static>; 2] {
    let kind = |name, unit, each| Kind { name, unit, each };
    [
        kind(UNIT, "count", 1),
        kind("cpu", "nanoseconds", 1_000_000_000 / ProfileSeam::HERTZ),
    ]
}

/// The flame graphs of a benchmark: `base`, `head`, and `diff` where both sides were timed; as SVG. A
/// graph that cannot be drawn, because there are no samples, is left out.
#[must_use]
pub fn graphs(attribution: &Attribution) -> Vec<(&'static str, String)> {
    let key = attribution.key.to_string();
    let mut graphs = Vec::new();
    for side in Side::BOTH {
        let Some(folded) = attribution.stacks.get(side) else {
            continue;
        };
        let title = format!("{key}, {side}");
        let caption = Caption {
            title: &title,
            subtitle: "",
            unit: UNIT,
        };
        if let Ok(picture) = flame::graph(folded, caption) {
            graphs.push((side.name(), picture));
        }
    }
    if let Some(picture) = difference(attribution, &key) {
        graphs.push(("diff", picture));
    }
    graphs
}

fn difference(attribution: &Attribution, key: &str) -> Option<String> {
    let Paired { base, head } = attribution.stacks.as_ref();
    let sides: Paired<&Folded> = Paired::new(base.as_ref()?, head.as_ref()?);
    let time = attribution.time_ns?;
    let title = format!("{key}, head compared with base");
    let caption = Caption {
        title: &title,
        subtitle: "widths: head; red: takes longer than on base, blue: less",
        unit: "millionths of the base's time",
    };
    flame::difference(sides, time, caption).ok()
}

/// The folder `<package>/<target>/<id>` of a benchmark's files, none of those in use: every part is a
/// name on every system.
#[must_use]
pub fn artifact_folder(key: &BenchmarkKey, used: &[PathBuf]) -> PathBuf {
    let parts = [&key.package, &key.target, &key.id];
    unused(parts.into_iter().map(|part| plain(part)).collect(), used)
}

fn plain(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "-_+=,.".contains(c);
    let name: String = text
        .chars()
        .map(|c| if harmless(c) { c } else { '_' })
        .take(LONGEST_NAME)
        .collect();
    // Neither hidden, nor the folder itself, nor nothing.
    match name.trim_matches('.') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

fn unused(folder: PathBuf, used: &[PathBuf]) -> PathBuf {
    let mut free = folder.clone();
    let mut number = 2;
    while used.contains(&free) {
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
        let first = PathBuf::from("a/b/c_d");
        let second = unused(first.clone(), std::slice::from_ref(&first));
        assert_eq!(second, PathBuf::from("a/b/c_d~2"));
        let third = unused(first.clone(), &[first, second]);
        assert_eq!(third, PathBuf::from("a/b/c_d~3"));
    }
}
