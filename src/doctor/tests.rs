use super::*;
use crate::units::{Bytes, Charset, Colour};

fn patient(files: &[(&str, &str)]) -> (tempfile::TempDir, Patient) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    let patient = Patient {
        root: root.path().to_owned(),
        cache: root.path().join("cache/not/there/yet"),
        machine: Machine::read_under(root.path()),
        occupied: None,
    };
    (root, patient)
}

const GOVERNOR: &str = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

#[test]
fn a_machine_that_tells_nothing_is_still_examined() {
    let (_root, patient) = patient(&[]);
    let findings = examine(&patient);
    let broken: Vec<&HealthCheck> = findings
        .iter()
        .filter(|f| f.severity == Severity::Broken)
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
    for subject in [
        "load",
        "stolen time",
        "disk",
        "preloading",
        "profiler",
        "cargo",
        "git",
    ] {
        assert!(findings.iter().any(|f| f.subject == subject), "{subject}");
    }
}

#[test]
fn a_frequency_that_follows_the_load_is_fixed_by_a_command() {
    let (_root, lazy) = patient(&[(GOVERNOR, "powersave\n")]);
    let finding = power::governor(&lazy).unwrap();
    assert_eq!(finding.severity, Severity::Hurts);
    assert!(finding.fix.unwrap().contains("cpupower"));
    let (_root, steady) = patient(&[(GOVERNOR, "performance\n")]);
    assert_eq!(power::governor(&steady).unwrap().severity, Severity::Good);
}

#[test]
fn turbo_is_read_from_either_driver_with_its_own_sense() {
    let intel = "sys/devices/system/cpu/intel_pstate/no_turbo";
    let others = "sys/devices/system/cpu/cpufreq/boost";
    for (file, on, off) in [(intel, "0", "1"), (others, "1", "0")] {
        let (_root, with) = patient(&[(file, on)]);
        assert_eq!(
            power::turbo(&with).unwrap().severity,
            Severity::Note,
            "{file}"
        );
        let (_root, without) = patient(&[(file, off)]);
        assert_eq!(
            power::turbo(&without).unwrap().severity,
            Severity::Good,
            "{file}"
        );
    }
}

#[test]
fn a_containers_quota_is_told_in_processors() {
    let (_root, limited) = patient(&[
        ("proc/self/cgroup", "0::/box\n"),
        ("sys/fs/cgroup/box/cpu.max", "150000 100000\n"),
    ]);
    assert!(
        host::quota(&limited)
            .unwrap()
            .finding
            .contains("1.50 processors")
    );
    let (_root, free) = patient(&[
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/cpu.max", "max 100000\n"),
    ]);
    assert_eq!(host::quota(&free), None);
}

#[test]
fn a_fixed_address_space_hurts_and_a_randomised_one_is_good() {
    let file = "proc/sys/kernel/randomize_va_space";
    let (_root, fixed) = patient(&[(file, "0\n")]);
    assert_eq!(
        host::address_space(&fixed).unwrap().severity,
        Severity::Hurts
    );
    let (_root, random) = patient(&[(file, "2\n")]);
    assert_eq!(
        host::address_space(&random).unwrap().severity,
        Severity::Good
    );
}

#[test]
fn load_battery_and_memory_are_named_with_what_to_do() {
    let (_root, mut tired) = patient(&[("sys/class/power_supply/BAT0/status", "Discharging\n")]);
    tired.occupied = Some(Occupied {
        busy: 1.5,
        processors: 2,
    });
    tired.machine.available_memory = Some(Bytes::from_bytes(1 << 20));
    let findings = [
        Some(host::load(&tired)),
        power::battery(&tired),
        host::memory(&tired),
    ];
    for finding in findings {
        let finding = finding.unwrap();
        assert_eq!(finding.severity, Severity::Hurts);
        assert!(finding.fix.is_some(), "{finding:?}");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn preloading_and_the_profiler_are_seen_in_a_child_process() {
    let (_root, patient) = patient(&[]);
    for finding in [tools::preloading(&patient), tools::profiler(&patient)] {
        assert_eq!(finding.severity, Severity::Good, "{finding:?}");
        assert!(
            finding
                .finding
                .starts_with("possible: seen in a child process; "),
            "{finding:?}"
        );
        assert_eq!(finding.fix, None);
    }
}

#[test]
fn text_has_a_mark_a_severity_without_colour_and_json_has_the_same_findings() {
    let findings = [
        HealthCheck::new("load", Severity::Good, "idle"),
        HealthCheck::new("governor", Severity::Hurts, "lags").fixed_by("`do it`"),
    ];
    let plain = text(&findings, Colour::Never, Charset::Ascii);
    assert_eq!(
        plain,
        "+ load      idle\n! governor  lags\n            to fix it: `do it`\n\n\
         1 finding above costs precision; `cargo perfcheck calibrate` says how much\n"
    );
    assert!(text(&findings, Colour::Ansi, Charset::Unicode).contains('\u{1b}'));
    let value: serde_json::Value = serde_json::from_str(&json(&findings).unwrap()).unwrap();
    assert_eq!(value["findings"][1]["severity"], "hurts");
    assert_eq!(value["findings"][0]["fix"], serde_json::Value::Null);
}
