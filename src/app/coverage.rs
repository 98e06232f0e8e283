//! Which functions that the change touches no benchmark executes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::attribute::{TouchedFunction, skeleton, touched_functions};
use crate::binary::Symbols;
use crate::build::Build;
use crate::discover::{Discovery, Identity};
use crate::judge::UncoveredFunction;
use crate::measure::{Executed, Reach, RunExtent};
use crate::report::FunctionSkeleton;
use crate::revision;
use crate::units::{Paired, on_side};

/// The functions that the change touches, and where their code is in the executables of the head side: as separate
/// functions, as instances of generic ones, and inlined into others.
pub(super) struct TouchedCode {
    /// The checkout of the head side.
    root: PathBuf,
    functions: Vec<Touched>,
    /// Why it cannot be said.
    pub(super) unknown: Option<String>,
}

struct Touched {
    function: TouchedFunction,
    name: String,
    /// The start addresses of its code, by executable.
    places: BTreeMap<PathBuf, Vec<u64>>,
}

impl TouchedCode {
    /// Reads the change of the source, and the line tables of executables that differ.
    pub(super) fn of(builds: &Paired<Build>, discovery: &Discovery) -> TouchedCode {
        let checkouts = builds.as_ref().map(|build| &build.checkout);
        let differs = |identity: &Identity| matches!(identity, Identity::Different(_));
        if !discovery
            .targets
            .iter()
            .any(|target| differs(&target.identity))
        {
            return TouchedCode::none(&builds.head, None);
        }
        let files = match revision::changed_files(checkouts) {
            Ok(files) => files,
            Err(error) => {
                let reason = format!("perfcheck cannot tell how the sources changed: {error}");
                return TouchedCode::none(&builds.head, Some(reason));
            }
        };
        let head = &builds.head;
        let functions = touched_functions(&files)
            .into_iter()
            .map(|function| Touched {
                name: function.full_name(&head.checkout.root),
                function,
                places: BTreeMap::new(),
            });
        let mut coverage = TouchedCode {
            root: head.checkout.root.clone(),
            functions: functions.collect(),
            unknown: None,
        };
        if !coverage.functions.is_empty() {
            let executables = discovery.targets.iter();
            for executable in executables.filter_map(|target| target.executables.head.as_ref()) {
                coverage.place(&executable.path, head);
            }
        }
        coverage
    }

    fn none(head: &Build, unknown: Option<String>) -> TouchedCode {
        TouchedCode {
            root: head.checkout.root.clone(),
            functions: Vec::new(),
            unknown,
        }
    }

    /// Finds the code of the functions in one executable.
    fn place(&mut self, executable: &Path, build: &Build) {
        let Ok(symbols) = Symbols::open(executable) else {
            return;
        };
        let mut in_file: HashMap<String, Vec<usize>> = HashMap::new();
        symbols.each_line(|address, file, line| {
            if !in_file.contains_key(file) {
                let root = &build.checkout.root;
                let path = on_side(&build.workspace_root.join(file), root);
                let own = path.strip_prefix(root).ok();
                let functions = self.functions.iter().enumerate();
                let here = functions
                    .filter(|(_, touched)| own.is_some_and(|own| *own == *touched.function.path))
                    .map(|(index, _)| index);
                in_file.insert(file.to_owned(), here.collect());
            }
            for index in &in_file[file] {
                let touched = &mut self.functions[*index];
                if touched.function.has_line(line) {
                    let places = touched.places.entry(executable.to_owned()).or_default();
                    places.push(address);
                }
            }
        });
    }

    /// The addresses to watch of each function, by executable.
    pub(super) fn watched(&self) -> BTreeMap<PathBuf, Vec<Vec<u64>>> {
        let mut watched: BTreeMap<PathBuf, Vec<Vec<u64>>> = BTreeMap::new();
        for touched in &self.functions {
            for (executable, places) in &touched.places {
                let all = watched.entry(executable.clone()).or_default();
                all.push(places.clone());
            }
        }
        watched
    }

    /// Which of the functions benchmarks execute. Nothing is claimed unless that is known for every
    /// target.
    pub(super) fn coverage(&self, reach: &Reach) -> FunctionCoverage {
        let mut coverage = FunctionCoverage::default();
        if !reach.unknown.is_empty() || !reach.elsewhere.is_empty() {
            return coverage;
        }
        for touched in &self.functions {
            let list = match touched.fate(&reach.executed) {
                Fate::MayBeExecuted => &mut coverage.covered,
                Fate::NotExecuted => &mut coverage.uncovered,
                Fate::SameCode => continue,
            };
            list.push(UncoveredFunction {
                function: touched.name.clone(),
                location: touched.function.location(),
            });
        }
        coverage
    }

    /// First benchmarks for these functions.
    pub(super) fn skeletons(&self, functions: &[UncoveredFunction]) -> Vec<FunctionSkeleton> {
        let of = |function: &UncoveredFunction| {
            let mut all = self.functions.iter();
            let touched = all.find(|one| one.function.location() == function.location)?;
            Some(FunctionSkeleton {
                function: function.clone(),
                skeleton: skeleton(&self.root, &touched.function),
            })
        };
        functions.iter().filter_map(of).collect()
    }
}

/// The functions that the change touches, split by whether benchmarks execute them.
#[derive(Debug, Default)]
pub(super) struct FunctionCoverage {
    /// Those that some benchmark executes, or may execute.
    pub(super) covered: Vec<UncoveredFunction>,
    pub(super) uncovered: Vec<UncoveredFunction>,
}

/// What is known about a function that the change touches.
enum Fate {
    MayBeExecuted,
    NotExecuted,
    /// Its code differs in no executable.
    SameCode,
}

impl Touched {
    /// If an executable was not watched, perfcheck does not know what its benchmarks execute.
    fn fate(&self, executed: &[Executed]) -> Fate {
        let mut differs = false;
        for (executable, places) in &self.places {
            let known = executed.iter().find(|one| one.executable == *executable);
            let Some(known) = known.filter(|one| one.extent == RunExtent::All) else {
                return Fate::MayBeExecuted;
            };
            if places.iter().any(|place| known.addresses.contains(place)) {
                return Fate::MayBeExecuted;
            }
            let in_differing =
                |place: &u64| known.differing.iter().any(|code| code.contains(place));
            differs |= places.iter().any(in_differing);
        }
        match differs {
            true => Fate::NotExecuted,
            false => Fate::SameCode,
        }
    }
}
