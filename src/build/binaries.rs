//! The workspace's programs, built for release, for budgets of their size.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cargo_metadata::TargetKind;

use crate::plan::Selection;
use crate::scratch::Scratch;
use crate::units::{Bytes, EventSink, Paired, Side};

use super::error::BuildError;
use super::rustc_wrapper::CrateNames;
use super::tool::Tools;
use super::workspace::Workspace;
use super::{Build, compile};

/// How large a program is on each side that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinarySize {
    /// The package's name.
    pub package: String,
    /// The program's name.
    pub name: String,
    /// The size of the file as cargo leaves it; `None` where a side has no such program.
    pub size: Paired<Option<Bytes>>,
}

/// Package and name.
type Name = (String, String);

/// Builds the selected packages' programs with `--release` on both sides, in the target folders of
/// their benchmarks, and measures the files.
///
/// # Errors
/// As [`super::build`].
pub fn binary_sizes(
    builds: &Paired<Build>,
    selection: &Selection,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<BinarySize>, BuildError> {
    let sizes =
        Paired::try_from_fn(|side| of_side(builds.get(side), side, selection, scratch, events))?;
    if let Some(kept) = &builds.head.kept {
        kept.store(events);
    }
    let mut all: BTreeMap<Name, Paired<Option<Bytes>>> = BTreeMap::new();
    for side in Side::BOTH {
        for (name, size) in sizes.get(side) {
            let entry = all.entry(name.clone()).or_insert(Paired::new(None, None));
            *entry.get_mut(side) = Some(*size);
        }
    }
    let sizes = all.into_iter();
    Ok(sizes
        .map(|((package, name), size)| BinarySize {
            package,
            name,
            size,
        })
        .collect())
}

fn of_side(
    build: &Build,
    side: Side,
    selection: &Selection,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<(Name, Bytes)>, BuildError> {
    let choice = build.toolchain.choice.as_ref();
    let tools = Tools::new(scratch, side, &build.checkout).of_toolchain(choice);
    let members = Workspace::of_members(&tools, &build.checkout)?;
    let has_binary = members
        .selected(selection)
        .iter()
        .any(|package| package.targets.iter().any(|target| target.is_bin()));
    if !has_binary {
        // Cargo would report an error.
        return Ok(Vec::new());
    }
    let ask = compile::ask_for_binaries(selection, &build.target_dir);
    let compiled = compile::run(&tools, &ask, CrateNames::Cargo, None, |_| None, events);
    let compiled = compiled.map_err(|failure| *failure.error)?;
    if let Some(kept) = &build.kept {
        kept.note_whether_made(&compiled);
    }
    let mut sizes = Vec::new();
    for artifact in compiled.artifacts {
        let package = members.package(&artifact.package_id);
        let file = artifact.executable.map(PathBuf::from);
        let (Some(package), Some(file)) = (package, file) else {
            continue;
        };
        if artifact.target.is_kind(TargetKind::Bin) {
            let metadata = fs_err::metadata(&file)
                .map_err(|source| tools.io("read the size of a program", source))?;
            let name = (package.name.to_string(), artifact.target.name);
            sizes.push((name, Bytes::from_bytes(metadata.len())));
        }
    }
    Ok(sizes)
}
