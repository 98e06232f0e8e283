//! What changes the processor's speed.

use super::{HealthCheck, Patient, Severity};

pub(super) fn governor(patient: &Patient) -> Option<HealthCheck> {
    let governor = patient.line("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")?;
    Some(if governor == "performance" {
        HealthCheck::new(
            "governor",
            Severity::Good,
            "performance: a steady frequency",
        )
    } else {
        HealthCheck::new(
            "governor",
            Severity::Hurts,
            format!("`{governor}`: the frequency follows the load, and lags behind it"),
        )
        .fixed_by("`sudo cpupower frequency-set --governor performance`")
    })
}

pub(super) fn turbo(patient: &Patient) -> Option<HealthCheck> {
    const INTEL: &str = "sys/devices/system/cpu/intel_pstate/no_turbo";
    const OTHERS: &str = "sys/devices/system/cpu/cpufreq/boost";
    let (file, off, on) = match (patient.line(INTEL), patient.line(OTHERS)) {
        (Some(no_turbo), _) => (INTEL, "1", no_turbo == "0"),
        (None, Some(boost)) => (OTHERS, "0", boost == "1"),
        (None, None) => return None,
    };
    Some(if on {
        HealthCheck::new(
            "turbo",
            Severity::Note,
            "on: the frequency depends on temperature and on the other processors; alternating the \
             sides cancels slow drift, not jumps",
        )
        .fixed_by(format!(
            "for the last bit of precision, `echo {off} | sudo tee /{file}`"
        ))
    } else {
        HealthCheck::new("turbo", Severity::Good, "off")
    })
}

pub(super) fn siblings(patient: &Patient) -> Option<HealthCheck> {
    let active = patient.line("sys/devices/system/cpu/smt/active")?;
    (active == "1").then(|| {
        HealthCheck::new(
            "sibling threads",
            Severity::Note,
            "on: a program on the same core's other thread slows a benchmark down",
        )
        .fixed_by("for the last bit of precision, `echo off | sudo tee /sys/devices/system/cpu/smt/control`")
    })
}

pub(super) fn battery(patient: &Patient) -> Option<HealthCheck> {
    let supplies = fs_err::read_dir(patient.root().join("sys/class/power_supply")).ok()?;
    let discharging = supplies.filter_map(Result::ok).any(|supply| {
        crate::environment::read_line(&supply.path().join("status"))
            .is_some_and(|status| status == "Discharging")
    });
    discharging.then(|| {
        HealthCheck::new(
            "power",
            Severity::Hurts,
            "on battery: the processor saves power when it likes",
        )
        .fixed_by("plug it in")
    })
}
