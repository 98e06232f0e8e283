//! What a side's manifests say: packages, bench targets, dependencies.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId, TargetKind};
use globset::Glob;

use crate::plan::Selection;
use crate::revision::Checkout;

use super::CriterionPackage;
use super::error::BuildError;
use super::tool::{Ask, Tools};

/// A package of the repository.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnPackage<'a> {
    pub(super) package: &'a Package,
    /// Of the workspace.
    pub(super) is_member: bool,
}

/// A side's workspace, as `cargo metadata` describes it.
#[derive(Debug)]
pub(super) struct Workspace {
    metadata: Metadata,
    /// The manifest that the plan names.
    manifest_path: PathBuf,
}

impl Workspace {
    /// Reads the manifests of the workspace alone; needs neither a lock file nor a network.
    pub(super) fn of_members(tools: &Tools<'_>, checkout: &Checkout) -> Result<Self, BuildError> {
        let ask = Ask::new("cargo", ["metadata", "--format-version=1", "--no-deps"]);
        Workspace::read(tools, checkout, &ask)
    }

    /// Reads the manifests of all packages that a build for `host` may need.
    pub(super) fn of_all(
        tools: &Tools<'_>,
        checkout: &Checkout,
        selection: &Selection,
        host: &str,
    ) -> Result<Self, BuildError> {
        let platform = selection.target.as_deref().unwrap_or(host);
        let words = [
            "metadata",
            "--format-version=1",
            "--filter-platform",
            platform,
        ]
        .map(str::to_owned)
        .into_iter()
        .chain(network_words(selection).map(str::to_owned))
        .chain(feature_words(selection));
        Workspace::read(tools, checkout, &Ask::new("cargo", words))
    }

    fn read(tools: &Tools<'_>, checkout: &Checkout, ask: &Ask) -> Result<Self, BuildError> {
        let stdout = tools.stdout(ask)?;
        let metadata =
            MetadataCommand::parse(&stdout).map_err(|source| BuildError::ToolOutput {
                at: tools.at.clone(),
                command: tools.typed(ask),
                source,
            })?;
        Ok(Workspace {
            metadata,
            manifest_path: checkout.manifest_path.clone(),
        })
    }

    /// The workspace's root folder.
    pub(super) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The names of all members, sorted.
    pub(super) fn member_names(&self) -> BTreeSet<&str> {
        self.members()
            .map(|package| package.name.as_str())
            .collect()
    }

    /// The manifests of all members.
    pub(super) fn member_manifests(&self) -> impl Iterator<Item = &Path> {
        self.members()
            .map(|package| package.manifest_path.as_std_path())
    }

    /// All members.
    pub(super) fn member_packages(&self) -> impl Iterator<Item = &Package> {
        self.members()
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        let ids: HashSet<&PackageId> = self.metadata.workspace_members.iter().collect();
        self.metadata
            .packages
            .iter()
            .filter(move |package| ids.contains(&package.id))
    }

    /// The members that `selection` selects, by cargo's rules.
    pub(super) fn selected(&self, selection: &Selection) -> Vec<&Package> {
        if selection.workspace {
            let excluded =
                |package: &&Package| !selection.exclude.iter().any(|spec| names(spec, package));
            return self.members().filter(excluded).collect();
        }
        if !selection.packages.is_empty() {
            let wanted =
                |package: &&Package| selection.packages.iter().any(|spec| names(spec, package));
            return self.members().filter(wanted).collect();
        }
        self.default_members()
    }

    fn default_members(&self) -> Vec<&Package> {
        let at_root = self.manifest_path.parent() == Some(self.root());
        let own = |package: &&Package| package.manifest_path == self.manifest_path;
        if !at_root {
            return self.members().filter(own).collect();
        }
        let defaults = &self.metadata.workspace_default_members;
        if defaults.is_available() {
            return self
                .members()
                .filter(|package| defaults.contains(&package.id))
                .collect();
        }
        // Cargo before 1.71 does not say: take the root package, or all members of a virtual workspace.
        let root: Vec<_> = self.members().filter(own).collect();
        if root.is_empty() {
            self.members().collect()
        } else {
            root
        }
    }

    /// The package with this id.
    pub(super) fn package(&self, id: &PackageId) -> Option<&Package> {
        self.metadata.packages.iter().find(|p| p.id == *id)
    }

    /// The features that a package is built with; `None` where cargo did not resolve them.
    pub(super) fn features(&self, id: &PackageId) -> Option<BTreeSet<&str>> {
        let nodes = &self.metadata.resolve.as_ref()?.nodes;
        let node = nodes.iter().find(|node| node.id == *id)?;
        Some(
            node.features
                .iter()
                .map(|feature| feature.as_str())
                .collect(),
        )
    }

    /// The packages that lie in `checkout`, by name, with their folders relative to it.
    pub(super) fn places_within(&self, checkout: &Path) -> BTreeMap<&str, &Path> {
        let inside = self.packages().iter().filter_map(|package| {
            let folder = package.manifest_path.as_std_path().parent()?;
            Some((package.name.as_str(), folder.strip_prefix(checkout).ok()?))
        });
        inside.collect()
    }

