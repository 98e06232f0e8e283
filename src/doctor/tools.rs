//! The probes, and the programs that a run starts.

use std::error::Error as _;
use std::process::Command;

use super::{HealthCheck, Patient, Severity};
use crate::process::{Valgrind, ValgrindError};
use crate::seam::{self, SeamError, Trial};

pub(super) fn preloading(patient: &Patient) -> HealthCheck {
    let purpose = ProbePurpose {
        subject: "preloading",
        needs: "Linux with glibc",
        gives: "the sides alternate sample by sample, and allocations are counted",
        without: "the sides alternate benchmark by benchmark, which needs more rounds, and allocations \
                  are not counted",
    };
    purpose.finding(patient, seam::try_preloading)
}

pub(super) fn profiler(patient: &Patient) -> HealthCheck {
    let purpose = ProbePurpose {
        subject: "profiler",
        needs: "Linux with glibc, on x86-64 or aarch64",
        gives: "a change of time is traced to functions and lines",
        without: "changes are measured, but not traced to functions",
    };
    purpose.finding(patient, seam::try_profiling)
}

/// What a preloaded library is for.
struct ProbePurpose {
    subject: &'static str,
    /// The systems for which it is embedded.
    needs: &'static str,
    gives: &'static str,
    without: &'static str,
}

impl ProbePurpose {
    /// Tries it where runs keep their files: another file system may have other mount options.
    fn finding(
        &self,
        patient: &Patient,
        trial: impl FnOnce(&std::path::Path) -> Result<Trial, SeamError>,
    ) -> HealthCheck {
        let place = patient.existing_cache().unwrap_or(patient.root());
        self.of(trial(place))
    }

    fn of(&self, trial: Result<Trial, SeamError>) -> HealthCheck {
        let ProbePurpose {
            subject,
            needs,
            gives,
            without,
        } = self;
        match trial {
            Ok(Trial::Seen) => HealthCheck::new(
                subject,
                Severity::Good,
                format!("possible: seen in a child process; {gives}"),
            ),
            Ok(Trial::Missing { said }) => {
                let because = match said.as_str() {
                    "" => String::new(),
                    said => format!(" ({said})"),
                };
                HealthCheck::new(
                    subject,
                    Severity::Hurts,
                    format!(
                        "not possible: LD_PRELOAD named a library for `{}`, and that process did not \
                         load it{because}: {without}",
                        Trial::COMMAND
                    ),
                )
                .fixed_by(
                    "`--target-dir` names a place that is not mounted `noexec`; a sandbox or container \
                     must let processes preload libraries",
                )
            }
            Err(SeamError::Unsupported) => HealthCheck::new(
                subject,
                Severity::Hurts,
                format!("not possible in this build (it needs {needs}): {without}"),
            )
            .fixed_by(
                "`cargo install cargo-perfcheck --target x86_64-unknown-linux-gnu` on such a system",
            ),
            Err(error) => {
                let cause = error.source();
                let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
                HealthCheck::new(
                    subject,
                    Severity::Note,
                    format!("could not be tried: {cause}; if it is not possible, {without}"),
                )
            }
        }
    }
}

/// By what instructions can be counted.
pub(super) fn instructions(patient: &Patient) -> HealthCheck {
    let counters = match patient.root().join(COUNTERS).exists() {
        true => "the processor's own counters are there, and perfcheck does not use them",
        false => "the processor's own counters are not there",
    };
    by_valgrind(Valgrind::find(), counters)
}

/// Where the kernel shows the counters of the processor.
const COUNTERS: &str = "sys/bus/event_source/devices/cpu";

fn by_valgrind(found: Result<Valgrind, ValgrindError>, counters: &str) -> HealthCheck {
    match found {
        Ok(valgrind) => HealthCheck::new(
            "instructions",
            Severity::Good,
            format!(
                "{}: `--instructions` counts them exactly ({counters})",
                valgrind.version
            ),
        ),
        Err(error) => HealthCheck::new(
            "instructions",
            Severity::Note,
            format!("cannot be counted: {error} ({counters})"),
        )
        .fixed_by(error.hint()),
    }
}

/// Whether a program can be started, and what it calls itself.
pub(super) fn found(program: &'static str) -> HealthCheck {
    match Command::new(program).arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            HealthCheck::new(program, Severity::Good, version.trim().to_owned())
        }
        Ok(output) => HealthCheck::new(
            program,
            severity_without(program),
            format!(
                "`{program} --version` fails: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ),
        ),
        Err(error) => HealthCheck::new(
            program,
            severity_without(program),
            format!("`{program}` cannot be started: {error}"),
        )
        .fixed_by(match program {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(trial: Result<Trial, SeamError>) -> HealthCheck {
        let purpose = ProbePurpose {
            subject: "preloading",
            needs: "Linux",
            gives: "with it",
            without: "without it",
        };
        purpose.of(trial)
    }

    #[test]
    fn a_library_that_was_not_seen_is_a_warning_with_what_was_tried_and_what_to_do() {
        let said = "ERROR: ld.so: object cannot be preloaded: ignored.".to_owned();
        let missing = finding(Ok(Trial::Missing { said: said.clone() }));
        assert_eq!(missing.severity, Severity::Hurts);
        for part in ["cat /proc/self/maps", "LD_PRELOAD", &said, "without it"] {
            assert!(missing.finding.contains(part), "{missing:?}");
        }
        assert!(missing.fix.unwrap().contains("`--target-dir`"));
        let silent = finding(Ok(Trial::Missing {
            said: String::new(),
        }));
        assert!(!silent.finding.contains("()"), "{silent:?}");
    }

    #[test]
    fn without_valgrind_doctor_names_the_package() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let missing = by_valgrind(Err(missing.into()), "no counters");
        assert_eq!(missing.severity, Severity::Note);
        assert!(missing.finding.contains("no counters"), "{missing:?}");
        assert!(missing.fix.unwrap().contains("`valgrind`"));
        let found = Valgrind {
            version: "valgrind-3.19.0".to_owned(),
        };
        let found = by_valgrind(Ok(found), "no counters");
        assert_eq!(found.severity, Severity::Good);
        assert!(found.finding.contains("valgrind-3.19.0"), "{found:?}");
    }

    #[test]
    fn what_could_not_be_tried_is_no_verdict_and_another_system_is_one() {
        let refused = std::io::Error::other("no room");
        let untried = finding(Err(SeamError::Io(refused)));
        assert_eq!(untried.severity, Severity::Note);
        assert!(untried.finding.contains("no room"), "{untried:?}");
        let elsewhere = finding(Err(SeamError::Unsupported));
        assert_eq!(elsewhere.severity, Severity::Hurts);
        assert!(elsewhere.finding.contains("needs Linux"), "{elsewhere:?}");
    }
}
