//! Finding and reading the layers: `PERFCHECK_*`, then `perfcheck.toml`, then the manifests.

use std::path::{Path, PathBuf};

use super::super::{Environment, PlanError};
use super::entry::{EntryKey, EntryKind, EntryScope};
use super::key::{self, Arity, Key};
use super::text::LayerValue;
use super::{
    Configuration, ConfiguredValue, FILE_NAME, ValueOrigin, budgets, rules, services,
    workload_metrics, workloads,
};

/// The keys that hold lists of entries, not options.
const LISTS: [&str; 4] = [rules::KEY, budgets::KEY, workloads::KEY, services::KEY];

const WORKSPACE_TABLE: &str = "workspace.metadata.perfcheck";
const PACKAGE_TABLE: &str = "package.metadata.perfcheck";

impl Configuration {
    pub(super) fn read_variables(&mut self, environment: &Environment) -> Result<(), PlanError> {
        let known = key::known();
        for key in &known {
            let name = key.variable();
            let Some(text) = environment.variable(&name) else {
                continue;
            };
            let value = LayerValue::from_variable(key, text).map_err(|problem| {
                PlanError::InvalidValue {
                    origin: format!("${name}"),
                    value: text.to_owned(),
                    problem: problem.to_owned(),
                }
            })?;
            self.settings.push(ConfiguredValue {
                key: key.name.clone(),
                value,
                origin: ValueOrigin::Variable(name),
            });
        }
        let names: Vec<String> = known.iter().map(Key::variable).collect();
        let strange = environment.variables.keys().filter(|name| {
            name.starts_with("PERFCHECK_") && *name != key::SKIP_VARIABLE && !names.contains(name)
        });
        for name in strange {
            // Warn about misspellings only: other programs may use variables with this prefix, too.
            if let Some(meant) = key::nearest(name, names.iter().map(String::as_str)) {
                self.warnings.push(format!(
                    "environment variable `{name}` is not known; `{meant}` is"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn read_files(&mut self, manifest_path: &Path) -> Result<(), PlanError> {
        let workspace = match ConfiguredWorkspace::of(manifest_path) {
            Ok(workspace) => workspace,
            Err(problem) => {
                // Two committed revisions can be compared while the checkout's manifest is broken.
                self.warnings.push(format!(
                    "configuration in manifests was not read, since cargo cannot read `{}`: {problem}",
                    manifest_path.display()
                ));
                ConfiguredWorkspace::alone(manifest_path)
            }
        };
        // Rules are applied weakest first, settings are looked up strongest first.
        let file = configuration_file(&workspace.root);
        let from_file = if file.is_file() {
            let text = fs_err::read_to_string(&file)
                .map_err(|source| PlanError::ConfigUnreadable { source })?;
            let table: toml::Table =
                text.parse()
                    .map_err(|source: toml::de::Error| PlanError::ConfigSyntax {
                        path: file.clone(),
                        problem: source.to_string(),
                    })?;
            Some(table)
        } else {
            None
        };
        for (path, package, table) in &workspace.member_tables {
            self.read_member(path, package, table)?;
        }
        if let Some((path, name, table)) = &workspace.root_table {
            self.read_table(
                table,
                ValueOrigin::File {
                    path: path.clone(),
                    table: Some(name),
                },
            )?;
        }
        if let Some(table) = from_file {
            // The file outranks the manifests: settings already read from those move behind it.
            let from_manifests = self.settings_from_files();
            self.read_table(
                &table,
                ValueOrigin::File {
                    path: file,
                    table: None,
                },
            )?;
            self.settings.extend(from_manifests);
        }
        Ok(())
    }

    /// Takes out the settings that do not come from variables.
    fn settings_from_files(&mut self) -> Vec<ConfiguredValue> {
        let is_variable =
            |setting: &ConfiguredValue| matches!(setting.origin, ValueOrigin::Variable(_));
        let (variables, files) = self.settings.drain(..).partition(is_variable);
        self.settings = variables;
        files
    }

    /// Reads a table that applies to the whole workspace.
    fn read_table(&mut self, table: &toml::Table, origin: ValueOrigin) -> Result<(), PlanError> {
        let known = key::known();
        for (name, value) in table {
            if LISTS.contains(&name.as_str()) {
                self.read_list(name, value, EntryScope::Workspace, &origin)?;
            } else if let Some(key) = known.iter().find(|key| key.name == *name) {
                let value = LayerValue::from_toml(key, value).map_err(|problem| {
                    PlanError::InvalidValue {
                        origin: format!("`{name}` in {origin}"),
                        value: value.to_string(),
                        problem: problem.to_owned(),
                    }
                })?;
                self.settings.push(ConfiguredValue {
                    key: name.clone(),
                    value: relative_to(&origin, key, value),
                    origin: origin.clone(),
                });
            } else {
                let names = known.iter().map(|key| key.name.as_str());
                self.warn_unknown(name, names.chain(LISTS), &origin);
            }
        }
        Ok(())
    }

    /// Reads a member's table, which applies to that member's benchmarks only: the keys of a rule, and rules.
    fn read_member(
        &mut self,
        path: &Path,
        package: &str,
        table: &toml::Table,
    ) -> Result<(), PlanError> {
        let origin = ValueOrigin::File {
            path: path.to_owned(),
            table: Some(PACKAGE_TABLE),
        };
        let mut own = table.clone();
        let nested = LISTS.map(|list| (list, own.remove(list)));
        self.read_rule(&own, EntryScope::Package(package), &origin)?;
        for (list, nested) in nested {
            if let Some(nested) = nested {
                self.read_list(list, &nested, EntryScope::Package(package), &origin)?;
            }
        }
        Ok(())
    }

    /// `[[benchmark]]`, `[[budget]]` or `[[workload]]`.
    fn read_list(
        &mut self,
        list: &str,
        value: &toml::Value,
        scope: EntryScope<'_>,
        origin: &ValueOrigin,
    ) -> Result<(), PlanError> {
        let tables: Option<Vec<&toml::Table>> = value
            .as_array()
            .and_then(|items| items.iter().map(toml::Value::as_table).collect());
        let Some(tables) = tables else {
            return Err(PlanError::InvalidValue {
                origin: format!("`{list}` in {origin}"),
                value: value.to_string(),
                problem: format!("its entries are written `[[{list}]]`"),
            });
        };
        tables.into_iter().try_for_each(|table| match list {
            budgets::KEY => self.read_budget(table, scope, origin),
            workloads::KEY => self.read_workload(table, scope, origin),
            services::KEY => self.read_service(table, scope, origin),
            _ => self.read_rule(table, scope, origin),
        })
    }

    fn read_rule(
        &mut self,
        table: &toml::Table,
        scope: EntryScope<'_>,
        origin: &ValueOrigin,
    ) -> Result<(), PlanError> {
        self.warn_of_strange_keys(table, rules::KEYS, origin);
        self.rules.push(rules::read(table, scope, origin)?);
        Ok(())
    }

    fn read_budget(
        &mut self,
        table: &toml::Table,
        scope: EntryScope<'_>,
        origin: &ValueOrigin,
    ) -> Result<(), PlanError> {
        self.warn_of_strange_keys(table, &budgets::keys(), origin);
        self.budgets.push(budgets::read(table, scope, origin)?);
        Ok(())
    }

    fn read_workload(
        &mut self,
        table: &toml::Table,
        scope: EntryScope<'_>,
        origin: &ValueOrigin,
    ) -> Result<(), PlanError> {
        self.warn_of_strange_keys(table, workloads::KEYS, origin);
        for workload in workloads::read(table, scope, origin)? {
            let mut others = self.workloads.iter();
            if others.any(|(other, _)| other.name == workload.name) {
                return Err(PlanError::InvalidValue {
                    origin: format!("`name` of a workload in {origin}"),
                    value: workload.name,
                    problem: "another workload has this name".to_owned(),
                });
            }
            let limits = workload_metrics::limits(&workload.metrics);
            if !limits.is_empty() {
                let budget = budgets::of_workload(&workload.name, limits, scope, origin)?;
                self.budgets.push(budget);
            }
            self.workloads.push((workload, origin.clone()));
        }
        Ok(())
    }

    fn read_service(
        &mut self,
        table: &toml::Table,
        scope: EntryScope<'_>,
        origin: &ValueOrigin,
    ) -> Result<(), PlanError> {
        self.warn_of_strange_keys(table, &services::keys(), origin);
        let service = services::read(table, scope, origin)?;
        let mut others = self.services.iter();
        if others.any(|(other, _)| other.name == service.name) {
            return Err(PlanError::InvalidValue {
                origin: format!("`name` of a service in {origin}"),
                value: service.name,
                problem: "another service has this name".to_owned(),
            });
        }
        self.services.push((service, origin.clone()));
        Ok(())
    }

    fn warn_of_strange_keys(
        &mut self,
        table: &toml::Table,
        known: &[EntryKey],
        origin: &ValueOrigin,
    ) {
        let names = || known.iter().map(|key| key.name);
        let is_strange = |name: &&String| names().all(|known| known != name.as_str());
        for name in table.keys().filter(is_strange) {
            self.warn_unknown(name, names(), origin);
        }
        for (key, inner) in known
            .iter()
            .filter_map(|key| Some((key, table.get(key.name)?)))
        {
            let inner = match key.kind {
                EntryKind::Table(keys) => Some((keys, std::slice::from_ref(inner))),
                EntryKind::Tables(keys) => inner.as_array().map(|list| (keys, list.as_slice())),
                _ => None,
            };
            let Some((keys, tables)) = inner else {
                continue;
            };
            for table in tables.iter().filter_map(toml::Value::as_table) {
                self.warn_of_strange_keys(table, keys, origin);
            }
        }
    }

    fn warn_unknown<'a>(
        &mut self,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
        origin: &ValueOrigin,
    ) {
        let meant = key::nearest(name, known)
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        self.warnings
            .push(format!("unknown key `{name}` in {origin}{meant}"));
    }
}

/// The file beside the workspace's manifest. A nested workspace without one uses the nearest file in the folders
/// above, within the repository.
fn configuration_file(root: &Path) -> PathBuf {
    let own = root.join(FILE_NAME);
    let is_top = |folder: &&Path| folder.join(".git").exists();
    let Some(top) = root.ancestors().find(is_top) else {
        return own;
    };
    let folders = root
        .ancestors()
        .take_while(|folder| folder.starts_with(top));
    let mut files = folders.map(|folder| folder.join(FILE_NAME));
    files.find(|file| file.is_file()).unwrap_or(own)
}

/// A path in a file is relative to that file, whatever the current folder is.
fn relative_to(origin: &ValueOrigin, key: &Key, value: LayerValue) -> LayerValue {
    let is_path = matches!(
        key.name.as_str(),
        "output" | "report-dir" | "target-dir" | "artifacts" | "history"
    );
    match (origin, value) {
        (ValueOrigin::File { path, .. }, LayerValue::Texts(texts))
            if is_path && key.arity != Arity::Switch =>
        {
            let folder = path.parent().unwrap_or(Path::new(""));
            let absolute = |text: String| match text.as_str() {
                "-" => text,
                _ => folder.join(&text).to_string_lossy().into_owned(),
            };
            LayerValue::Texts(texts.into_iter().map(absolute).collect())
        }
        (_, value) => value,
    }
}

/// Where a workspace keeps its configuration.
struct ConfiguredWorkspace {
    root: PathBuf,
    /// The root manifest's table and its name.
    root_table: Option<(PathBuf, &'static str, toml::Table)>,
    /// The manifest, name and table of every other member that has one.
    member_tables: Vec<(PathBuf, String, toml::Table)>,
}

impl ConfiguredWorkspace {
    fn alone(manifest_path: &Path) -> ConfiguredWorkspace {
        ConfiguredWorkspace {
            root: manifest_path.parent().unwrap_or(Path::new("")).to_owned(),
            root_table: None,
            member_tables: Vec::new(),
        }
    }

    /// Asks cargo; without dependencies, so neither the network nor a lock file is touched.
    fn of(manifest_path: &Path) -> Result<ConfiguredWorkspace, String> {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(manifest_path)
            .no_deps()
            .exec()
            .map_err(|error| error.to_string().trim().to_owned())?;
        let root: PathBuf = metadata.workspace_root.into();
        let root_manifest = root.join("Cargo.toml");
        let mut root_table = perfcheck_table(&metadata.workspace_metadata)
            .map(|table| (root_manifest.clone(), WORKSPACE_TABLE, table));
        let mut member_tables = Vec::new();
        for package in metadata.packages {
            let Some(table) = perfcheck_table(&package.metadata) else {
                continue;
            };
            let manifest: PathBuf = package.manifest_path.into();
            // For most projects with a single package, the package at the root is the workspace.
            if manifest == root_manifest && root_table.is_none() {
                root_table = Some((manifest, PACKAGE_TABLE, table));
            } else {
                member_tables.push((manifest, package.name.to_string(), table));
            }
        }
        Ok(ConfiguredWorkspace {
            root,
            root_table,
            member_tables,
        })
    }
}

fn perfcheck_table(metadata: &serde_json::Value) -> Option<toml::Table> {
    toml::Table::try_from(metadata.get("perfcheck")?).ok()
}
