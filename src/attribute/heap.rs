//! Files that show where memory is asked for: flame graphs, folded stacks, pprof profiles.
//!
//! Numbers are for [`ITERATIONS`] iterations, on both sides: the requests of a stack in one iteration need not be a
//! whole number (a buffer that grows now and then), and formats for stacks have whole numbers only.

use crate::analyse::{Comparison, Direction};
use crate::binary::Frame;
use crate::flame::{self, Caption, Folded, Kind, Stack, WeightedStack};
use crate::measure::{Counted, Place, Traced};
use crate::plan::Profiling;
use crate::units::{BenchmarkKey, Metric, MetricGroup, Paired, Side};

use super::{Artifact, Folders};

/// The number of iterations that the files' numbers are for.
const ITERATIONS: f64 = 1000.0;

/// What a stack asks for, with its unit.
const KINDS: [Kind<'static>; 2] = [
    Kind {
        name: "alloc_objects",
        unit: "count",
        each: 1,
    },
    Kind {
        name: "alloc_space",
        unit: "bytes",
        each: 1,
    },
];
/// The same in the names of files.
const NAMES: [&str; 2] = ["count", "bytes"];
/// The same in pictures.
const UNITS: [&str; 2] = [
    "allocations in 1,000 iterations",
    "bytes in 1,000 iterations",
];

/// The files of the benchmarks whose allocations changed, or of all whose call stacks are known:
/// `alloc.<count|bytes>.<base|head>.<svg|folded>`, `alloc.<count|bytes>.diff.svg` and
/// `alloc.<base|head>.pb.gz`, in each benchmark's folder. Reallocations count as allocations.
#[must_use]
pub fn allocation_artifacts(
    comparisons: &[Comparison],
    counted: &[Counted],
    profiling: Profiling,
    folders: &Folders,
) -> Vec<Artifact> {
    let mut files = Vec::new();
    for counted in counted {
        let comparison = comparisons.iter().find(|c| c.key == counted.key);
        let Some(comparison) = comparison else {
            continue;
        };
        let direction = comparison.direction(MetricGroup::Allocations);
        let changed = matches!(direction, Some(Direction::More | Direction::Fewer));
        if !changed && profiling != Profiling::All {
            continue;
        }
        let sides = Paired::from_fn(|side| {
            let requests = comparison.requests(side)?;
            let bytes = comparison.value(Metric::BYTES, side)?;
            match counted.traced.get(side) {
                Some(traced) => Some(stacks(traced, requests, bytes)),
                // Nobody looks where nothing comes from.
                None if requests == 0.0 => Some(Vec::new()),
                None => None,
            }
        });
        let folder = folders.get(&counted.key);
        let strides = counted.traced.as_ref().map(|traced| {
            let traced = traced.as_ref();
            traced.map_or(1, |traced| traced.stride)
        });
        let all = of_benchmark(&counted.key, &sides, strides);
        files.extend(all.into_iter().map(|(name, bytes)| Artifact {
            path: folder.join(name),
            bytes,
        }));
    }
    files
}

/// The stacks of a side with what they ask for in [`ITERATIONS`] iterations. Stacks were counted over some
/// iterations only, so each gets its share of the known total per iteration.
fn stacks(traced: &Traced, all_requests: f64, all_bytes: f64) -> Vec<WeightedStack> {
    let requests: u64 = traced.stacks.iter().map(|stack| stack.requests).sum();
    let bytes: u64 = traced.stacks.iter().map(|stack| stack.bytes).sum();
    let share = |part: u64, all: u64, whole: f64| {
        let share = part as f64 / all.max(1) as f64;
        (share * whole * ITERATIONS).round() as u64
    };
    let sampled = traced.stacks.iter().map(|stack| WeightedStack {
        frames: stack.places.iter().map(frame).collect(),
        numbers: vec![
            share(stack.requests, requests, all_requests),
            share(stack.bytes, bytes, all_bytes),
        ],
    });
    sampled.collect()
}

fn frame(place: &Place) -> Frame {
    Frame {
        function: place.function.clone(),
        file: place.file.as_ref().map(Into::into),
        line: place.line,
    }
}

