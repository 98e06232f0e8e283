//! Line tables and symbols of the repository's own crates, where settings of single packages take them away.
//!
//! perfcheck asks for them through the profile's variables, but `[profile.bench.package."*"] debug = false`
//! outranks those. That setting is meant for dependencies, but also applies to crates of the repository that are
//! not members. Crates from elsewhere stay as the project wants them.

use toml::{Table, Value};

use super::cargo_config::ConfigFile;
use super::cargo_version::CargoVersion;
use super::workspace::{OwnPackage, names};
use crate::units::{Paired, Side};

/// The key for all packages that are not members of the workspace.
const OTHERS: &str = "*";

/// The settings of a package that hide its lines or symbols, and the values that show them.
const SETTINGS: [HidingSetting; 3] = [
    HidingSetting {
        key: "debug",
        hides: hides_lines,
        instead: "1",
    },
    HidingSetting {
        key: "strip",
        hides: |value| *value != Value::Boolean(false) && value.as_str() != Some("none"),
        instead: "\"none\"",
    },
    HidingSetting {
        key: "split-debuginfo",
        hides: |value| value.as_str() != Some("off"),
        instead: "\"off\"",
    },
];

struct HidingSetting {
    key: &'static str,
    hides: fn(&Value) -> bool,
    instead: &'static str,
}

fn hides_lines(debug: &Value) -> bool {
    match debug {
        Value::String(level) => ["none", "line-directives-only"].contains(&level.as_str()),
        level => [Value::Boolean(false), Value::Integer(0)].contains(level),
    }
}

/// What keeps the lines and symbols of the repository's own crates.
#[derive(Debug)]
pub(super) struct LineTables {
    /// For `--config`.
    values: Vec<String>,
    /// The version of a cargo that lacks `--config`.
    too_old: Option<String>,
}

impl LineTables {
    /// For these packages in `profile`, where the manifest of the workspace or a configuration file takes lines and
    /// symbols away; `cargo` is the output of `cargo --version`.
    pub(super) fn of<'a>(
        profile: &str,
        manifest: &Table,
        files: &[ConfigFile],
        packages: impl Iterator<Item = OwnPackage<'a>>,
        cargo: &str,
    ) -> LineTables {
        // A profile of the configuration outranks the same profile of the manifest.
        let tables = files.iter().map(ConfigFile::table).chain([manifest]);
        let settings = PackageOverrides::of(profile, &tables.collect::<Vec<_>>());
        let mut values: Vec<String> = packages
            .flat_map(|own| settings.values(profile, own))
            .collect();
        values.sort();
        values.dedup();
        let knows = CargoVersion::of(cargo).is_none_or(CargoVersion::has_config_option);
        LineTables {
            values,
            too_old: (!knows).then(|| cargo.to_owned()),
        }
    }

    /// The arguments for cargo.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let told = self.values.iter().filter(|_| self.too_old.is_none());
        told.flat_map(|value| ["--config", value])
    }

    /// The cargo that cannot be told.
    fn lacking(&self) -> Option<&str> {
        let cargo = self.too_old.as_deref();
        cargo.filter(|_| !self.values.is_empty())
    }
}

/// What the report says if cargo lacks the option, as a lower-case fragment.
pub(super) fn note(tables: &Paired<LineTables>) -> Option<String> {
    let lacking = tables.as_ref().map(LineTables::lacking);
    let (sides, cargo) = match (lacking.base, lacking.head) {
        (None, None) => return None,
        (Some(cargo), None) => (Side::Base.name(), cargo.to_owned()),
        (None, Some(cargo)) => (Side::Head.name(), cargo.to_owned()),
        (Some(base), Some(head)) if base == head => ("both sides", base.to_owned()),
        (Some(base), Some(head)) => ("both sides", format!("{base} and {head}")),
    };
    Some(format!(
        "profiles and changed functions of {sides} may lack lines: the project turns them off for some of its \
         packages, and {cargo} cannot turn them on (`--config`); use cargo 1.63 or later on {sides}"
    ))
}

/// The settings of single packages in a profile, the nearest first.
struct PackageOverrides<'a>(Vec<&'a Table>);

