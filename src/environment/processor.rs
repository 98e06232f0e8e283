//! The processor's name, and whether a hypervisor stands between it and us.

use std::path::Path;

use super::read_line;

/// The processor's name, as `/proc/cpuinfo` has it.
pub(super) fn name(cpuinfo: &str) -> Option<String> {
    let x86 = field(cpuinfo, "model name");
    x86.map(model).or_else(|| arm_name(cpuinfo))
}

/// A model's name without the clock speed that some carry: `Intel(R) Xeon(R) CPU @ 2.20GHz`.
fn model(name: &str) -> String {
    let (model, _) = name.split_once(" @ ").unwrap_or((name, ""));
    model.trim_end().to_owned()
}

/// The first value of a key in `/proc/cpuinfo`.
fn field<'a>(cpuinfo: &'a str, key: &str) -> Option<&'a str> {
    cpuinfo.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key && !value.trim().is_empty()).then(|| value.trim())
    })
}

/// On Arm the kernel gives numbers only. This names the cores of hosted machines; source: the
/// MIDR_EL1 section of each core's technical reference manual.
fn arm_name(cpuinfo: &str) -> Option<String> {
    let implementer = field(cpuinfo, "CPU implementer")?;
    let part = field(cpuinfo, "CPU part")?;
    let known = match (implementer, part) {
        ("0x41", "0xd08") => "Arm Cortex-A72",
        ("0x41", "0xd0b") => "Arm Cortex-A76",
        ("0x41", "0xd0c") => "Arm Neoverse N1",
        ("0x41", "0xd40") => "Arm Neoverse V1",
        ("0x41", "0xd49") => "Arm Neoverse N2",
        ("0x41", "0xd4f") => "Arm Neoverse V2",
        _ => return Some(format!("Arm implementer {implementer}, part {part}")),
    };
    Some(known.to_owned())
}

/// The hypervisor's name, if the machine is virtual; `unknown hypervisor` if it hides its name.
///
/// The processor's own flag decides on x86-64; firmware and drivers only give it a name. On other
/// processors, which have no such flag, they decide as well.
pub(super) fn hypervisor(cpuinfo: &str, root: &Path) -> Option<String> {
    let flagged = field(cpuinfo, "flags")
        .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    let named = name_from_system(root);
    if flagged {
        return Some(named.unwrap_or_else(|| "unknown hypervisor".to_owned()));
    }
    let has_flags = field(cpuinfo, "flags").is_some();
    if has_flags { None } else { named }
}

fn name_from_system(root: &Path) -> Option<String> {
    let read = |path: &str| read_line(&root.join(path)).unwrap_or_default();
    let told = [
        read("sys/hypervisor/type"),
        read("sys/class/dmi/id/sys_vendor"),
        read("sys/class/dmi/id/product_name"),
        read("proc/device-tree/hypervisor/compatible"),
        read("sys/devices/system/clocksource/clocksource0/available_clocksource"),
    ]
    .join("\n")
    .to_lowercase();
    const NAMES: [(&str, &str); 9] = [
        ("xen", "Xen"),
        ("vmware", "VMware"),
        ("virtualbox", "VirtualBox"),
        ("parallels", "Parallels"),
        ("virtual machine", "Hyper-V"),
        ("hyperv", "Hyper-V"),
        ("amazon ec2", "Amazon EC2"),
        ("google", "Google Compute Engine"),
        // This comes last: clouds that build on KVM name themselves, which says more.
        ("kvm", "KVM"),
    ];
    let known = NAMES.iter().find(|(mark, _)| told.contains(mark));
    match known {
        Some((_, name)) => Some((*name).to_owned()),
        None if told.contains("qemu") => Some("QEMU".to_owned()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIRTUAL: &str = "model name\t: AMD EPYC\nflags\t\t: fpu vme hypervisor lahf_lm\n";
    const METAL: &str = "model name\t: AMD Ryzen 9 5950X 16-Core Processor\nflags\t: fpu vme\n";

    fn with_file(path: &str, text: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        root
    }

    #[test]
    fn the_name_is_the_processors_own() {
        assert_eq!(name(VIRTUAL).unwrap(), "AMD EPYC");
        let clocked = "model name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n";
        assert_eq!(name(clocked).unwrap(), "Intel(R) Xeon(R) CPU");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(name(arm).unwrap(), "Arm Neoverse N1");
        let other = "CPU implementer\t: 0x61\nCPU part\t: 0x022\n";
        assert_eq!(name(other).unwrap(), "Arm implementer 0x61, part 0x022");
        assert_eq!(name(""), None);
    }

    #[test]
    fn a_hypervisor_that_hides_its_name_is_still_found() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(
            hypervisor(VIRTUAL, empty.path()).unwrap(),
            "unknown hypervisor"
        );
    }

    #[test]
    fn firmware_names_the_hypervisor() {
        let root = with_file("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
        assert_eq!(hypervisor(VIRTUAL, root.path()).unwrap(), "Amazon EC2");
        let clock = "sys/devices/system/clocksource/clocksource0/available_clocksource";
        let root = with_file(clock, "kvm-clock tsc acpi_pm\n");
        assert_eq!(hypervisor(VIRTUAL, root.path()).unwrap(), "KVM");
    }

    #[test]
    fn a_bare_machine_is_not_taken_for_a_virtual_one() {
        // A cloud's bare-metal instances carry its name in the firmware, too.
        let root = with_file("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
        assert_eq!(hypervisor(METAL, root.path()), None);
    }
}