/// Names and contents of a benchmark's files. An empty picture is left out.
fn of_benchmark(
    key: &BenchmarkKey,
    sides: &Paired<Option<Vec<WeightedStack>>>,
    strides: Paired<u64>,
) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let subtitle = |side: Side| match strides.get(side) {
        1 => String::new(),
        stride => format!("estimated from one request in {stride} on average"),
    };
    for (index, name) in NAMES.into_iter().enumerate() {
        let folded = sides.as_ref().map(|stacks| {
            let stacks = stacks.as_ref()?;
            Some(Folded::of(&weighed(stacks, index)))
        });
        for side in Side::BOTH {
            let Some(folded) = folded.get(side) else {
                continue;
            };
            let caption = Caption {
                title: &format!("{key}, {side}"),
                subtitle: &subtitle(side),
                unit: UNITS[index],
            };
            if let Ok(picture) = flame::graph(folded, caption) {
                files.push((format!("alloc.{name}.{side}.svg"), picture.into_bytes()));
            }
            let text = folded.text().into_bytes();
            files.push((format!("alloc.{name}.{side}.folded"), text));
        }
        if let (Some(base), Some(head)) = (&folded.base, &folded.head)
            && let Some(picture) = difference(key, Paired::new(base, head), UNITS[index])
        {
            files.push((format!("alloc.{name}.diff.svg"), picture.into_bytes()));
        }
    }
    for side in Side::BOTH {
        if let Some(stacks) = sides.get(side).as_ref().filter(|stacks| !stacks.is_empty()) {
            let comment = format!("{key}, {side}: 1,000 iterations {}", subtitle(side));
            let bytes = flame::pprof_of(stacks, &KINDS, comment.trim_end());
            files.push((format!("alloc.{side}.pb.gz"), bytes));
        }
    }
    files
}

/// The picture is as wide as the side that asks for more, so it also shows what the other side does without.
fn difference(key: &BenchmarkKey, sides: Paired<&Folded>, unit: &str) -> Option<String> {
    let widths = match sides.base.total() > sides.head.total() {
        true => Side::Base,
        false => Side::Head,
    };
    let caption = Caption {
        title: &format!("{key}, head compared with base"),
        subtitle: &format!("widths: {widths}; red: more than on base, blue: less"),
        unit,
    };
    flame::change(sides, widths, caption).ok()
}

fn weighed(stacks: &[WeightedStack], index: usize) -> Vec<Stack> {
    let weighed = stacks.iter().map(|stack| Stack {
        frames: stack.frames.clone(),
        weight: stack.numbers[index],
    });
    weighed.filter(|stack| stack.weight > 0).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::measure::{CodeOwner, TracedStack};

    fn place(function: &str, line: u32) -> Place {
        Place {
            function: function.to_owned(),
            origin: CodeOwner::Workspace,
            file: Some("src/lib.rs".to_owned()),
            line: Some(line),
            text: None,
        }
    }

    fn stack(function: &str, requests: u64, bytes: u64) -> TracedStack {
        TracedStack {
            places: vec![place("alloc", 1), place(function, 2)],
            requests,
            bytes,
            left_behind: 0,
        }
    }

    /// What a side asks for: `stacks` were seen, and an iteration makes `count` requests for `bytes`.
    fn side(stacks: Vec<TracedStack>, count: f64, bytes: f64) -> Option<Vec<WeightedStack>> {
        let traced = Traced {
            stacks,
            stride: 1,
            lost: 0,
        };
        Some(super::stacks(&traced, count, bytes))
    }

    fn files(sides: Paired<Option<Vec<WeightedStack>>>) -> BTreeMap<String, Vec<u8>> {
        let key = BenchmarkKey {
            package: "p".to_owned(),
            target: "t".to_owned(),
            id: "i".to_owned(),
        };
        let files = of_benchmark(&key, &sides, Paired::new(1, 7));
        files.into_iter().collect()
    }

    fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
        let all: Vec<&String> = files.keys().collect();
        let bytes = files
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {all:?}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn folded_stacks_say_what_a_thousand_iterations_ask_for() {
        let base = side(vec![stack("open", 500, 5000)], 1.0, 10.0);
        let head = side(
            vec![stack("open", 500, 5000), stack("seal", 1, 64)],
            1.002,
            10.128,
        );
        let files = files(Paired::new(base, head));
        assert_eq!(text(&files, "alloc.count.base.folded"), "open;alloc 1000\n");
        assert_eq!(
            text(&files, "alloc.count.head.folded"),
            "open;alloc 1000\nseal;alloc 2\n"
        );
        assert_eq!(
            text(&files, "alloc.bytes.head.folded"),
            "open;alloc 10000\nseal;alloc 128\n"
        );
        assert!(text(&files, "alloc.bytes.head.svg").contains("one request in 7"));
        assert!(!text(&files, "alloc.bytes.base.svg").contains("request on average"));
        assert!(text(&files, "alloc.count.diff.svg").contains("seal"));
        assert!(files.contains_key("alloc.base.pb.gz") && files.contains_key("alloc.head.pb.gz"));
    }

    #[test]
    fn what_no_longer_allocates_at_all_is_in_the_picture_of_the_difference() {
        let base = side(vec![stack("open", 500, 5000)], 1.0, 10.0);
        let head = side(Vec::new(), 0.0, 0.0);
        let files = files(Paired::new(base, head));
        let picture = text(&files, "alloc.bytes.diff.svg");
        assert!(
            picture.contains("open (10,000 bytes in 1,000 iterations"),
            "{picture}"
        );
        assert!(picture.contains("widths: base"), "{picture}");
        assert!(!files.contains_key("alloc.count.head.svg"));
        assert!(!files.contains_key("alloc.head.pb.gz"));
        assert_eq!(text(&files, "alloc.count.head.folded"), "");
    }
}