impl<'a> PackageOverrides<'a> {
    /// Includes those of all profiles that it inherits from.
    fn of(profile: &str, manifests: &[&'a Table]) -> PackageOverrides<'a> {
        let mut found = Vec::new();
        let mut next = Some(profile.to_owned());
        let mut seen = Vec::new();
        while let Some(name) = next.filter(|name| !seen.contains(name)) {
            let profiles = manifests.iter().filter_map(|manifest| {
                let profiles = manifest.get("profile")?.as_table()?;
                profiles.get(&name)?.as_table()
            });
            let profiles: Vec<&Table> = profiles.collect();
            let packages = profiles
                .iter()
                .filter_map(|it| it.get("package")?.as_table());
            found.extend(packages);
            let parent = profiles.iter().find_map(|it| it.get("inherits")?.as_str());
            next = match (parent, &*name) {
                (Some(parent), _) => Some(parent.to_owned()),
                (None, "bench") => Some("release".to_owned()),
                (None, "test") => Some("dev".to_owned()),
                (None, _) => None,
            };
            seen.push(name);
        }
        PackageOverrides(found)
    }

    fn values(&self, profile: &str, own: OwnPackage<'_>) -> Vec<String> {
        let OwnPackage { package, is_member } = own;
        let mut specs = self.0.iter().flat_map(|table| table.keys());
        // Cargo refuses two entries that name one package.
        let named = specs.find(|spec| *spec != OTHERS && names(spec, package));
        let spec = named.map_or(package.name.as_str(), String::as_str);
        let others = (!is_member).then_some(OTHERS);
        let hidden = SETTINGS.iter().filter(|setting| {
            let look = |spec: &str| {
                self.0
                    .iter()
                    .find_map(|table| table.get(spec)?.get(setting.key))
            };
            let value = named
                .and_then(|spec| look(spec))
                .or_else(|| others.and_then(look));
            value.is_some_and(setting.hides)
        });
        hidden
            .map(|setting| {
                format!(
                    "profile.{profile}.package.\"{spec}\".{}={}",
                    setting.key, setting.instead
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::Package;

    use super::super::cargo_config;
    use super::*;

    const CARGO: &str = "cargo 1.96.0 (abc 2026-01-01)";

    fn demo() -> Package {
        serde_json::from_value(serde_json::json!({
            "name": "demo",
            "version": "0.1.0",
            "id": "path+file:///demo#0.1.0",
            "dependencies": [],
            "targets": [],
            "features": {},
            "manifest_path": "/demo/Cargo.toml",
        }))
        .unwrap()
    }

    fn settings(manifest: &str, config: &str, cargo: &str) -> LineTables {
        let temp = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(temp.path().join(".cargo")).unwrap();
        fs_err::write(temp.path().join(".cargo/config.toml"), config).unwrap();
        let files = cargo_config::files(temp.path());
        let package = demo();
        let own = OwnPackage {
            package: &package,
            is_member: true,
        };
        let manifest = manifest.parse().unwrap();
        LineTables::of("bench", &manifest, &files, [own].into_iter(), cargo)
    }

    #[test]
    fn a_setting_of_the_configuration_outranks_one_of_the_manifest() {
        let debug = |value: &str| format!("[profile.bench.package.demo]\ndebug = {value}");
        let words = |manifest: &str, config: &str| {
            let settings = settings(&debug(manifest), &debug(config), CARGO);
            settings.words().map(str::to_owned).collect::<Vec<_>>()
        };
        let told = "profile.bench.package.\"demo\".debug=1";
        assert_eq!(words("1", "false"), ["--config", told]);
        assert_eq!(words("false", "1"), [""; 0]);
    }

    #[test]
    fn a_cargo_without_the_option_is_not_given_it_and_a_note_says_so() {
        let hidden = "[profile.bench.package.demo]\ndebug = false";
        assert_eq!(settings(hidden, "", "cargo 1.62.1").words().count(), 0);
        let note_of = |manifest: &str, base: &str, head: &str| {
            note(&Paired::new(base, head).map(|cargo| settings(manifest, "", cargo)))
        };
        assert_eq!(
            note_of(hidden, "cargo 1.62.1", CARGO).unwrap(),
            "profiles and changed functions of base may lack lines: the project turns them off for some of its \
             packages, and cargo 1.62.1 cannot turn them on (`--config`); use cargo 1.63 or later on base"
        );
        let both = note_of(hidden, "cargo 1.62.1", "cargo 1.62.1").unwrap();
        assert!(both.contains("and cargo 1.62.1 cannot"), "{both}");
        assert!(
            both.ends_with("use cargo 1.63 or later on both sides"),
            "{both}"
        );
        let both = note_of(hidden, "cargo 1.62.1", "cargo 1.60.0").unwrap();
        assert!(
            both.contains("and cargo 1.62.1 and cargo 1.60.0 cannot"),
            "{both}"
        );
        assert_eq!(note_of(hidden, CARGO, CARGO), None);
        assert_eq!(note_of("", "cargo 1.62.1", "cargo 1.62.1"), None);
    }
}
