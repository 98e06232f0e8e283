//! The machine for which cargo's configuration builds benchmarks.

use std::env;
use std::path::Path;

use toml::Value;

use super::Toolchain;
use super::cargo_config::{self, ConfigFile};
use super::error::BuildError;
use super::tool::Tools;

/// The target that benchmarks are built for; `None` if nothing names one. Refuses a target whose programs this
/// machine cannot start.
///
/// # Errors
/// Where the default target is a chip, a browser or another kind of computer.
pub(super) fn target(
    tools: &Tools<'_>,
    toolchain: &Toolchain,
    asked: Option<&str>,
) -> Result<Option<String>, BuildError> {
    let files = cargo_config::files(&tools.dir);
    let host = toolchain.host.as_str();
    let set = env::var("CARGO_BUILD_TARGET").ok();
    let set = asked
        .map(|target| (target, "--target"))
        .or(set.as_deref().map(|target| (target, "CARGO_BUILD_TARGET")));
    let chosen = chosen(&files, set);
    if let Some(target) = chosen.targets.iter().find(|target| !starts(host, target)) {
        return Err(BuildError::ForeignTarget {
            at: tools.at.clone(),
            target: target.clone(),
            named_in: chosen.named_in,
            host: host.to_owned(),
        });
    }
    let mut targets = chosen.targets.into_iter();
    Ok(targets.next().filter(|target| target != "host-tuple"))
}

/// Targets, and where they are named.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    targets: Vec<String>,
    named_in: String,
}

/// The targets that the user `set`, or else those of the configuration; none if cargo builds for this machine.
fn chosen(files: &[ConfigFile], set: Option<(&str, &str)>) -> Chosen {
    let configured = || {
        files.iter().find_map(|file| {
            let targets = match file.get(&["build", "target"])? {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => vec![one.as_str()?],
            };
            Some((targets, file.shown()))
        })
    };
    let (targets, named_in) = match set {
        Some((target, named_in)) => (vec![target], named_in.to_owned()),
        None => configured().unwrap_or_default(),
    };
    Chosen {
        targets: targets.into_iter().map(str::to_owned).collect(),
        named_in,
    }
}

/// Whether a program for `target` starts on `host`.
fn starts(host: &str, target: &str) -> bool {
    if target == host || target == "host-tuple" {
        return true;
    }
    // A file that describes a target: its name is that target's.
    let name = Path::new(target).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    let parts = |triple: &str| {
        let (cpu, system) = triple.split_once('-').unwrap_or((triple, ""));
        let systems = ["linux", "darwin", "freebsd", "netbsd", "windows"];
        let system = systems.into_iter().find(|known| system.contains(known));
        (cpu.to_owned(), system)
    };
    let (cpu, system) = parts(name);
    let (own_cpu, own_system) = parts(host);
    let same_cpu = cpu == own_cpu || (own_cpu == "x86_64" && matches!(&*cpu, "i686" | "i586"));
    same_cpu && system.is_some() && system == own_system
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "x86_64-unknown-linux-gnu";

    fn files(config: &str) -> Vec<ConfigFile> {
        let temp = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(temp.path().join(".cargo")).unwrap();
        fs_err::write(temp.path().join(".cargo/config.toml"), config).unwrap();
        cargo_config::files(temp.path())
    }

    #[test]
    fn a_default_target_that_this_machine_cannot_start_is_named_with_its_place() {
        for (target, is_foreign) in [
            ("thumbv7em-none-eabihf", true),
            ("wasm32-wasip1", true),
            ("wasm32-unknown-unknown", true),
            ("x86_64-unknown-none", true),
            ("x86_64-pc-windows-gnu", true),
            ("aarch64-unknown-linux-gnu", true),
            ("kernel/x86_64-kernel.json", true),
            ("x86_64-unknown-linux-gnu", false),
            ("x86_64-unknown-linux-musl", false),
            ("i686-unknown-linux-gnu", false),
            ("host-tuple", false),
        ] {
            let files = files(&format!("[build]\ntarget = \"{target}\""));
            let expected = Chosen {
                targets: vec![target.to_owned()],
                named_in: ".cargo/config.toml".to_owned(),
            };
            assert_eq!(chosen(&files, None), expected);
            assert_eq!(starts(HOST, target), !is_foreign, "{target}");
            // An option or a variable wins, as it does with cargo.
            let asked = chosen(&files, Some((HOST, "--target")));
            assert_eq!(asked.targets, [HOST]);
            assert_eq!(asked.named_in, "--target");
        }
        let several = files("[build]\ntarget = [\"x86_64-unknown-linux-gnu\", \"wasm32-wasip1\"]");
        assert_eq!(chosen(&several, None).targets, [HOST, "wasm32-wasip1"]);
        let none = chosen(&files("[net]\noffline = true"), None);
        assert_eq!(none.targets, <[&str; 0]>::default());
    }

    #[test]
    fn a_side_for_another_machine_is_an_error_before_anything_is_built() {
        use super::super::build_selected;
        use super::super::tests::{World, selection};

        let world = World::new();
        world.put_both(".cargo/config.toml", "[build]\ntarget = \"wasm32-wasip1\"");
        let built = build_selected(
            &world.checkouts(),
            &selection(),
            None,
            &world.scratch,
            &|_| (),
        );
        let error = built.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the base side (c0ffee0) is built for wasm32-wasip1 (.cargo/config.toml), whose benchmarks \
             cannot run on this machine"
        );
        let hint = error.hint().unwrap();
        assert!(
            hint.starts_with("build for this machine: --target "),
            "{hint}"
        );
    }
}
