//! From two checkouts to two sets of benchmark executables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::revision::Checkout;

/// A side, built.
#[derive(Debug, Clone)]
pub struct Build {
    /// What was built.
    pub checkout: Checkout,
    /// Where cargo put it.
    pub target_dir: PathBuf,
    /// Every bench target that was built, in the order of (package, target).
    pub executables: Vec<Executable>,
    /// Bench targets of the selection that cargo did not build (`required-features`), by
    /// (package, target) with the reason.
    pub unbuilt: Vec<UnbuiltTarget>,
    /// The compiler and cargo that built it.
    pub toolchain: Toolchain,
    /// The profile's name.
    pub profile: String,
    /// Package name to version of everything in the lock file that was used, sorted.
    pub locked: BTreeMap<String, Vec<String>>,
    /// Whether the lock file is tracked in this revision, or was made for both sides alike.
    pub lock_file: LockFile,
    /// How long the build took.
    pub took: std::time::Duration,
}

/// A benchmark executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// The file.
    pub path: PathBuf,
    /// Where cargo would run it: the package's folder.
    pub working_dir: PathBuf,
    /// What cargo would add to its environment (`CARGO_MANIFEST_DIR`, `LD_LIBRARY_PATH`, …).
    pub env: Vec<(String, OsString)>,
    /// The version of Criterion that the package depends on, if it does.
    pub criterion: Option<String>,
}

/// A bench target that was not built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnbuiltTarget {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// Why, as a lower-case fragment.
    pub reason: String,
}

/// The compiler and cargo of a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// First line of `rustc --version --verbose`.
    pub rustc: String,
    /// The host triple.
    pub host: String,
    /// `cargo --version`.
    pub cargo: String,
}

/// Where the lock file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFile {
    /// Tracked in the revision.
    Tracked,
    /// Not tracked: one and the same was used for both sides.
    Shared,
}
