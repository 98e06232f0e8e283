//! Why pairing by sample is not to be had.

use std::path::PathBuf;

/// Why pairing by sample is not possible. None of these stops a measurement: benchmarks can always
/// be paired one by one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeamError {
    /// No probe was embedded for this target.
    #[error("pairing by sample needs Linux with glibc on x86-64 or aarch64")]
    Unsupported,
    /// The loader would not preload into this executable.
    #[error("cannot preload into `{path}`: {reason}")]
    NotPreloadable {
        /// The executable.
        path: PathBuf,
        /// Why, as a fragment (`it is statically linked`).
        reason: &'static str,
    },
    /// The executable has none of the functions that time a benchmark in its symbol table.
    #[error(
        "found no function that times a benchmark (`Bencher::iter`) in the symbols of `{path}`"
    )]
    NoBencher {
        /// The executable.
        path: PathBuf,
    },
    /// The executable could not be understood.
    #[error("could not read the symbols of `{path}`")]
    Symbols {
        /// The executable.
        path: PathBuf,
        /// What the reader said.
        source: object::Error,
    },
    /// A setting is out of its range.
    #[error("cannot lengthen samples by {share}: it must be a share from 0 to 1")]
    Share {
        /// What was asked for.
        share: f64,
    },
    /// The harness does not call a benchmark with one iteration, then two, four and so on.
    #[error("instructions are counted for benchmarks of Criterion only")]
    NoDoubling,
    /// There is no profile.
    #[error("no profile was taken: {reason}")]
    Profile {
        /// Why, as a lower-case fragment.
        reason: String,
    },
    /// Something about a file.
    #[error("the files through which the sides take turns failed")]
    Io(#[from] std::io::Error),
}
