//! What a benchmark's time goes into on the head side, and what removing it would give at the most.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::flame::Stack;
use crate::symbols::Frame;
use crate::units::Side;

use super::model::{Advice, Bottleneck, Location};
use super::names::comparable;
use super::origin::Origins;
use super::sites;
use super::stacks::Stacks;

/// What takes less of the time is no bottleneck.
const WORTH_TELLING: f64 = 0.05;
/// No more of each kind are listed.
const MOST: usize = 10;

/// The rules, which are data: see there.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| read(include_str!("rules.toml")).unwrap_or_default());

/// A red flag.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    patterns: Vec<String>,
    advice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    rule: Vec<Rule>,
}

fn read(text: &str) -> Result<Vec<Rule>, toml::de::Error> {
    toml::from_str::<Rules>(text).map(|rules| rules.rule)
}

impl Rule {
    fn matches(&self, frame: &Frame) -> bool {
        self.patterns
            .iter()
            .any(|pattern| found(pattern, &frame.function))
    }
}

fn found(pattern: &str, name: &str) -> bool {
    let (start, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (end, pattern) = match pattern.strip_suffix('$') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    match (start, end) {
        (true, true) => name == pattern,
        (true, false) => name.starts_with(pattern),
        (false, true) => name.ends_with(pattern),
        (false, false) => name.contains(pattern),
    }
}

/// The functions of the project that take a noticeable share, the largest first. What they call
/// elsewhere counts for them.
pub(super) fn bottlenecks(stacks: &Stacks, origins: &Origins) -> Vec<Bottleneck> {
    let total = stacks.total().max(1) as f64;
    let mut found: Vec<Bottleneck> = sites::sites(stacks, Side::Head, origins)
        .into_iter()
        .map(|(function, site)| Bottleneck {
            function,
            location: site.hottest().cloned(),
            share: site.samples as f64 / total,
            origin: site.origin,
        })
        .filter(|found| found.share >= WORTH_TELLING)
        .collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share));
    found.truncate(MOST);
    found
}

/// Red flags with the function of the project behind each, those first whose removal would give most.
pub(super) fn advice(stacks: &Stacks, origins: &Origins) -> Vec<Advice> {
    let total = stacks.total().max(1) as f64;
    let mut hits: BTreeMap<(usize, String), (u64, Option<Location>)> = BTreeMap::new();
    for stack in &stacks.stacks {
        let Some(at) = sites::site_of(stack, Side::Head, origins) else {
            continue;
        };
        let Some(rule) = rule_of(stack, at) else {
            continue;
        };
        let caller = &stack.frames[at];
        let hit = hits
            .entry((rule, comparable(&caller.function)))
            .or_insert_with(|| (0, origins.location(caller, Side::Head)));
        hit.0 += stack.weight;
    }
    let mut advice: Vec<Advice> = hits
        .into_iter()
        .filter_map(|((rule, function), (samples, location))| {
            let rule = RULES.get(rule)?;
            let share = samples as f64 / total;
            (share >= WORTH_TELLING).then(|| Advice {
                what: rule.name.clone(),
                advice: rule.advice.clone(),
                function,
                location,
                share,
                at_most: 1.0 / (1.0 - share.min(0.999)),
            })
        })
        .collect();
    advice.sort_by(|a, b| b.share.total_cmp(&a.share));
    advice.truncate(MOST);
    advice
}

/// The first rule that knows something that the project's function at `at` has called.
fn rule_of(stack: &Stack, at: usize) -> Option<usize> {
    let called = &stack.frames[..at];
    RULES
        .iter()
        .position(|rule| called.iter().any(|frame| rule.matches(frame)))
}

#[cfg(test)]
mod tests {
    use super::super::origin::tests::example;
    use super::super::stacks::tests::stacks;
    use super::*;

    #[test]
    fn the_rules_that_travel_in_the_program_are_understood() {
        let rules = read(include_str!("rules.toml")).unwrap();
        assert!(rules.len() >= 10);
        for rule in &rules {
            assert!(
                !rule.patterns.is_empty() && !rule.advice.ends_with('.'),
                "{}",
                rule.name
            );
        }
    }

    #[test]
    fn a_pattern_can_stand_for_a_part_or_the_whole_of_a_name() {
        assert!(found("core::fmt::", "core::fmt::write"));
        assert!(found("^free$", "free"));
        assert!(!found("^free$", "my::free_list"));
        assert!(found("^memcpy", "memcpy@GLIBC"));
    }

    #[test]
    fn a_red_flag_names_the_project_s_function_and_what_removing_it_gives_at_most() {
        let stacks = stacks(
            Side::Head,
            &[
                ("run/shop::find/regex::regex::string::Regex::new/malloc", 60),
                ("run/shop::find/memcpy", 20),
                ("run/shop::sum", 16),
                ("run/shop::sum/alloc::fmt::format", 4),
            ],
        );
        let found = advice(&stacks, &example());
        // What is less than one in twenty is not worth a word.
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].what, "compiling a regular expression");
        assert_eq!(found[0].function, "shop::find");
        assert!((found[0].at_most - 2.5).abs() < 1e-9);
        assert_eq!(found[1].what, "copying memory");
        let functions = bottlenecks(&stacks, &example());
        assert_eq!(functions[0].function, "shop::find");
        assert!((functions[0].share - 0.8).abs() < 1e-9);
    }
}
