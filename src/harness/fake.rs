//! Fake benchmark processes for tests: `fixtures/fakes/speaker.rs`, compiled once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::build::{CriterionPackage, Executable};
use crate::scratch::Scratch;

/// The compiled speaker.
fn speaker() -> PathBuf {
    static SPEAKER: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SPEAKER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("speaker");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/fakes/speaker.rs");
        let status = Command::new("rustc")
            .args(["--edition=2021", "-Copt-level=1", "-o"])
            .args([path.as_os_str(), source.as_ref()])
            .status()
            .unwrap();
        assert!(status.success());
        (folder, path)
    });
    path.clone()
}

/// An executable that follows `script` (see `fixtures/fakes/speaker.rs`).
pub(crate) fn executable(script: &str) -> Executable {
    Executable {
        package: "fakes".into(),
        target: "speaker".into(),
        path: speaker(),
        source: PathBuf::new(),
        names: std::collections::BTreeMap::new(),
        working_dir: std::env::temp_dir(),
        env: vec![("FAKE_SCRIPT".into(), script.into())],
        criterion: Some(CriterionPackage::itself("0.5.1")),
        command_line: crate::build::CommandLine::default(),
        runner: None,
        link: None,
    }
}

/// A run's folder, shared by all tests of this process.
pub(crate) fn scratch() -> &'static Scratch {
    static SCRATCH: OnceLock<(tempfile::TempDir, Scratch)> = OnceLock::new();
    let (_, scratch) = SCRATCH.get_or_init(|| {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(parent.path(), None).unwrap();
        (parent, scratch)
    });
    scratch
}
