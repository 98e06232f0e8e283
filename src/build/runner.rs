//! The program that starts benchmarks: `target.<triple>.runner` of cargo's configuration.

use std::env;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use cargo_platform::Cfg;
use toml::Value;

use super::cargo_config::{self, ConfigFile, holds, shout, words};
use super::error::{BuildError, RunnerPlace, Where};
use super::rustflags::{self, FlagSources};
use super::tool::{Ask, Tools};
use super::{Build, Executable};
use crate::process::Runner;
use crate::units::{Paired, Side};

/// A runner as it is configured.
#[derive(Debug)]
struct RunnerSetting {
    words: Vec<String>,
    /// What a path starts from.
    anchor: PathBuf,
    named_in: String,
}

/// The runner for `target` (by default this machine's own), as cargo chooses it: from a variable, or else from the
/// target's own table, or else from a table whose `cfg(…)` holds.
///
/// # Errors
/// rustc does not say which `cfg`s hold, or the program is missing.
pub(super) fn of(
    tools: &Tools<'_>,
    root: &Path,
    host: &str,
    target: Option<&str>,
) -> Result<Option<Runner>, BuildError> {
    let files = cargo_config::files(&tools.dir);
    let name = Path::new(target.unwrap_or(host)).file_stem();
    let name = name.unwrap_or_default().to_string_lossy();
    let variable = format!("CARGO_TARGET_{}_RUNNER", shout(&name));
    let set = env::var(&variable).ok().map(|value| RunnerSetting {
        words: words(&Value::String(value)),
        anchor: tools.dir.clone(),
        named_in: variable.clone(),
    });
    let setting = match set.or_else(|| of_table(&files, &name)) {
        None if has_conditions(&files) => {
            let sources = FlagSources {
                variable: &rustflags::variable,
                files: &files,
                target: &name,
            };
            of_condition(&files, &conditions(tools, target, &sources)?)
        }
        setting => setting,
    };
    let Some(runner) = setting.and_then(|setting| setting.resolved(root, variable)) else {
        return Ok(None);
    };
    match exists(&runner.program) {
        true => Ok(Some(runner)),
        false => Err(runner.missing(root, &tools.at)),
    }
}

impl Runner {
    fn missing(self, root: &Path, at: &Where) -> BuildError {
        let (program, place) = match self.program.strip_prefix(root) {
            Ok(inside) => (inside.to_owned(), RunnerPlace::Checkout),
            Err(_) => (self.program, RunnerPlace::Elsewhere),
        };
        BuildError::NoRunner {
            at: at.clone(),
            program,
            place,
            named_in: self.named_in,
            variable: self.variable,
        }
    }
}

impl RunnerSetting {
    /// `variable` is the environment variable that outranks it.
    fn resolved(self, root: &Path, variable: String) -> Option<Runner> {
        let (first, arguments) = self.words.split_first()?;
        let program: PathBuf = cargo_config::program(&self.anchor, &first.into()).into();
        let inside = program.strip_prefix(root).unwrap_or(&program);
        let inside = inside.to_string_lossy();
        let typed: Vec<&str> = [&*inside]
            .into_iter()
            .chain(arguments.iter().map(String::as_str))
            .collect();
        let typed = typed.join(" ");
        Some(Runner {
            typed,
            arguments: arguments.to_vec(),
            named_in: self.named_in,
            variable,
            program,
        })
    }
}

fn of_table(files: &[ConfigFile], key: &str) -> Option<RunnerSetting> {
    let (file, value) = files
        .iter()
        .find_map(|file| Some((file, file.get(&["target", key, "runner"])?)))?;
    let key = match key.contains('(') {
        true => format!("'{key}'"),
        false => key.to_owned(),
    };
    Some(RunnerSetting {
        words: words(value),
        anchor: file.anchor.clone(),
        named_in: format!("`target.{key}.runner` of {}", file.shown()),
    })
}

/// The keys of tables for a `cfg(…)` that name a runner.
fn conditional(files: &[ConfigFile]) -> impl Iterator<Item = &str> {
    let tables = files
        .iter()
        .filter_map(|file| file.get(&["target"])?.as_table());
    tables
        .flatten()
        .filter(|(key, table)| key.starts_with("cfg(") && table.get("runner").is_some())
        .map(|(key, _)| key.as_str())
}

