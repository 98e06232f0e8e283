//! Which harness an executable contains, told from its bytes without running it: some would run
//! all their benchmarks, or valgrind, when they are only asked for a list.

use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// The harness of an executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harness {
    /// Criterion, with its machine protocol.
    Criterion,
    /// criterion2, a fork of it with a command line of its own.
    Criterion2,
    /// Something else; what, as a lower-case fragment.
    Other(&'static str),
}

/// A string that each harness needs at run time, so that it survives stripping: names of
/// environment variables and wordings of its output.
const MARKS: &[(&str, Harness)] = &[
    // From a help text that its command line alone has.
    ("compatibility with libsets", Harness::Criterion2),
    ("CARGO_CRITERION_PORT", Harness::Criterion),
    ("DIVAN_SAMPLE_COUNT", Harness::Other("uses divan")),
    ("GUNGRAUN_", Harness::Other("uses gungraun")),
    ("IAI_CALLGRIND_", Harness::Other("uses iai-callgrind")),
    ("--tool=cachegrind", Harness::Other("uses iai")),
    ("tango_init", Harness::Other("uses tango")),
    ("tango_bench", Harness::Other("uses tango")),
    (
        "test result: ",
        Harness::Other("uses the default harness (libtest), not Criterion"),
    ),
];

/// Reads which harness `executable` contains. Criterion wins over others that are linked in as well.
pub(super) fn recognise(executable: &Path) -> std::io::Result<Harness> {
    static ANY: LazyLock<Vec<(Regex, Harness)>> = LazyLock::new(|| {
        MARKS
            .iter()
            .filter_map(|(mark, harness)| Some((Regex::new(&regex::escape(mark)).ok()?, *harness)))
            .collect()
    });
    let bytes = fs_err::read(executable)?;
    Ok(ANY
        .iter()
        .find(|(mark, _)| mark.is_match(&bytes))
        .map_or(Harness::Other("does not use Criterion"), |(_, harness)| {
            *harness
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harness_is_known_by_what_it_cannot_do_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench");
        for (bytes, expected) in [
            (
                &b"\x7fELF..CARGO_CRITERION_PORT..test result: "[..],
                Harness::Criterion,
            ),
            (
                b"..CARGO_CRITERION_PORT..compatibility with libsets..",
                Harness::Criterion2,
            ),
            (b"..DIVAN_SAMPLE_COUNT..", Harness::Other("uses divan")),
            (b"nothing known", Harness::Other("does not use Criterion")),
        ] {
            fs_err::write(&path, bytes).unwrap();
            assert_eq!(recognise(&path).unwrap(), expected);
        }
    }
}
