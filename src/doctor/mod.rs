//! What on this machine adds noise, and how to fix it.

mod host;
mod power;
mod render;
mod tools;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub(crate) use render::{json, text};

use crate::environment::{Machine, Occupied, occupied};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing, but the method copes with it.
    Note,
    /// Costs precision or time.
    Hurts,
    /// Measuring, or a part of it, is impossible.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HealthCheck {
    /// What was checked, in a word or two.
    pub(crate) subject: &'static str,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// What was found, and what that means for measuring.
    pub(crate) finding: String,
    /// How to fix it, if possible.
    pub(crate) fix: Option<String>,
}

impl HealthCheck {
    fn new(subject: &'static str, severity: Severity, finding: impl Into<String>) -> HealthCheck {
        HealthCheck {
            subject,
            severity,
            finding: finding.into(),
            fix: None,
        }
    }

    fn fixed_by(mut self, fix: impl Into<String>) -> HealthCheck {
        self.fix = Some(fix.into());
        self
    }
}

/// Where to look.
pub(crate) struct Patient {
    /// The root of the pseudo-file systems.
    root: PathBuf,
    /// Where runs keep their builds.
    cache: PathBuf,
    /// The facts.
    machine: Machine,
    /// How busy others keep the processors, where the system says.
    occupied: Option<Occupied>,
}

impl Patient {
    /// This machine.
    pub(crate) fn this_machine() -> Patient {
        Patient {
            root: PathBuf::from("/"),
            cache: crate::scratch::default_parent(None),
            machine: Machine::read(),
            occupied: occupied(),
        }
    }

    fn line(&self, path: &str) -> Option<String> {
        crate::environment::read_line(&self.root.join(path))
    }

    fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the builds, or the nearest existing one above it: the first run creates it.
    fn existing_cache(&self) -> Option<&Path> {
        self.cache.ancestors().find(|folder| folder.exists())
    }
}

/// Checks everything. This takes a moment, since stolen time has to be observed.
pub(crate) fn examine(patient: &Patient) -> Vec<HealthCheck> {
    let mut findings = vec![
        HealthCheck::new(
            "machine",
            Severity::Good,
            format!(
                "{}, {} processors, {}, kernel {}",
                patient.machine.cpu,
                patient.machine.cores,
                patient.machine.os,
                patient.machine.kernel
            ),
        ),
        host::load(patient),
        host::stolen_time(),
    ];
    findings.extend(host::hypervisor(patient));
    findings.extend(host::quota(patient));
    findings.extend(power::governor(patient));
    findings.extend(power::turbo(patient));
    findings.extend(power::siblings(patient));
    findings.extend(power::battery(patient));
    findings.extend(host::clock(patient));
    findings.extend(host::address_space(patient));
    findings.extend(host::memory(patient));
    findings.extend(host::disk(patient));
    findings.push(tools::preloading(patient));
    findings.push(tools::profiler(patient));
    findings.push(tools::instructions(patient));
    findings.push(tools::found("cargo"));
    findings.push(tools::found("git"));
    findings
}

#[cfg(test)]
mod tests;