fn has_conditions(files: &[ConfigFile]) -> bool {
    conditional(files).next().is_some()
}

/// The `cfg`s that rustc prints for the target with the project's flags. The flags may depend on the `cfg`s without
/// them: so cargo asks twice, and so does perfcheck.
fn conditions(
    tools: &Tools<'_>,
    target: Option<&str>,
    sources: &FlagSources<'_>,
) -> Result<Vec<Cfg>, BuildError> {
    let ask = |flags: Vec<String>| {
        let mut words = vec!["--print".to_owned(), "cfg".to_owned()];
        let target = target.into_iter();
        words.extend(target.flat_map(|target| ["--target".to_owned(), target.to_owned()]));
        words.extend(flags);
        let printed = tools.stdout(&Ask::new("rustc", words))?;
        let conditions = printed.lines().filter_map(|line| Cfg::from_str(line).ok());
        Ok::<Vec<Cfg>, BuildError>(conditions.collect())
    };
    let first = ask(sources.flags(None))?;
    match sources.have_conditions() {
        true => ask(sources.flags(Some(&first))),
        false => Ok(first),
    }
}

/// If several hold, cargo refuses to build.
fn of_condition(files: &[ConfigFile], conditions: &[Cfg]) -> Option<RunnerSetting> {
    of_table(
        files,
        conditional(files).find(|key| holds(key, conditions))?,
    )
}

