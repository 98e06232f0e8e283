//! Load, other tenants, limits, memory and disk.

use std::time::{Duration, Instant};

use super::{HealthCheck, Patient, Severity};
use crate::environment::StealWatch;
use crate::units::Bytes;

/// Below this, two builds of a medium-sized workspace may not fit.
const SCARCE_DISK: u64 = 4 << 30;

/// Below this the compiler begins to swap, and benchmarks with it.
const SCARCE_MEMORY: u64 = 1 << 30;

/// Twenty clock ticks of the kernel's statistics: enough to see 5 % of stolen time.
const STEAL_WATCH: Duration = Duration::from_millis(200);

pub(super) fn load(patient: &Patient) -> HealthCheck {
    let load = match patient.machine.load {
        Some(load) => format!("load average {load:.2}"),
        None => "no load average".to_owned(),
    };
    let Some(occupied) = patient.occupied else {
        let text = format!("{load}; the system does not say how busy its processors are");
        return HealthCheck::new("load", Severity::Note, text);
    };
    match occupied.complaint() {
        Some(busy) => HealthCheck::new(
            "load",
            Severity::Hurts,
            format!("{busy} just now ({load}): they compete with the benchmarks; more rounds will be needed"),
        )
        .fixed_by("close programs that use the processors; `ps -eo pcpu,comm --sort=-pcpu | head` lists them"),
        None => HealthCheck::new(
            "load",
            Severity::Good,
            format!(
                "the machine is idle: others use {:.1} of {} processors just now ({load})",
                occupied.busy, occupied.processors
            ),
        ),
    }
}

/// Keeps a processor busy for a while: stolen time shows only if the machine has work to do.
pub(super) fn stolen_time() -> HealthCheck {
    let watch = StealWatch::start();
    let end = Instant::now() + STEAL_WATCH;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    match watch.share() {
        None => HealthCheck::new(
            "stolen time",
            Severity::Note,
            "the system does not say how much other tenants take",
        ),
        Some(share) if share >= 0.01 => HealthCheck::new(
            "stolen time",
            Severity::Hurts,
            format!(
                "other tenants of the host took {:.0} % of the processor just now; alternating the \
                 sides cancels most of it, at the price of more rounds",
                share * 100.0
            ),
        )
        .fixed_by("run at a quieter time, or on a machine with dedicated processors"),
        Some(_) => HealthCheck::new("stolen time", Severity::Good, "none just now"),
    }
}

pub(super) fn hypervisor(patient: &Patient) -> Option<HealthCheck> {
    let name = patient.machine.virtualised.as_ref()?;
    Some(HealthCheck::new(
        "hypervisor",
        Severity::Note,
        format!(
            "a virtual machine ({name}): the speed of the processor may drift with its other tenants; \
             alternating the sides cancels that"
        ),
    ))
}

/// The processor quota of the control group, as containers get it.
pub(super) fn quota(patient: &Patient) -> Option<HealthCheck> {
    let groups = fs_err::read_to_string(patient.root().join("proc/self/cgroup")).ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let limit = patient.line(&format!("sys/fs/cgroup/{group}/cpu.max"))?;
    let (quota, period) = limit.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    let processors = quota / period;
    Some(
        HealthCheck::new(
            "processor quota",
            Severity::Hurts,
            format!(
                "this container may use {processors:.2} processors; when that is spent, benchmarks \
                 are stopped in the middle of a sample"
            ),
        )
        .fixed_by("start the container without `--cpus`; `--cpuset-cpus` limits without stopping"),
    )
}

pub(super) fn clock(patient: &Patient) -> Option<HealthCheck> {
    let folder = "sys/devices/system/clocksource/clocksource0";
    let source = patient.line(&format!("{folder}/current_clocksource"))?;
    // The others are read without entering the kernel (vdso(7)).
    if !matches!(
        source.as_str(),
        "hpet" | "acpi_pm" | "jiffies" | "refined-jiffies" | "xen"
    ) {
        return Some(HealthCheck::new(
            "clock",
            Severity::Good,
            format!("{source}: cheap to read"),
        ));
    }
    let finding = HealthCheck::new(
        "clock",
        Severity::Hurts,
        format!("`{source}` is slow to read; samples of very short benchmarks lose precision"),
    );
    let available = patient.line(&format!("{folder}/available_clocksource"));
    let better = available?.split(' ').any(|name| name == "tsc");
    Some(if better {
        finding.fixed_by(format!(
            "`echo tsc | sudo tee /{folder}/current_clocksource`"
        ))
    } else {
        finding
    })
}

/// Randomisation is desired: every round then draws a new layout, and the interval covers that variation.
pub(super) fn address_space(patient: &Patient) -> Option<HealthCheck> {
    let value = patient.line("proc/sys/kernel/randomize_va_space")?;
    Some(match value.as_str() {
        "0" => HealthCheck::new(
            "address space",
            Severity::Hurts,
            "randomisation is off: every round has the same memory layout, so a lucky or unlucky one \
             looks like an effect of the change",
        )
        .fixed_by("`sudo sysctl kernel.randomize_va_space=2`"),
        _ => HealthCheck::new(
            "address space",
            Severity::Good,
            "randomised: every round draws a new memory layout",
        ),
    })
}

pub(super) fn memory(patient: &Patient) -> Option<HealthCheck> {
    let available = patient.machine.available_memory?;
    Some(if available.as_bytes() < SCARCE_MEMORY {
        HealthCheck::new(
            "memory",
            Severity::Hurts,
            format!("{available} free: building and measuring may swap"),
        )
        .fixed_by(
            "close programs that hold memory; `ps -eo rss,comm --sort=-rss | head` lists them",
        )
    } else {
        HealthCheck::new("memory", Severity::Good, format!("{available} free"))
    })
}

pub(super) fn disk(patient: &Patient) -> Vec<HealthCheck> {
    let Some(existing) = patient.existing_cache() else {
        return Vec::new();
    };
    let Ok(status) = rustix::fs::statvfs(existing) else {
        return Vec::new();
    };
    let place = patient.cache.display();
    let free = Bytes::from_bytes(status.f_bavail.saturating_mul(status.f_frsize));
    let mut findings = vec![if free.as_bytes() < SCARCE_DISK {
        HealthCheck::new(
            "disk",
            Severity::Hurts,
            format!("{free} free for builds in {place}: two target folders may not fit"),
        )
        .fixed_by("`--target-dir` names another place")
    } else {
        HealthCheck::new(
            "disk",
            Severity::Good,
            format!("{free} free for builds in {place}"),
        )
    }];
    if status
        .f_flag
        .contains(rustix::fs::StatVfsMountFlags::NOEXEC)
    {
        findings.push(
            HealthCheck::new(
                "disk",
                Severity::Broken,
                format!(
                    "{place} is on a file system mounted `noexec`: no benchmark can be run there"
                ),
            )
            .fixed_by("`--target-dir` names another place"),
        );
    }
    if status
        .f_flag
        .contains(rustix::fs::StatVfsMountFlags::RDONLY)
    {
        findings.push(
            HealthCheck::new(
                "disk",
                Severity::Broken,
                format!("{place} is on a read-only file system: nothing can be built there"),
            )
            .fixed_by("`--target-dir` names another place"),
        );
    }
    findings
}
