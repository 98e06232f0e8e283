//! Files for other tools, and for looking closer: flame graphs, folded stacks, pprof profiles.

use std::path::PathBuf;

use crate::flame::{self, Caption, Folded, Kind};
use crate::seam::ProfileSeam;
use crate::units::{Paired, Side};

use super::{Attributed, Attribution, Folders};

/// The unit of a stack's weight.
const UNIT: &str = "samples";

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
pub fn artifacts(all: &[Attributed], folders: &Folders) -> Vec<Artifact> {
    let mut files: Vec<Artifact> = Vec::new();
    for one in all {
        let folder = folders.get(&one.attribution.key);
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
                let plain: Vec<flame::Stack> = stacks.plain().cloned().collect();
                let bytes = flame::pprof(&plain, &kinds(), &comment);
                add(format!("cpu.{side}.pb.gz"), bytes);
            }
        }
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
