//! Whether reports are all the parts of one partition, each once.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use crate::plan::Partition;

/// Why `reports` are neither independent of any partition nor all the parts of one, as lower-case
/// fragments. A missing part is such a problem: a benchmark that was not measured must not pass.
pub(super) fn problems<'a>(reports: impl Iterator<Item = &'a Report>) -> Vec<String> {
    let (mut wholes, mut counts) = (0, BTreeMap::<Partition, usize>::new());
    for report in reports {
        match report.methodology.partition {
            None => wholes += 1,
            Some(part) => *counts.entry(part).or_default() += 1,
        }
    }
    let Some(first) = counts.keys().next().copied() else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if wholes > 0 {
        problems.push(format!("`{first}` is a part and another is not"));
    }
    let sizes: BTreeSet<u32> = counts.keys().map(|part| part.of()).collect();
    if sizes.len() > 1 {
        let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
        problems.push(format!("they are parts of {}", sizes.join(" and of ")));
        return problems;
    }
    let twice = counts.iter().filter(|(_, count)| **count > 1);
    problems.extend(twice.map(|(part, _)| format!("`{part}` is there twice")));
    let all = (1..=first.of()).filter_map(|part| first.sibling(part));
    let missing = all.filter(|part| !counts.contains_key(part));
    problems.extend(missing.map(|part| format!("`{part}` is missing")));
    problems
}
