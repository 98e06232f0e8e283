//! Benchmarks in other packages of the repository than the selected ones: a nested package that is its own
//! workspace, one that the workspace excludes, a member that is not a default member.

use std::path::{Path, PathBuf};

use cargo_metadata::Target;
use toml::{Table, Value};

use crate::plan::{BenchmarkNeed, Plan, RangeSpec};
use crate::revision::{self, Checkout};
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Side};

use super::error::BuildError;
use super::tool::Tools;
use super::workspace::{Workspace, benches};

/// Folders whose packages are test data of the project, or come from others.
const NOT_THE_PROJECT_S: [&str; 7] = [
    "examples",
    "fixtures",
    "testdata",
    "tests",
    "third-party",
    "third_party",
    "vendor",
];

/// What a manifest says of its package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Manifest {
    /// Relative to the repository's root.
    path: PathBuf,
    package: Option<String>,
    /// Its bench targets with `harness = false`: the others use the built-in harness.
    benches: Vec<String>,
}

impl Manifest {
    fn parse(path: PathBuf, text: &str) -> Option<Manifest> {
        let table: Table = text.parse().ok()?;
        let package = table.get("package").and_then(|package| package.get("name"));
        let is = |bench: &Value, key: &str, value: bool| {
            bench.get(key).and_then(Value::as_bool) == Some(value)
        };
        let benches = table.get("bench").and_then(Value::as_array);
        let benches = benches.into_iter().flatten();
        let own = benches.filter(|b| is(b, "harness", false) && !is(b, "bench", false));
        Some(Manifest {
            package: package.and_then(Value::as_str).map(str::to_owned),
            benches: own
                .filter_map(|bench| Some(bench.get("name")?.as_str()?.to_owned()))
                .collect(),
            path,
        })
    }

    /// Whether it has a benchmark and, if some were asked for by name, one of these.
    fn serves(&self, wanted: &[String]) -> bool {
        let named = |wanted: &String| {
            wanted.contains(['*', '?', '[']) || self.benches.iter().any(|bench| bench == wanted)
        };
        !self.benches.is_empty() && (wanted.is_empty() || wanted.iter().any(named))
    }
}

/// Where benchmarks are.
#[derive(Debug, PartialEq, Eq)]
enum BenchmarkPackages {
    Nowhere,
    /// In one package, with its manifest on each side.
    Here(Paired<PathBuf>),
    /// In several packages of both sides; their manifests on the head side.
    Several(Vec<PathBuf>),
    /// In a package that only one side has.
    OneSided(Side, PathBuf),
}

