//! The flags that cargo gives rustc: a `cfg(…)` of the configuration may depend on them (`-C target-cpu=native`).

use std::env;

use cargo_platform::Cfg;
use toml::Value;

use super::cargo_config::{ConfigFile, holds, shout, words};

/// Where cargo looks for flags. Of variables, tables of targets, and `build`, only the first that has any counts.
pub(super) struct FlagSources<'a> {
    /// A variable's value.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The most important first.
    pub(super) files: &'a [ConfigFile],
    /// The name of the target.
    pub(super) target: &'a str,
}

/// A variable of this process.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

impl FlagSources<'_> {
    /// The flags; `conditions` are the target's `cfg`s. Before these are known, no table for a `cfg(…)` counts, not
    /// even one for `cfg(not(…))`.
    pub(super) fn flags(&self, conditions: Option<&[Cfg]>) -> Vec<String> {
        if let Some(encoded) = (self.variable)("CARGO_ENCODED_RUSTFLAGS") {
            let flags = encoded.split('\x1f').filter(|flag| !flag.is_empty());
            return flags.map(str::to_owned).collect();
        }
        if let Some(plain) = (self.variable)("RUSTFLAGS") {
            return words(&Value::String(plain));
        }
        let mut of_target = self.listed(&["target", self.target, "rustflags"]);
        of_target
            .extend(self.of_variable(&format!("CARGO_TARGET_{}_RUSTFLAGS", shout(self.target))));
        for key in self.conditions_of_tables() {
            if conditions.is_some_and(|conditions| holds(key, conditions)) {
                of_target.extend(self.listed(&["target", key, "rustflags"]));
            }
        }
        if !of_target.is_empty() {
            return of_target;
        }
        let mut of_build = self.listed(&["build", "rustflags"]);
        of_build.extend(self.of_variable("CARGO_BUILD_RUSTFLAGS"));
        of_build
    }

    /// Whether they depend on the target's `cfg`s.
    pub(super) fn have_conditions(&self) -> bool {
        !self.conditions_of_tables().is_empty()
    }

    /// The lists of all files, the most important last: of two flags that contradict each other the last one
    /// counts. A string replaces the values of files that are further away.
    fn listed(&self, keys: &[&str]) -> Vec<String> {
        let mut values = Vec::new();
        for value in self.files.iter().filter_map(|file| file.get(keys)) {
            values.push(value);
            if value.is_str() {
                break;
            }
        }
        values.into_iter().rev().flat_map(words).collect()
    }

    fn of_variable(&self, name: &str) -> Vec<String> {
        let value = (self.variable)(name);
        value.map_or_else(Vec::new, |value| words(&Value::String(value)))
    }

    /// Each once.
    fn conditions_of_tables(&self) -> Vec<&str> {
        let tables = self
            .files
            .iter()
            .filter_map(|file| file.get(&["target"])?.as_table());
        let mut keys: Vec<&str> = tables
            .flatten()
            .filter(|(key, table)| key.starts_with("cfg(") && table.get("rustflags").is_some())
            .map(|(key, _)| key.as_str())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::super::cargo_config;
    use super::*;

    const HOST: &str = "x86_64-unknown-linux-gnu";

    fn flags(config: &str, variables: &[(&str, &str)], conditions: &[&str]) -> String {
        let conditions: Vec<Cfg> = conditions.iter().map(|it| it.parse().unwrap()).collect();
        flags_of(["", config], variables, Some(&conditions))
    }

    /// The nearer file is the second one.
    fn flags_of(
        configs: [&str; 2],
        variables: &[(&str, &str)],
        conditions: Option<&[Cfg]>,
    ) -> String {
        let temp = tempfile::tempdir().unwrap();
        let near = temp.path().join("near");
        for (folder, config) in [temp.path(), &near].into_iter().zip(configs) {
            fs_err::create_dir_all(folder.join(".cargo")).unwrap();
            fs_err::write(folder.join(".cargo/config.toml"), config).unwrap();
        }
        let variable = |name: &str| {
            let mut set = variables.iter().filter(|(own, _)| *own == name);
            set.next().map(|(_, value)| (*value).to_owned())
        };
        let sources = FlagSources {
            variable: &variable,
            files: &cargo_config::files(&near),
            target: HOST,
        };
        sources.flags(conditions).join(" ")
    }

    #[test]
    fn flags_come_from_variables_else_from_the_target_s_tables_else_from_build() {
        let build = "[build]\nrustflags = [\"-Cbuild\"]\n";
        let target = format!(
            "{build}[target.{HOST}]\nrustflags = \"-C target-cpu=native\"\n\
             [target.'cfg(unix)']\nrustflags = [\"-Cunix\"]\n"
        );
        assert_eq!(flags(build, &[], &[]), "-Cbuild");
        assert_eq!(flags(&target, &[], &[]), "-C target-cpu=native");
        assert_eq!(
            flags(&target, &[], &["unix"]),
            "-C target-cpu=native -Cunix"
        );
        let plain = ("RUSTFLAGS", "-C  plain");
        assert_eq!(flags(&target, &[plain], &["unix"]), "-C plain");
        let encoded = ("CARGO_ENCODED_RUSTFLAGS", "-C\x1fencoded");
        assert_eq!(flags(&target, &[plain, encoded], &[]), "-C encoded");
        let own = ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Cown");
        assert_eq!(flags(build, &[own], &[]), "-Cown");
        assert_eq!(
            flags(build, &[("CARGO_BUILD_RUSTFLAGS", "-Cmore")], &[]),
            "-Cbuild -Cmore"
        );
    }

    #[test]
    fn no_table_for_a_condition_counts_before_it_is_known_what_holds() {
        for key in ["cfg(not(unix))", "cfg(all())"] {
            let config = format!(
                "[build]\nrustflags = \"-Cbuild\"\n[target.'{key}']\nrustflags = [\"-Ctable\"]\n"
            );
            assert_eq!(flags_of(["", &config], &[], None), "-Cbuild", "{key}");
            assert_eq!(flags(&config, &[], &[]), "-Ctable", "{key}");
        }
    }

    #[test]
    fn lists_of_all_files_are_joined_and_a_string_replaces_those_further_away() {
        let of = |far: &str, near: &str| {
            let config = |value: &str| format!("[build]\nrustflags = {value}\n");
            flags_of([&config(far), &config(near)], &[], Some(&[]))
        };
        assert_eq!(of("[\"-Cfar\"]", "[\"-Cnear\"]"), "-Cfar -Cnear");
        assert_eq!(of("\"-Cfar\"", "\"-Cnear -Cown\""), "-Cnear -Cown");
    }
}
