//! The probe, and the programs that a run starts.

use std::process::Command;

use super::{Finding, Severity};

pub(super) fn preloading() -> Finding {
    if crate::seam::is_supported() {
        Finding::new(
            "preloading",
            Severity::Good,
            "possible: the sides alternate sample by sample, and allocations are counted",
        )
    } else {
        Finding::new(
            "preloading",
            Severity::Hurts,
            "not possible in this build (it needs Linux with glibc): the sides alternate benchmark by \
             benchmark, which needs more rounds, and allocations are not counted",
        )
        .mended_by("`cargo install cargo-perfcheck --target x86_64-unknown-linux-gnu` on such a system")
    }
}

pub(super) fn profiler() -> Finding {
    if crate::seam::profiles_are_supported() {
        Finding::new(
            "profiler",
            Severity::Good,
            "possible: a change of time is traced to functions and lines",
        )
    } else {
        Finding::new(
            "profiler",
            Severity::Hurts,
            "not possible in this build (it needs Linux with glibc, on x86-64 or aarch64): changes are \
             measured, but not traced to functions",
        )
    }
}

/// Whether a program can be started, and what it calls itself.
pub(super) fn found(program: &'static str) -> Finding {
    match Command::new(program).arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            Finding::new(program, Severity::Good, version.trim().to_owned())
        }
        Ok(output) => Finding::new(
            program,
            severity_without(program),
            format!(
                "`{program} --version` fails: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ),
        ),
        Err(error) => Finding::new(
            program,
            severity_without(program),
            format!("`{program}` cannot be started: {error}"),
        )
        .mended_by(match program {
            "cargo" => "install Rust from https://rustup.rs",
            _ => "install it with the system's package manager",
        }),
    }
}

/// Without cargo nothing works; git itself is only for hooks, since revisions are read by a library.
fn severity_without(program: &str) -> Severity {
    match program {
        "cargo" => Severity::Broken,
        _ => Severity::Note,
    }
}