/// Looks through the manifests of both sides. A package is the same on both sides if it has the same path or the
/// same name.
fn find(sides: Paired<&[Manifest]>, wanted: &[String]) -> BenchmarkPackages {
    let partner = |one: &Manifest, others: &[Manifest]| {
        let mut same_place = others.iter();
        if let Some(same) = same_place.find(|other| other.path == one.path) {
            return Some(same.path.clone());
        }
        let name = one.package.as_ref()?;
        let mut named = others.iter().filter(|o| o.package.as_ref() == Some(name));
        let only = named.next()?;
        named.next().is_none().then(|| only.path.clone())
    };
    let mut pairs: Vec<Paired<PathBuf>> = Vec::new();
    let mut one_sided = BenchmarkPackages::Nowhere;
    for side in [Side::Head, Side::Base] {
        let others = sides.get(side.other());
        for one in sides.get(side).iter().filter(|one| one.serves(wanted)) {
            let Some(other) = partner(one, others) else {
                if one_sided == BenchmarkPackages::Nowhere {
                    one_sided = BenchmarkPackages::OneSided(side, one.path.clone());
                }
                continue;
            };
            let pair = Paired::from_fn(|of| match of == side {
                true => one.path.clone(),
                false => other.clone(),
            });
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    let strange = |pair: &Paired<PathBuf>| {
        let mut names = pair.head.iter();
        names.any(|name| NOT_THE_PROJECT_S.iter().any(|strange| name == *strange))
    };
    if !pairs.iter().all(strange) {
        pairs.retain(|pair| !strange(pair));
    }
    match pairs.len() {
        0 => one_sided,
        1 => BenchmarkPackages::Here(pairs.remove(0)),
        _ => BenchmarkPackages::Several(pairs.into_iter().map(|pair| pair.head).collect()),
    }
}

/// The checkouts, with the manifest of the package that has the benchmarks where the selected ones have none,
/// and what the report should say of it.
///
/// # Errors
/// Where several packages have benchmarks, or one that a side lacks.
pub(super) fn settle(
    checkouts: Paired<Checkout>,
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<(Paired<Checkout>, Option<String>), BuildError> {
    // The programs of workloads are those of the workspace that was named.
    let has_what_it_needs = plan.selection.benchmarks != BenchmarkNeed::Required;
    if has_what_it_needs || !plan.selection.packages.is_empty() {
        return Ok((checkouts, None));
    }
    let all = checkouts.as_ref().map(manifests);
    let Some(selected) = selected(&checkouts, &all, plan, scratch) else {
        return Ok((checkouts, None));
    };
    let sides = Paired::new(all.base.as_slice(), all.head.as_slice());
    let at_users = |path: &Path| shown(&checkouts.head.original_root.join(path));
    match find(sides, &plan.selection.benches) {
        BenchmarkPackages::Here(paths) => {
            let manifest = at_users(&paths.head);
            let mut note = format!(
                "no selected package has a benchmark: those of {manifest} are compared \
                 (as with `--manifest-path {manifest}`)"
            );
            let folder = paths.head.with_file_name(crate::plan::config::FILE_NAME);
            if checkouts.head.original_root.join(&folder).is_file() {
                note.push_str("; without that option, the configuration beside it is not read");
            }
            events(Event::Warning {
                message: note.clone(),
            });
            let moved = Paired::from_fn(|side| {
                let checkout = checkouts.get(side).clone();
                Checkout {
                    manifest_path: checkout.root.join(paths.get(side)),
                    ..checkout
                }
            });
            Ok((moved, Some(note)))
        }
        BenchmarkPackages::Several(paths) => {
            let options = paths
                .iter()
                .map(|path| format!("--manifest-path {}", at_users(path)));
            let members = |path: &&PathBuf| selected.members.contains(path);
            let whole = paths.iter().filter(members).count() > 1;
            let whole = whole.then(|| "--workspace".to_owned());
            let commands = whole.into_iter().chain(options);
            Err(BuildError::BenchesElsewhere {
                commands: commands
                    .map(|option| command(&plan.range, &option))
                    .collect(),
                manifests: paths,
            })
        }
        BenchmarkPackages::OneSided(side, manifest) if !selected.have_benches => {
            Err(BuildError::BenchesOneSided { side, manifest })
        }
        _ => Ok((checkouts, None)),
    }
}

/// Whether the source of a bench target marks a function as a benchmark of the built-in harness.
fn has_bench_function(target: &Target) -> bool {
    fs_err::read_to_string(&target.src_path).is_ok_and(|source| source.contains("#[bench]"))
}

/// The packages that the plan selects, none of which has a benchmark that can be measured.
struct Selected {
    /// The manifests of the workspace that they are in, relative to the repository's root.
    members: Vec<PathBuf>,
    /// Whether they have bench targets nevertheless.
    have_benches: bool,
}

/// `None` where a selected package has a benchmark with a harness of its own, or a function with `#[bench]`, or where
/// that is not known.
fn selected(
    checkouts: &Paired<Checkout>,
    manifests: &Paired<Vec<Manifest>>,
    plan: &Plan,
    scratch: &Scratch,
) -> Option<Selected> {
    let usable = |side: Side, path: &Path| {
        let path = path.strip_prefix(&checkouts.get(side).root).unwrap_or(path);
        let mut all = manifests.get(side).iter();
        // A manifest that git does not track is unknown.
        all.find(|one| one.path == path)
            .is_none_or(|one| !one.benches.is_empty())
    };
    // Usually the named package has benchmarks, and cargo need not be asked.
    if Side::BOTH
        .into_iter()
        .any(|side| usable(side, &checkouts.get(side).manifest_path))
    {
        return None;
    }
    let mut selected = Selected {
        members: Vec::new(),
        have_benches: false,
    };
    for side in Side::BOTH {
        let checkout = checkouts.get(side);
        let tools = Tools::new(scratch, side, checkout);
        let workspace = Workspace::of_members(&tools, checkout).ok()?;
        for package in workspace.selected(&plan.selection) {
            if benches(package).next().is_none() {
                continue;
            }
            if usable(side, package.manifest_path.as_std_path())
                || benches(package).any(has_bench_function)
            {
                return None;
            }
            selected.have_benches = true;
        }
        let members = workspace.member_manifests();
        let members = members.filter_map(|path| path.strip_prefix(&checkout.root).ok());
        selected.members.extend(members.map(Path::to_owned));
    }
    Some(selected)
}

/// The manifests that git tracks; none if git cannot be asked.
fn manifests(checkout: &Checkout) -> Vec<Manifest> {
    let paths = revision::tracked_manifests(checkout).unwrap_or_default();
    let read = |path: PathBuf| {
        let text = fs_err::read_to_string(checkout.root.join(&path)).ok()?;
        Manifest::parse(path, &text)
    };
    paths.into_iter().filter_map(read).collect()
}

/// The path as the user would type it in the current folder.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(fs_err::canonicalize).ok();
    let inside = here.and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).display().to_string()
}

fn command(range: &RangeSpec, option: &str) -> String {
    match range {
        RangeSpec::Default => format!("cargo perfcheck {option}"),
        range => format!("cargo perfcheck {range} {option}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str, package: &str, benches: &[&str]) -> Manifest {
        let benches = benches
            .iter()
            .map(|bench| format!("[[bench]]\nname = \"{bench}\"\nharness = false\n"));
        let text = format!(
            "[package]\nname = \"{package}\"\n{}",
            benches.collect::<String>()
        );
        Manifest::parse(path.into(), &text).unwrap()
    }

    fn found(base: &[Manifest], head: &[Manifest]) -> BenchmarkPackages {
        find(Paired::new(base, head), &[])
    }

    fn here(base: &str, head: &str) -> BenchmarkPackages {
        BenchmarkPackages::Here(Paired::new(base.into(), head.into()))
    }

    #[test]
    fn only_benchmarks_with_a_harness_of_their_own_count() {
        let text = "[package]\nname = \"p\"\n[[bench]]\nname = \"builtin\"\n[[bench]]\nname = \"own\"\n\
                    harness = false\n[[bench]]\nname = \"off\"\nharness = false\nbench = false\n";
        let manifest = Manifest::parse("Cargo.toml".into(), text).unwrap();
        assert_eq!(manifest.benches, ["own"]);
        assert!(manifest.serves(&[]) && manifest.serves(&["own".to_owned()]));
        assert!(!manifest.serves(&["builtin".to_owned()]));
        let of = |text: &str| Manifest::parse("Cargo.toml".into(), text);
        assert_eq!(of("[workspace]\nmembers = []").unwrap().package, None);
        assert_eq!(of("no manifest"), None);
    }

    #[test]
    fn one_package_with_benchmarks_is_found_and_several_are_listed() {
        let top = manifest("Cargo.toml", "top", &[]);
        let bench = manifest("bench/Cargo.toml", "bench", &["a", "b"]);
        let other = manifest("more/Cargo.toml", "more", &["c"]);
        let one = [top.clone(), bench.clone()];
        assert_eq!(
            found(&one, &one),
            here("bench/Cargo.toml", "bench/Cargo.toml")
        );
        let two = [top.clone(), bench, other];
        let both = ["bench/Cargo.toml", "more/Cargo.toml"].map(PathBuf::from);
        assert_eq!(found(&two, &two), BenchmarkPackages::Several(both.into()));
        let wanted = find(Paired::new(&two, &two), &["c".to_owned()]);
        assert_eq!(wanted, here("more/Cargo.toml", "more/Cargo.toml"));
        let none = [top];
        assert_eq!(found(&none, &none), BenchmarkPackages::Nowhere);
    }

    #[test]
    fn a_package_is_the_same_one_by_its_place_or_by_its_name() {
        let old = [manifest("bench/Cargo.toml", "bench", &["a"])];
        let moved = [manifest("crates/bench/Cargo.toml", "bench", &["a"])];
        assert_eq!(
            found(&old, &moved),
            here("bench/Cargo.toml", "crates/bench/Cargo.toml")
        );
        let renamed = [manifest("bench/Cargo.toml", "benchmarks", &["a"])];
        assert_eq!(
            found(&old, &renamed),
            here("bench/Cargo.toml", "bench/Cargo.toml")
        );
        // The benchmarks are new, the package is not.
        let without = [manifest("bench/Cargo.toml", "bench", &[])];
        assert_eq!(
            found(&without, &old),
            here("bench/Cargo.toml", "bench/Cargo.toml")
        );
        let path = PathBuf::from("bench/Cargo.toml");
        assert_eq!(
            found(&[], &old),
            BenchmarkPackages::OneSided(Side::Head, path.clone())
        );
        assert_eq!(
            found(&old, &[]),
            BenchmarkPackages::OneSided(Side::Base, path)
        );
    }

    #[test]
    fn packages_that_are_data_of_tests_count_where_nothing_else_does() {
        let data = manifest("tests/fixtures/slow/Cargo.toml", "slow", &["a"]);
        let bench = manifest("bench/Cargo.toml", "bench", &["a"]);
        let both = [data.clone(), bench];
        assert_eq!(
            found(&both, &both),
            here("bench/Cargo.toml", "bench/Cargo.toml")
        );
        let path = "tests/fixtures/slow/Cargo.toml";
        let data = [data];
        assert_eq!(found(&data, &data), here(path, path));
    }
}
