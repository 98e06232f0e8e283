//! Line tables and symbols of the repository's own crates, where settings of single packages take them away.
//!
//! The profile's variables ask for them, and `[profile.bench.package."*"] debug = false` outranks those. It is meant for
//! dependencies, and also holds for crates of the repository that are no members. Crates from elsewhere stay as the
//! project wants them.

use std::iter;

use toml::{Table, Value};

use super::cargo_config::ConfigFile;
use super::workspace::{OwnPackage, names};

/// The key of what holds for all packages that are no members of the workspace.
const OTHERS: &str = "*";

/// What of a package's settings hides its source, and what shows it.
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

/// Values for cargo's `--config` that give these packages line tables and symbols in `profile`, where the
/// manifest of the workspace or a configuration file takes them away.
pub(super) fn kept<'a>(
    profile: &str,
    manifest: &Table,
    files: &[ConfigFile],
    packages: impl Iterator<Item = OwnPackage<'a>>,
) -> Vec<String> {
    let manifests = iter::once(manifest).chain(files.iter().map(ConfigFile::table));
    let settings = PackageOverrides::of(profile, &manifests.collect::<Vec<_>>());
    let mut values: Vec<String> = packages
        .flat_map(|own| settings.values(profile, own))
        .collect();
    values.sort();
    values.dedup();
    values
}

/// The settings of single packages in a profile, the nearest first.
struct PackageOverrides<'a>(Vec<&'a Table>);

impl<'a> PackageOverrides<'a> {
    /// With those of all profiles that it inherits from.
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
        // Cargo refuses two that name one package.
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