fn exists(program: &Path) -> bool {
    if program.is_absolute() {
        return program.is_file();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Attaches the runners to the executables of both sides, and adds a note.
pub(super) fn attach(builds: &mut Paired<Build>, runners: &Paired<Option<Runner>>) {
    for side in Side::BOTH {
        let build = builds.get_mut(side);
        for executable in &mut build.executables {
            executable.runner.clone_from(runners.get(side));
        }
        build.notes.extend(note(runners));
    }
}

/// What the report says about them, as a lower-case fragment.
fn note(runners: &Paired<Option<Runner>>) -> Option<String> {
    let typed = runners.as_ref().map(|runner| Some(&runner.as_ref()?.typed));
    match (&runners.base, &runners.head) {
        (Some(runner), Some(_)) if typed.base == typed.head => {
            Some(format!("{runner} starts the benchmarks of both sides"))
        }
        (None, None) => None,
        _ => {
            let [base, head] = [&runners.base, &runners.head].map(|runner| match runner {
                Some(runner) => format!("through {runner}"),
                None => "directly".to_owned(),
            });
            Some(format!("base starts its benchmarks {base}, head {head}"))
        }
    }
}

impl Executable {
    /// What starts it, as the user knows it.
    #[must_use]
    pub fn starter(&self) -> &str {
        match &self.runner {
            Some(runner) => &runner.typed,
            None => "no runner",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "x86_64-unknown-linux-gnu";

    fn resolved(config: &str, conditions: &[&str]) -> Option<Runner> {
        let temp = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(temp.path().join(".cargo")).unwrap();
        fs_err::write(temp.path().join(".cargo/config.toml"), config).unwrap();
        let files = cargo_config::files(temp.path());
        let conditions: Vec<Cfg> = conditions.iter().map(|it| it.parse().unwrap()).collect();
        let setting = of_table(&files, HOST).or_else(|| of_condition(&files, &conditions))?;
        let runner = setting.resolved(temp.path(), String::new())?;
        let inside = runner.program.strip_prefix(temp.path());
        Some(Runner {
            program: inside.unwrap_or(&runner.program).to_owned(),
            ..runner
        })
    }

    #[test]
    fn a_runner_is_words_or_a_list_and_a_path_begins_above_the_folder_of_its_file() {
        for (value, program, arguments) in [
            ("\"nice -n  5\"", "nice", &["-n", "5"][..]),
            ("[\"taskset\", \"-c\", \"1\"]", "taskset", &["-c", "1"]),
            (
                "\"tools/start.sh --quietly\"",
                "tools/start.sh",
                &["--quietly"],
            ),
            (
                "[\"my tools/start.sh\", \"a b\"]",
                "my tools/start.sh",
                &["a b"],
            ),
            ("\"/usr/bin/env\"", "/usr/bin/env", &[]),
        ] {
            let config = format!("[target.{HOST}]\nrunner = {value}");
            let runner = resolved(&config, &[]).unwrap();
            assert_eq!(runner.program, Path::new(program), "{value}");
            assert_eq!(runner.arguments, arguments, "{value}");
            let typed = [&[program][..], arguments].concat().join(" ");
            let named_in = format!("`target.{HOST}.runner` of .cargo/config.toml");
            assert_eq!(runner.to_string(), format!("`{typed}` ({named_in})"));
        }
        assert_eq!(
            resolved(&format!("[target.{HOST}]\nrunner = []"), &[]),
            None
        );
    }

    #[test]
    fn a_table_of_the_target_outranks_one_whose_condition_holds() {
        let unix = "[target.'cfg(all(unix, target_arch = \"x86_64\"))']\nrunner = \"nice\"\n\
                    [target.'cfg(windows)']\nrunner = \"start\"\n\
                    [target.aarch64-unknown-linux-gnu]\nrunner = \"qemu-aarch64\"\n";
        let here = ["unix", "target_arch=\"x86_64\""];
        let runner = resolved(unix, &here).unwrap();
        assert_eq!(runner.typed, "nice");
        assert_eq!(
            runner.named_in,
            "`target.'cfg(all(unix, target_arch = \"x86_64\"))'.runner` of .cargo/config.toml"
        );
        assert_eq!(resolved(unix, &["unix"]), None);
        let own = format!("{unix}[target.{HOST}]\nrunner = \"env\"");
        assert_eq!(resolved(&own, &here).unwrap().typed, "env");
        assert_eq!(shout(HOST), "X86_64_UNKNOWN_LINUX_GNU");
    }

    #[test]
    fn benchmarks_are_started_as_the_side_s_own_configuration_says_and_a_lack_is_an_error() {
        use super::super::build_selected;
        use super::super::tests::{World, only, selection};

        let world = World::new();
        let config = |runner: &str| format!("[target.'cfg(unix)']\nrunner = \"{runner}\"\n");
        world.put_both("tools/start.sh", "");
        world.put(
            Side::Head,
            ".cargo/config.toml",
            &config("tools/start.sh -q"),
        );
        let build = || {
            let checkouts = world.checkouts();
            build_selected(&checkouts, &selection(), None, &world.scratch, &|_| ())
        };
        let builds = build().unwrap();
        assert_eq!(only(&builds.base).runner, None);
        let runner = only(&builds.head).runner.as_ref().unwrap();
        let root = &builds.head.checkout.root;
        assert_eq!(runner.program, root.join("tools/start.sh"));
        let named = "`tools/start.sh -q` (`target.'cfg(unix)'.runner` of .cargo/config.toml)";
        let expected = format!("base starts its benchmarks directly, head through {named}");
        assert_eq!(builds.head.notes, [expected]);

        // What git ignores may lie in the repository's root, too.
        world.put(Side::Head, ".cargo/config.toml", &config("./start.sh"));
        let hint = build().unwrap_err().hint().unwrap();
        assert!(hint.contains("--carry start.sh"), "{hint}");

        world.put(
            Side::Head,
            ".cargo/config.toml",
            &config("no-such-program-anywhere"),
        );
        let hint = build().unwrap_err().hint().unwrap();
        assert!(hint.starts_with("install it"), "{hint}");

        world.put(Side::Head, ".cargo/config.toml", &config("tools/none.sh"));
        let error = build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the head side (c0ffee0) starts its benchmarks with `tools/none.sh` \
             (`target.'cfg(unix)'.runner` of .cargo/config.toml), which does not exist"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("--carry tools/none.sh"), "{hint}");
    }

    #[test]
    fn a_condition_may_hold_by_the_flags_of_the_project_alone() {
        use super::super::build_selected;
        use super::super::tests::{World, only, selection};

        let world = World::new();
        let config = "[target.'cfg(unix)']\nrustflags = [\"--cfg\", \"fast\"]\n\
                      [target.'cfg(fast)']\nrunner = \"env\"\n";
        world.put_both(".cargo/config.toml", config);
        let checkouts = world.checkouts();
        let builds =
            build_selected(&checkouts, &selection(), None, &world.scratch, &|_| ()).unwrap();
        assert_eq!(only(&builds.head).starter(), "env");
    }
}
