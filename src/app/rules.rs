//! What the rules for single benchmarks mean for the run as a whole.

use crate::analyse::Comparison;
use crate::discover::{DiscoverError, Discovery};
use crate::plan::config::{Obligation, Rules};
use crate::plan::{Claim, Extent};
use crate::units::BenchmarkKey;

/// Removes the benchmarks that rules skip, and returns notes about it, as lower-case fragments.
pub(super) fn skip(discovery: &mut Discovery, rules: &Rules) -> Vec<String> {
    if rules.is_empty() {
        return Vec::new();
    }
    let mut skipped = Vec::new();
    for target in &mut discovery.targets {
        target.benchmarks.retain(|benchmark| {
            let key = &benchmark.key;
            let own = rules.of(key);
            let stays = own.obligation != Obligation::Skipped;
            if !stays {
                skipped.push(key.to_string());
            }
            stays
        });
    }
    match skipped.len() {
        0 => Vec::new(),
        1 => vec![format!("not measured, as a rule asks: {}", skipped[0])],
        n => vec![format!(
            "{n} benchmarks not measured, as rules ask: {}",
            skipped.join(", ")
        )],
    }
}

/// Finds misspelt claims before anything is measured. Shards know all benchmarks. A user who asked for some
/// benchmarks only may have left out those of a claim in a file: then the vote reports it.
pub(super) fn claims_name_benchmarks(
    claims: &[Claim],
    extent: Extent,
    discovery: &Discovery,
) -> Result<(), DiscoverError> {
    if extent == Extent::Selection || !discovery.is_whole() {
        return Ok(());
    }
    let targets = discovery.targets.iter();
    let ids = targets.flat_map(|target| target.benchmarks.iter().map(|b| &*b.key.id));
    let Some(example) = ids.clone().next() else {
        return Ok(());
    };
    for claim in claims {
        let is_meant = claim.matcher();
        if !ids.clone().any(is_meant) {
            return Err(DiscoverError::ClaimInVain {
                claim: claim.to_string(),
                example: example.to_owned(),
            });
        }
    }
    Ok(())
}

/// The benchmarks that rules require, of those that were found.
pub(super) fn required(comparisons: &[Comparison], rules: &Rules) -> Vec<BenchmarkKey> {
    let keys = comparisons.iter().map(|comparison| &comparison.key);
    let is_required = |key: &&BenchmarkKey| {
        let own = rules.of(key);
        own.obligation == Obligation::Required
    };
    keys.filter(is_required).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::Verdict;
    use crate::discover::{Benchmark, FunctionDiff, Identity, Presence, Reached, Target};
    use crate::plan::{Args, Environment, Plan};
    use crate::units::Paired;

    /// The rules of a `perfcheck.toml`.
    fn rules(text: &str) -> Rules {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = 'it'\n[lib]\npath = 'lib.rs'\n";
        for (name, text) in [
            ("Cargo.toml", manifest),
            ("lib.rs", ""),
            ("perfcheck.toml", text),
        ] {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let environment = Environment {
            cwd: folder.path().to_owned(),
            variables: std::collections::BTreeMap::new(),
            words: vec!["cargo-perfcheck".into()],
            drawn_seed: 1,
        };
        let args = Args::from_words(&environment.words).unwrap();
        Plan::resolve(&args.compare, &environment)
            .unwrap()
            .sampling
            .rules
    }

    fn key(id: &str) -> BenchmarkKey {
        BenchmarkKey::new("shop", "prices", id)
    }

    fn discovery(ids: &[&str]) -> Discovery {
        let benchmarks = ids.iter().map(|id| Benchmark {
            key: key(id),
            presence: Presence::Common,
            throughput: Paired::new(None, None),
            failure: None,
            reached: Reached::Unknown,
        });
        Discovery {
            targets: vec![Target {
                package: "shop".to_owned(),
                target: "prices".to_owned(),
                executables: Paired::new(None, None),
                identity: Identity::OneSided,
                function_diff: FunctionDiff::default(),
                criterion: Paired::new(None, None),
                benchmarks: benchmarks.collect(),
            }],
            skipped: Vec::new(),
            elsewhere: 0,
            notes: Vec::new(),
            last_words: Vec::new(),
        }
    }

    fn comparison(id: &str, verdict: Verdict) -> Comparison {
        Comparison::unobserved(key(id), verdict)
    }

    #[test]
    fn what_a_rule_skips_is_taken_out_and_told() {
        let mut found = discovery(&["sum", "net/get", "net/put"]);
        let told = skip(
            &mut found,
            &rules("[[benchmark]]\nmatch = 'net/*'\nskip = true\n"),
        );
        assert_eq!(found.targets[0].benchmarks.len(), 1);
        assert!(told[0].starts_with("2 benchmarks not measured"), "{told:?}");
        assert_eq!(skip(&mut found, &Rules::default()), [""; 0]);
    }

    #[test]
    fn a_claim_about_no_benchmark_is_found_out_before_measuring() {
        let found = discovery(&["sum", "net/get"]);
        let claims = |text: &str| vec![text.parse::<Claim>().unwrap()];
        let check = |text, extent| claims_name_benchmarks(&claims(text), extent, &found);
        assert!(check("faster=^net/", Extent::Whole).is_ok());
        let error = check("faster=^nte/", Extent::Shard).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the claim `faster=^nte/` matches no benchmark"
        );
        assert!(error.hint().unwrap().contains("`sum`"));
        assert!(check("faster=^nte/", Extent::Selection).is_ok());
    }

    #[test]
    fn required_are_those_that_a_rule_names() {
        let rules = rules("[[benchmark]]\nmatch = 'startup'\nrequired = true\n");
        let found = [
            comparison("other", Verdict::Removed),
            comparison("startup", Verdict::Removed),
        ];
        assert_eq!(required(&found, &rules), [key("startup")]);
    }
}
