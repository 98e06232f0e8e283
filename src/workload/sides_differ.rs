//! Whether anything that a workload depends on differs between the sides.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::discover::{DifferenceOrigin, Identity, OutsideDifference};
use crate::plan::{Template, TemplatePiece, Workload};
use crate::units::Paired;

use super::fill::FilledWorkload;

/// The identity of a workload whose programs have these identities. It can only be claimed of programs of the build: of
/// others it is not known what they read.
pub(super) fn identity(
    workload: &Workload,
    sides: &Paired<Option<FilledWorkload>>,
    programs: Vec<Identity>,
) -> Identity {
    let (Some(base), Some(head)) = (&sides.base, &sides.head) else {
        return Identity::OneSided;
    };
    let differing = programs.into_iter().find(|one| *one != Identity::Identical);
    differing
        .or_else(|| {
            let reason = difference(workload, Paired::new(base, head))?;
            Some(Identity::SameCode(OutsideDifference {
                reason,
                origin: DifferenceOrigin::Checkouts,
            }))
        })
        .unwrap_or(Identity::Identical)
}

/// What may differ beside its programs, as a message for the user.
fn difference(workload: &Workload, sides: Paired<&FilledWorkload>) -> Option<String> {
    let mut commands = workload.commands();
    if let Some(other) = commands.find(|command| command.program().is_none()) {
        return Some(format!("it is not known what `{other}` reads"));
    }
    let commands = workload.commands().flat_map(|command| command.templates());
    let mut templates = commands.chain(workload.env.values()).chain(&workload.stdin);
    if templates.any(names_the_side) {
        return Some("its command is not the same on both sides".to_owned());
    }
    let words = sides.map(words);
    let pairs = words.base.into_iter().zip(words.head);
    let folders = sides.map(|side| side.folder.as_path());
    let mut differing = pairs.filter_map(|(base, head)| {
        let paths = Paired::new(folders.base.join(base), folders.head.join(head));
        differs(Paired::new(&paths.base, &paths.head))
    });
    differing.next()
}

fn names_the_side(template: &Template) -> bool {
    template.pieces().contains(&TemplatePiece::Side)
}

/// Everything that may be a path: words, what stands after their equals signs, and the standard input.
fn words(side: &FilledWorkload) -> Vec<&OsStr> {
    let commands = [&side.prepare, &side.conclude, &side.setup, &side.cleanup];
    let commands = commands.into_iter().flatten().chain([&side.command]);
    let arguments = commands.flat_map(|command| &command.arguments);
    let values = side.env.iter().map(|(_, value)| value);
    let words = arguments.chain(values).flat_map(|word| {
        let bytes = word.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=');
        let behind = equals.map(|at| OsStr::from_bytes(&bytes[at + 1..]));
        [Some(word.as_os_str()), behind].into_iter().flatten()
    });
    let stdin = side.stdin.iter().map(|path| path.as_os_str());
    words.chain(stdin).filter(|word| !word.is_empty()).collect()
}

/// Whether two paths lead to different things, as a message.
fn differs(paths: Paired<&Path>) -> Option<String> {
    let name = || {
        let name = paths.head.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    if paths.base == paths.head {
        return None;
    }
    match paths.map(Path::is_dir) {
        Paired {
            base: false,
            head: false,
        } => {}
        // What is in it that matters is not known.
        _ => return Some(format!("it is given the folder {}", name())),
    }
    let size = |path: &Path| fs_err::metadata(path).map(|file| file.len()).ok();
    let read = |path: &Path| fs_err::read(path).ok();
    let differs = size(paths.base) != size(paths.head) || read(paths.base) != read(paths.head);
    differs.then(|| format!("it is given {}, which differs", name()))
}
