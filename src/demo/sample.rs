//! The files of the sample, embedded from `fixtures/demo/`. Cargo leaves folders with a manifest
//! out of a package, so manifests are kept there as `Cargo.toml.in`.

/// A state of the sample.
pub(super) struct SampleState {
    /// The commit message.
    pub(super) message: &'static str,
    /// When it was committed, in seconds since the epoch.
    pub(super) committed_at: i64,
    /// The files that it adds to, or replaces in, the previous state.
    pub(super) files: &'static [SampleFile],
}

/// A file of the sample.
pub(super) struct SampleFile {
    /// Where it lies in the repository.
    pub(super) path: &'static str,
    /// What it holds.
    pub(super) content: &'static str,
}

/// Each file by its path, with the additional suffix of its fixture.
macro_rules! files {
    ($side:literal: $($path:literal $(from $fixture:literal)?),* $(,)?) => {
        &[$(SampleFile {
            path: $path,
            content: files!(@content $side, $path $(, $fixture)?),
        }),*]
    };
    (@content $side:literal, $path:literal) => {
        include_str!(concat!("../../fixtures/demo/", $side, "/", $path))
    };
    (@content $side:literal, $path:literal, $fixture:literal) => {
        include_str!(concat!("../../fixtures/demo/", $side, "/", $fixture))
    };
}

/// What `main` holds.
pub(super) const BASE: SampleState = SampleState {
    message: "Import the station's readings, their vault and their codec\n",
    committed_at: 1_767_258_000,
    files: files!("base":
        ".gitignore" from "gitignore.in",
        "Cargo.lock" from "Cargo.lock.in",
        "Cargo.toml" from "Cargo.toml.in",
        "crates/codec/Cargo.toml" from "crates/codec/Cargo.toml.in",
        "crates/codec/benches/codec.rs",
        "crates/codec/src/lib.rs",
        "crates/readings/Cargo.toml" from "crates/readings/Cargo.toml.in",
        "crates/readings/benches/readings.rs",
        "crates/readings/src/checksum.rs",
        "crates/readings/src/header.rs",
        "crates/readings/src/histogram.rs",
        "crates/readings/src/lib.rs",
        "crates/readings/src/parse.rs",
        "crates/readings/src/series.rs",
        "crates/vault/Cargo.toml" from "crates/vault/Cargo.toml.in",
        "crates/vault/benches/vault.rs",
        "crates/vault/src/lib.rs",
    ),
};

/// What `faster-parser` changes.
pub(super) const HEAD: SampleState = SampleState {
    message: "Parse readings without copying their fields\n\
        \n\
        Checksums notice swapped halves, keys are stretched a little longer, and a seal tells\n\
        where a block was altered.\n",
    committed_at: 1_767_344_400,
    files: files!("head":
        "crates/codec/src/lib.rs",
        "crates/readings/benches/readings.rs",
        "crates/readings/src/checksum.rs",
        "crates/readings/src/header.rs",
        "crates/readings/src/histogram.rs",
        "crates/readings/src/parse.rs",
        "crates/vault/src/lib.rs",
    ),
};

/// What `main` holds of the service.
pub(super) const SERVICE_BASE: SampleState = SampleState {
    message: "Serve items, and hold memory for a while\n",
    committed_at: 1_767_258_000,
    files: files!("../service":
        ".gitignore" from "../demo/base/gitignore.in",
        "Cargo.lock",
        "Cargo.toml" from "Cargo.toml.in",
        "perfcheck.toml" from "../demo/service/perfcheck.toml",
        "src/main.rs",
        "src/planted.rs",
    ),
};

/// What `simpler-server` changes.
pub(super) const SERVICE_HEAD: SampleState = SampleState {
    message: "Compute items more carefully, and end where there is no memory\n",
    committed_at: 1_767_344_400,
    files: files!("service":
        "src/planted.rs" from "planted.rs",
    ),
};
