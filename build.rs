//! Builds the probes (the libraries that are preloaded into benchmark processes) so that they can be embedded.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// One library: a folder with a `manifest.toml`, and what is built from it.
struct Probe {
    /// The variable that names the file to embed. `cargo run` hands it to the program, which takes `PERFCHECK_…` for settings.
    variable: &'static str,
    /// The folder, in the package.
    folder: &'static str,
    /// The features it is built with.
    features: &'static str,
    /// What cargo calls the library.
    library: &'static str,
}

const PROBES: [Probe; 5] = [
    Probe {
        variable: "EMBEDDED_TIMING_PROBE",
        folder: "probe",
        features: "",
        library: "libperfcheck_probe.so",
    },
    Probe {
        variable: "EMBEDDED_ALLOCATION_PROBE",
        folder: "probe",
        features: "alloc",
        library: "libperfcheck_probe.so",
    },
    Probe {
        variable: "EMBEDDED_INSTRUCTION_PROBE",
        folder: "probe",
        features: "instructions",
        library: "libperfcheck_probe.so",
    },
    Probe {
        variable: "EMBEDDED_MARKING_PROBE",
        folder: "probe",
        features: "marks",
        library: "libperfcheck_probe.so",
    },
    Probe {
        variable: "EMBEDDED_PROFILE_PROBE",
        folder: "probe/profile",
        features: "",
        library: "libperfcheck_profile_probe.so",
    },
];

fn main() {
    println!("cargo::rerun-if-changed=probe");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR"));
    for probe in PROBES {
        let name = probe.variable;
        let library = out.join(format!("{name}.so.gz"));
        let bytes = if preloading_works() && (probe.features != "marks" || breakpoints_work()) {
            let bytes = fs::read(build(&out, &probe)).expect("cargo has just built this file");
            compressed(&bytes)
        } else {
            Vec::new()
        };
        fs::write(&library, bytes).expect("the output folder is writable");
        println!("cargo::rustc-env={name}={}", library.display());
    }
}

/// The program that is installed holds all probes: compressed they take a third of the room.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory can be written to")
}

/// Where the loader cannot preload, or the probe has no trampoline, nothing is embedded, and at run
/// time `seam` reports that it is not supported.
fn preloading_works() -> bool {
    let is =
        |name, values: &[&str]| env::var(name).is_ok_and(|value| values.contains(&value.as_str()));
    is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ENV", &["gnu"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"])
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", &["64"])
}

/// Only on this architecture can functions be compared, and a breakpoint is one byte.
fn breakpoints_work() -> bool {
    env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "x86_64")
}

/// Stages the manifest, runs cargo in the output folder, and returns the path of the library.
fn build(out: &Path, probe: &Probe) -> PathBuf {
    let source = Path::new(&variable("CARGO_MANIFEST_DIR")).join(probe.folder);
    let stage = out.join(probe.folder.replace('/', "-"));
    let target = variable("TARGET");
    fs::create_dir_all(&stage).expect("the output folder is writable");
    let manifest = fs::read_to_string(source.join("manifest.toml")).expect("it is in the package");
    let library = source.join("src/lib.rs");
    let library = library.to_str().expect("the path of the source is UTF-8");
    let manifest = manifest.replace("@SOURCE@", &library.escape_default().to_string());
    fs::write(stage.join("Cargo.toml"), manifest).expect("the output folder is writable");
    fs::copy(source.join("Cargo.lock"), stage.join("Cargo.lock")).expect("it is in the package");
    // A user who installs this without our lock file has other versions of the dependencies, and this
    // build must not download any.
    let built = run(&stage, &target, probe, &["--locked"])
        || (fs::remove_file(stage.join("Cargo.lock")).is_ok() && run(&stage, &target, probe, &[]));
    assert!(built, "{} did not build", probe.folder);
    stage
        .join("target")
        .join(target)
        .join("release")
        .join(probe.library)
}

/// Whether cargo has built the probe.
fn run(stage: &Path, target: &OsStr, probe: &Probe, lock: &[&str]) -> bool {
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(stage)
        .args(["build", "--release", "--offline", "--quiet"])
        .args(lock)
        .arg("--target")
        .arg(target)
        .args(["--features", probe.features])
        .arg("--target-dir")
        .arg(stage.join("target"));
    isolate(&mut cargo);
    let status = cargo.status();
    status
        .expect("cargo has started this script, too")
        .success()
}

/// The probe is built with its own flags, whatever the flags of the outer build: a coverage or
/// sanitizer flag would put code into it that allocates and locks. It needs the unwind tables to
/// find its own frames.
fn isolate(cargo: &mut Command) {
    let foreign = |name: &str| {
        name.starts_with("CARGO_PROFILE_")
            || name.starts_with("CARGO_BUILD_")
            || name.starts_with("CARGO_ENCODED_")
            || name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_FEATURE_")
            || name.starts_with("CARGO_UNSTABLE_")
            || matches!(
                name,
                "CARGO_TARGET_DIR"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CLIPPY_ARGS"
                    | "RUSTFLAGS"
                    | "RUSTC_BOOTSTRAP"
                    | "CARGO_MAKEFLAGS"
                    | "MAKEFLAGS"
            )
            || (name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS"))
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(foreign) {
            cargo.env_remove(&name);
        }
    }
    cargo.env("RUSTFLAGS", "-Cforce-unwind-tables=yes");
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name} for build scripts"))
}