    /// The packages that lie in `checkout` and come from no registry.
    pub(super) fn own_packages<'a>(
        &'a self,
        checkout: &'a Path,
    ) -> impl Iterator<Item = OwnPackage<'a>> {
        let packages = self.packages().iter();
        packages
            .filter(move |package| {
                package.source.is_none() && package.manifest_path.starts_with(checkout)
            })
            .map(move |package| OwnPackage {
                package,
                is_member: self.metadata.workspace_members.contains(&package.id),
            })
    }

    /// Every package, members and dependencies.
    pub(super) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// Criterion, or a package in its place, nearest to `id` in the graph of dependencies: its own,
    /// or else that of a package that it depends on (a wrapper).
    pub(super) fn criterion(&self, id: &PackageId) -> Option<CriterionPackage> {
        let graph = self.graph()?;
        let mut seen = HashSet::from([id]);
        let mut level = vec![id];
        while !level.is_empty() {
            let next: Vec<&PackageId> = level
                .iter()
                .flat_map(|id| graph.get(id).into_iter().flatten().copied())
                .filter(|id| seen.insert(id))
                .collect();
            let found = next.iter().filter_map(|id| self.package(id));
            if let Some(found) = found.filter_map(criterion_of).next() {
                return Some(found);
            }
            level = next;
        }
        None
    }

    /// How many packages a build of `selected` may need, itself included.
    pub(super) fn reachable(&self, selected: &[&Package]) -> Option<usize> {
        let all = self.needed_by(selected.iter().map(|package| &package.id))?;
        Some(all.len())
    }

    /// The packages that a build of these may need, themselves included.
    pub(super) fn needed_by<'a>(
        &'a self,
        packages: impl IntoIterator<Item = &'a PackageId>,
    ) -> Option<HashSet<&'a PackageId>> {
        let graph = self.graph()?;
        let mut seen: HashSet<&PackageId> = packages.into_iter().collect();
        let mut open: Vec<&PackageId> = seen.iter().copied().collect();
        while let Some(id) = open.pop() {
            let next = graph.get(id).into_iter().flatten().copied();
            open.extend(next.filter(|id| seen.insert(id)));
        }
        Some(seen)
    }

    /// What each package depends on: development dependencies count for members only, as in a build.
    fn graph(&self) -> Option<HashMap<&PackageId, Vec<&PackageId>>> {
        let members: HashSet<&PackageId> = self.metadata.workspace_members.iter().collect();
        let resolve = self.metadata.resolve.as_ref()?;
        let edges = resolve.nodes.iter().map(|node| {
            let needed = node.deps.iter().filter(|dep| {
                members.contains(&node.id)
                    || dep.dep_kinds.is_empty()
                    || dep
                        .dep_kinds
                        .iter()
                        .any(|kind| kind.kind != DependencyKind::Development)
            });
            (&node.id, needed.map(|dep| &dep.pkg).collect())
        });
        Some(edges.collect())
    }
}

/// Packages that benchmarks use under the name of Criterion.
const CRITERIONS: [&str; 3] = ["criterion", "criterion2", "codspeed-criterion-compat"];

fn criterion_of(package: &Package) -> Option<CriterionPackage> {
    let name = package.name.as_str();
    CRITERIONS.contains(&name).then(|| CriterionPackage {
        name: name.to_owned(),
        version: package.version.to_string(),
    })
}

/// The names of a package's bench targets.
pub(super) fn benches(package: &Package) -> impl Iterator<Item = &cargo_metadata::Target> {
    package
        .targets
        .iter()
        .filter(|target| target.is_kind(TargetKind::Bench))
}

/// Cargo's flags about the lock file and the network.
pub(super) fn network_words(selection: &Selection) -> impl Iterator<Item = &'static str> {
    [
        (selection.locked, "--locked"),
        (selection.offline, "--offline"),
        (selection.frozen, "--frozen"),
    ]
    .into_iter()
    .filter_map(|(set, word)| set.then_some(word))
}

/// Cargo's flags about features.
pub(super) fn feature_words(selection: &Selection) -> Vec<String> {
    let mut words = Vec::new();
    if !selection.features.is_empty() {
        words.extend(["--features".to_owned(), selection.features.join(",")]);
    }
    if selection.all_features {
        words.push("--all-features".to_owned());
    }
    if selection.no_default_features {
        words.push("--no-default-features".to_owned());
    }
    words
}

/// Whether a package specification (`-p`) is a mere name, not a pattern, version or address.
pub(super) fn is_plain_name(spec: &str) -> bool {
    spec.chars()
        .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// Whether `spec` (a name, a pattern, `name@version`, `name:version` or an address) names `package`.
pub(super) fn names(spec: &str, package: &Package) -> bool {
    if is_plain_name(spec) {
        return package.name.as_str() == spec;
    }
    let version = package.version.to_string();
    let named = |separator| {
        spec.split_once(separator)
            .is_some_and(|(name, v)| package.name.as_str() == name && version.starts_with(v))
    };
    package.id.repr == spec
        || named('@')
        || named(':')
        || Glob::new(spec).is_ok_and(|glob| glob.compile_matcher().is_match(package.name.as_str()))
        || spec
            .rsplit_once('#')
            .is_some_and(|(_, fragment)| fragment.split('@').next() == Some(package.name.as_str()))
}

/// The names among `known` that are most like `name`, at most three, the nearest first.
pub(super) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// The folder of a package.
pub(super) fn folder(package: &Package) -> PathBuf {
    let folder = package.manifest_path.parent();
    folder.unwrap_or(&package.manifest_path).into()
}
