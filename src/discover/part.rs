//! One part of what was found, where several machines share the work.

use crate::plan::Partition;

use super::{Benchmark, Discovery, Presence, Target};

impl Discovery {
    /// How many benchmarks that both sides have `counts` accepts.
    #[must_use]
    pub fn common(&self, counts: impl Fn(&Target, &Benchmark) -> bool) -> usize {
        let counts = &counts;
        let benchmarks = self.targets.iter().flat_map(|target| {
            let benchmarks = target.benchmarks.iter();
            benchmarks.filter(move |benchmark| counts(target, benchmark))
        });
        benchmarks
            .filter(|benchmark| benchmark.presence == Presence::Common)
            .count()
    }

    /// Keeps the benchmarks of one part only. Those of the other parts that share the report's error
    /// rate (according to `counts`, as for [`Discovery::common`]) are counted as `elsewhere`. A part
    /// may be empty.
    pub fn keep_part(
        &mut self,
        partition: Partition,
        counts: impl Fn(&Target, &Benchmark) -> bool,
    ) {
        let whole = self.common(&counts);
        for target in &mut self.targets {
            target.benchmarks.retain(|benchmark| {
                let key = &benchmark.key;
                partition.holds(&key.package, &key.target, &key.id)
            });
        }
        self.elsewhere = whole - self.common(&counts);
        self.targets.retain(|target| !target.benchmarks.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BenchmarkKey, FunctionDiff, Identity, Reached};
    use super::*;
    use crate::units::Paired;

    fn discovery(ids: usize) -> Discovery {
        let key = |i| BenchmarkKey {
            package: "shop".into(),
            target: "prices".into(),
            id: format!("sum/{i}"),
        };
        let benchmarks = (0..ids).map(|i| Benchmark {
            key: key(i),
            presence: Presence::Common,
            throughput: Paired::new(None, None),
            reached: Reached::Unknown,
            failure: None,
        });
        Discovery {
            targets: vec![Target {
                package: "shop".into(),
                target: "prices".into(),
                executables: Paired::new(None, None),
                identity: Identity::Different("it".into()),
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

    #[test]
    fn the_parts_make_the_whole_and_each_knows_how_many_there_are() {
        let first: Partition = "hash:1/3".parse().unwrap();
        let mut all = Vec::new();
        for part in 1..=3 {
            let mut here = discovery(20);
            here.keep_part(first.sibling(part).unwrap(), |_, _| true);
            assert_eq!(here.common(|_, _| true) + here.elsewhere, 20);
            let benchmarks = here.targets.into_iter().flat_map(|t| t.benchmarks);
            all.extend(benchmarks.map(|benchmark| benchmark.key));
        }
        all.sort();
        let mut whole: Vec<_> = discovery(20).targets.remove(0).benchmarks;
        whole.sort_by(|a, b| a.key.cmp(&b.key));
        assert!(all.iter().eq(whole.iter().map(|b| &b.key)));
    }

    #[test]
    fn a_part_without_a_benchmark_is_empty_and_no_error() {
        let mut one = discovery(1);
        let last: Partition = "hash:1/1000".parse().unwrap();
        one.keep_part(last, |_, _| true);
        assert!(one.targets.is_empty());
        assert_eq!(one.elsewhere, 1);
    }
}
