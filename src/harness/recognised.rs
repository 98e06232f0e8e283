//! Which harness an executable contains, recognised from its bytes without running it: some would
//! run all their benchmarks, or valgrind, when asked for a list only.

use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::build::CommandLine;

/// The harness of an executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecognisedHarness {
    /// A harness that perfcheck drives, with its kind of command line.
    Driven(CommandLine),
    /// Another harness, named in a lower-case fragment.
    Other(&'static str),
}

use RecognisedHarness::{Driven, Other};

/// A string that each harness needs at run time, so that it survives stripping: names of
/// environment variables and wordings of its output.
const MARKS: &[(&str, RecognisedHarness)] = &[
    // From a help text that only its command line has.
    (
        "compatibility with libsets",
        Driven(CommandLine::Criterion2),
    ),
    ("CARGO_CRITERION_PORT", Driven(CommandLine::Criterion)),
    ("DIVAN_SAMPLE_COUNT", Other("uses divan")),
    ("GUNGRAUN_", Other("uses gungraun")),
    ("IAI_CALLGRIND_", Other("uses iai-callgrind")),
    ("--tool=cachegrind", Other("uses iai")),
    ("tango_init", Other("uses tango")),
    ("tango_bench", Other("uses tango")),
    // A variable that libtest alone reads.
    ("RUST_TEST_NOCAPTURE", Driven(CommandLine::Libtest)),
    // What looks like libtest and is not.
    ("test result: ", Other("uses a harness like libtest")),
];

/// Reads which harness `executable` contains. Criterion takes precedence over others that are linked in as well.
pub(crate) fn recognise(executable: &Path) -> std::io::Result<RecognisedHarness> {
    static ANY: LazyLock<Vec<(Regex, RecognisedHarness)>> = LazyLock::new(|| {
        MARKS
            .iter()
            .filter_map(|(mark, harness)| Some((Regex::new(&regex::escape(mark)).ok()?, *harness)))
            .collect()
    });
    let bytes = fs_err::read(executable)?;
    Ok(ANY
        .iter()
        .find(|(mark, _)| mark.is_match(&bytes))
        .map_or(Other("does not use Criterion"), |(_, harness)| *harness))
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
                Driven(CommandLine::Criterion),
            ),
            (
                b"..CARGO_CRITERION_PORT..compatibility with libsets..",
                Driven(CommandLine::Criterion2),
            ),
            (
                b"..RUST_TEST_NOCAPTURE..test result: ",
                Driven(CommandLine::Libtest),
            ),
            (b"..DIVAN_SAMPLE_COUNT..", Other("uses divan")),
            (b"nothing known", Other("does not use Criterion")),
        ] {
            fs_err::write(&path, bytes).unwrap();
            assert_eq!(recognise(&path).unwrap(), expected);
        }
    }
}
