//! Where a benchmark's time goes on the head side, and how much removing that would gain at most.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::binary::Frame;
use crate::flame::Stack;
use crate::units::Side;

use super::model::{Advice, Bottleneck, Location};
use super::names::comparable;
use super::origin::Origins;
use super::sites;
use super::stacks::Stacks;

/// A function that takes a smaller share of the time is not a bottleneck.
const WORTH_TELLING: f64 = 0.05;
/// No more of each kind are listed.
const MOST: usize = 10;

/// The rules, which are data in that file.
static RULES: LazyLock<Vec<RedFlag>> =
    LazyLock::new(|| read(include_str!("rules.toml")).unwrap_or_default());

/// A red flag.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedFlag {
    name: String,
    patterns: Vec<String>,
    advice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedFlags {
    rule: Vec<RedFlag>,
}

fn read(text: &str) -> Result<Vec<RedFlag>, toml::de::Error> {
    toml::from_str::<RedFlags>(text).map(|rules| rules.rule)
}

impl RedFlag {
    fn matches(&self, names: &[String]) -> bool {
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| names.iter().any(|name| found(pattern, name)))
    }
}

/// The names by which a rule may know a function: its name without the brackets around a type with
/// methods; and for inlined functions, of which line tables give only the last part of the name,
/// that part with the module of its file.
fn names(frame: &Frame) -> Vec<String> {
    let name = &frame.function;
    let before_arguments = name.split('<').next().unwrap_or_default();
    let is_bare = !before_arguments.is_empty() && !before_arguments.contains("::");
    let file = frame.file.as_ref().filter(|_| is_bare);
    let module = file.and_then(|file| module_of(file));
    let placed = module.map(|module| format!("{module}::{name}"));
    placed.into_iter().chain([unwrapped(name)]).collect()
}

/// `<a::S<T>>::f` in the newer mangling is `a::S<T>::f` in the older one.
fn unwrapped(name: &str) -> String {
    let mut depth = 0_usize;
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if name[..at].ends_with('-') => {}
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let own_type = name.get(1..at).filter(|own| !own.contains(" as "));
            return match own_type {
                Some(own) => format!("{own}{}", &name[at + 1..]),
                None => name.to_owned(),
            };
        }
    }
    name.to_owned()
}

/// `…/library/alloc/src/vec/mod.rs` is `alloc::vec`, and `…/regex-1.11.0/src/builders.rs` is
/// `regex::builders`.
fn module_of(file: &Path) -> Option<String> {
    let file = file.to_str()?;
    let (package, inside) = file.rsplit_once("/src/")?;
    let package = package.rsplit('/').next()?;
    let name = match package.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => package,
    };
    let inside = inside.strip_suffix(".rs")?;
    let parts = inside
        .split('/')
        .filter(|part| !["mod", "lib"].contains(part));
    let name = name.replace('-', "_");
    Some(
        std::iter::once(name.as_str())
            .chain(parts)
            .collect::<Vec<_>>()
            .join("::"),
    )
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

/// The functions of the project that take a noticeable share, the largest first. The code that they
/// call outside the project counts for them.
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

/// Red flags with the function of the project behind each, those with the largest possible gain first.
pub(super) fn advice(stacks: &Stacks, origins: &Origins) -> Vec<Advice> {
    let total = stacks.total().max(1) as f64;
    let mut hits: BTreeMap<(usize, String), (u64, Option<Location>)> = BTreeMap::new();
    for stack in stacks.plain() {
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

/// The first rule that matches something that the project's function at `at` has called.
fn rule_of(stack: &Stack, at: usize) -> Option<usize> {
    let called: Vec<String> = stack.frames[..at].iter().flat_map(names).collect();
    RULES.iter().position(|rule| rule.matches(&called))
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
    fn a_function_is_called_the_same_whatever_the_mangling_and_inlining() {
        let frame = |function: &str, file: Option<&str>| Frame {
            function: function.to_owned(),
            file: file.map(Into::into),
            line: None,
        };
        for (function, file, name) in [
            ("<regex::Regex>::new", None, "regex::Regex::new"),
            ("<a::S<fn(u8) -> u8>>::f", None, "a::S<fn(u8) -> u8>::f"),
            ("<a::S as b::T>::f", None, "<a::S as b::T>::f"),
            (
                "clone<a::B>",
                Some("/rustc/0/library/alloc/src/vec/mod.rs"),
                "alloc::vec::clone<a::B>",
            ),
            (
                "new",
                Some("/h/registry/src/i/serde-json-1.0.1/src/de.rs"),
                "serde_json::de::new",
            ),
            ("malloc", None, "malloc"),
        ] {
            assert_eq!(names(&frame(function, file))[0], name);
        }
    }

    #[test]
    fn every_red_flag_is_raised_by_a_function_that_shows_it() {
        for (function, flag) in [
            (
                "regex_syntax::parser::Parser::parse",
                "compiling a regular expression",
            ),
            ("alloc::fmt::format", "formatting and building strings"),
            (
                "<alloc::vec::Vec<u8> as core::clone::Clone>::clone",
                "cloning",
            ),
            (
                "core::hash::sip::Hasher<S>::write",
                "SipHash, the default hasher of maps",
            ),
            ("serde_json::de::from_str", "JSON"),
            ("memcpy", "copying memory"),
            ("malloc", "allocating and freeing"),
            (
                "std::sys::sync::mutex::futex::Mutex::lock_contended",
                "waiting for a lock",
            ),
            (
                "<std::fs::File as std::io::Read>::read",
                "files and other system calls",
            ),
            ("core::panicking::panic_fmt", "unwinding a panic"),
            (
                "core::panicking::panic_bounds_check",
                "indexing slices, with the checks of bounds",
            ),
            (
                "core::ptr::drop_in_place::<shop::Tree>",
                "dropping large structures",
            ),
        ] {
            let stacks = stacks(Side::Head, &[(&*format!("run/shop::f/{function}"), 10)]);
            let found = advice(&stacks, &example());
            assert_eq!(found[0].what, flag, "{function}");
        }
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
        // Less than one in twenty is not worth mentioning.
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
