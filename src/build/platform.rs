//! What cargo's configuration says of the machine that benchmarks are built for and run by.

use std::env;
use std::path::Path;

use toml::Value;

use super::Toolchain;
use super::cargo_config::{self, ConfigFile};
use super::error::BuildError;
use super::tool::Tools;
use crate::units::{Event, EventSink};

/// Refuses to build for a machine whose programs this one cannot start, and says so where a program of
/// the user's would have started the benchmarks.
///
/// # Errors
/// Where the default target is a chip, a browser or another kind of computer.
pub(super) fn check(
    tools: &Tools<'_>,
    toolchain: &Toolchain,
    asked: Option<&str>,
    events: EventSink<'_>,
) -> Result<(), BuildError> {
    let files = cargo_config::files(&tools.dir);
    let host = toolchain.host.as_str();
    let set = env::var("CARGO_BUILD_TARGET").ok();
    let set = asked
        .map(|target| (target, "--target"))
        .or(set.as_deref().map(|target| (target, "CARGO_BUILD_TARGET")));
    if let Some(chosen) = foreign(&files, set, host) {
        return Err(BuildError::ForeignTarget {
            at: tools.at.clone(),
            target: chosen.target,
            named_in: chosen.named_in,
            host: host.to_owned(),
        });
    }
    let variable = format!("CARGO_TARGET_{}_RUNNER", shout(host));
    let runner = match env::var(&variable) {
        Ok(_) => Some(variable),
        Err(_) => runner(&files, host),
    };
    if let Some(named) = runner {
        let side = tools.at.side;
        let message = format!(
            "{named} is not used on the {side} side: perfcheck starts benchmarks by itself, so that both sides can run in turn"
        );
        events(Event::Warning { message });
    }
    Ok(())
}

/// A target, and where it is named.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    target: String,
    named_in: String,
}

/// The default target, where this machine cannot start its programs.
fn foreign(files: &[ConfigFile], set: Option<(&str, &str)>, host: &str) -> Option<Chosen> {
    let (targets, named_in) = match set {
        Some((target, named_in)) => (vec![target.to_owned()], named_in.to_owned()),
        None => files.iter().find_map(|file| {
            let targets = match file.get(&["build", "target"])? {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => vec![one.as_str()?],
            };
            let targets = targets.into_iter().map(str::to_owned).collect();
            Some((targets, shown(&file.path)))
        })?,
    };
    let target = targets.into_iter().find(|target| !starts(host, target))?;
    Some(Chosen { target, named_in })
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

/// The key of a runner for `host`, and the file it stands in. (Tables for a `cfg(…)` are cargo's to
/// evaluate; what they start is mostly another machine.)
fn runner(files: &[ConfigFile], host: &str) -> Option<String> {
    let file = files
        .iter()
        .find(|file| file.get(&["target", host, "runner"]).is_some())?;
    Some(format!("`target.{host}.runner` of {}", shown(&file.path)))
}

fn shown(path: &Path) -> String {
    // From the folder above `.cargo`: the checkout itself is nothing that the user knows.
    let parts: Vec<_> = path.iter().rev().take(2).collect();
    let parts: Vec<_> = parts
        .iter()
        .rev()
        .map(|part| part.to_string_lossy())
        .collect();
    parts.join("/")
}

/// As cargo writes a triple in the name of a variable.
fn shout(triple: &str) -> String {
    triple.to_uppercase().replace(['-', '.'], "_")
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
            let expected = is_foreign.then(|| Chosen {
                target: target.to_owned(),
                named_in: ".cargo/config.toml".to_owned(),
            });
            assert_eq!(foreign(&files, None, HOST), expected, "{target}");
            // An option or a variable wins, as it does with cargo.
            assert_eq!(foreign(&files, Some((HOST, "--target")), HOST), None);
        }
        let several = files("[build]\ntarget = [\"x86_64-unknown-linux-gnu\", \"wasm32-wasip1\"]");
        assert_eq!(
            foreign(&several, None, HOST).unwrap().target,
            "wasm32-wasip1"
        );
        assert_eq!(foreign(&files("[net]\noffline = true"), None, HOST), None);
        let asked = foreign(&[], Some(("wasm32-wasip1", "--target")), HOST).unwrap();
        assert_eq!(asked.named_in, "--target");
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
             do not start on this machine"
        );
        let hint = error.hint().unwrap();
        assert!(
            hint.starts_with("build for this machine: --target "),
            "{hint}"
        );
    }

    #[test]
    fn a_runner_of_this_machine_is_found_and_one_of_another_is_none_of_ours() {
        let own = files("[target.x86_64-unknown-linux-gnu]\nrunner = \"sudo -E\"");
        let named = "`target.x86_64-unknown-linux-gnu.runner` of .cargo/config.toml";
        assert_eq!(runner(&own, HOST).as_deref(), Some(named));
        let other = files("[target.aarch64-unknown-linux-gnu]\nrunner = \"qemu-aarch64\"");
        assert_eq!(runner(&other, HOST), None);
        assert_eq!(shout(HOST), "X86_64_UNKNOWN_LINUX_GNU");
    }
}
