//! Names that benchmarks had before somebody renamed them.

use std::collections::{BTreeMap, BTreeSet};

use super::RunRecord;
use crate::plan::Renaming;
use crate::units::BenchmarkKey;

/// At most so many names are tried for one benchmark.
const MOST: usize = 64;

/// The present name of each benchmark that was renamed.
#[derive(Debug, Default)]
pub(super) struct PresentNames(BTreeMap<BenchmarkKey, BenchmarkKey>);

impl PresentNames {
    /// What these renamings make of the names in `runs`. A name that no run has, nor `also`, is nobody's.
    pub(super) fn of(
        runs: &[&RunRecord],
        also: Option<&BenchmarkKey>,
        renames: &[Renaming],
    ) -> PresentNames {
        if renames.is_empty() {
            return PresentNames::default();
        }
        let recorded = runs.iter().flat_map(|run| &run.benchmarks);
        let known: BTreeSet<&BenchmarkKey> = recorded.map(|one| &one.key).chain(also).collect();
        let renamed = known.iter().filter_map(|old| {
            let mut names = names_of(old, renames).into_iter().skip(1).rev();
            let new = names.find(|new| known.contains(new))?;
            Some(((*old).clone(), new))
        });
        PresentNames(renamed.collect())
    }

    /// The name of this benchmark today.
    pub(super) fn of_key<'a>(&'a self, key: &'a BenchmarkKey) -> &'a BenchmarkKey {
        self.0.get(key).unwrap_or(key)
    }
}

/// The name itself, and after it what the renamings can make of it, one after the other.
fn names_of(key: &BenchmarkKey, renames: &[Renaming]) -> Vec<BenchmarkKey> {
    let mut names = vec![key.clone()];
    for renaming in renames {
        for name in names.clone() {
            let packages = renaming.applied(&name.package);
            let targets = renaming.applied(&name.target);
            let ids = renaming.applied(&name.id);
            let new =
                |package: &str, target: &str, id: &str| BenchmarkKey::new(package, target, id);
            let (package, target, id) = (&*name.package, &*name.target, &*name.id);
            names.extend(packages.iter().map(|package| new(package, target, id)));
            names.extend(targets.iter().map(|target| new(package, target, id)));
            names.extend(ids.iter().map(|id| new(package, target, id)));
        }
        names.truncate(MOST);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(keys: &[(&str, &str)]) -> RunRecord {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/v1.json");
        let report = crate::report::load(path.as_ref()).unwrap();
        let mut run = RunRecord::of(&report).unwrap();
        let one = run.benchmarks[0].clone();
        let benchmarks = keys.iter().map(|(target, id)| {
            let mut one = one.clone();
            one.key = BenchmarkKey::new("shop", target, id);
            one
        });
        run.benchmarks = benchmarks.collect();
        run
    }

    fn present(run: &RunRecord, (target, id): (&str, &str), renames: &[&str]) -> String {
        let renames: Vec<Renaming> = renames.iter().map(|text| text.parse().unwrap()).collect();
        let names = PresentNames::of(&[run], None, &renames);
        let key = BenchmarkKey::new("shop", target, id);
        names.of_key(&key).to_string()
    }

    #[test]
    fn a_renaming_joins_what_is_recorded_under_both_names() {
        let run = run(&[
            ("a", "fold/chained"),
            ("a", "fold/codeword"),
            ("b", "fold/word"),
            ("a", "x=y"),
            ("a", "z"),
        ]);
        let chained = ("a", "fold/chained");
        let id = "fold/chained=fold/codeword";
        assert!(present(&run, chained, &[id]).ends_with("fold/codeword"));
        // Step by step, the target as well, through a name that was never recorded.
        let steps = [id, "fold/codeword=fold/word", "a=b"];
        let last = present(&run, chained, &steps);
        assert!(last.contains("b") && last.ends_with("fold/word"), "{last}");
        assert!(present(&run, ("a", "x=y"), &["x=y=z"]).ends_with(" z"));
        // Nobody has that name.
        assert!(present(&run, chained, &["fold=unfold"]).ends_with("fold/chained"));
    }
}
