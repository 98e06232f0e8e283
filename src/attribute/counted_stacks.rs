//! Counted instructions as stacks, so that they lead to functions and hunks in the way that samples do.
//!
//! Callgrind knows which place called which function, and how many instructions those calls executed; it keeps no
//! whole stacks. So a function's own instructions are spread over the places that call it, in proportion to what the calls
//! from there executed, and so on outwards to the function that runs the routine. This is exact where a function has one
//! caller, or all its callers lie in functions that the project can change. Calls of a function by itself count for its
//! first caller.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::rc::Rc;

use crate::binary::{Frame, Symbols};
use crate::flame::Stack;
use crate::seam::{CodePlace, ExecutedIterations};

use super::code::Differing;
use super::stacks::{Sameness, Sampled, Stacks, is_harness, unknown};

/// A way outwards that has a smaller part of a function's instructions is left out; its part goes to the others.
const LEAST: f64 = 0.01;

/// A stack of more functions than this is cut.
const DEEPEST: usize = 200;

/// What iterations of one side executed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CountedStacks {
    /// Instructions of all iterations together, as weights.
    pub(super) stacks: Stacks,
    /// How many iterations.
    pub(super) iterations: f64,
    /// How many instructions an iteration has, those included that no call from the routine leads to.
    pub(super) per_iteration: f64,
}

/// Names for what `executable` executed, `per_iteration` instructions in each. `against` has the code that differs from the other side's.
///
/// # Errors
/// Why the executable's symbols cannot be read, as a lower-case fragment.
pub(super) fn resolve(
    executed: &ExecutedIterations<'_>,
    per_iteration: f64,
    executable: &Path,
    against: Option<&Differing>,
) -> Result<CountedStacks, String> {
    let symbols = Symbols::open(executable).map_err(|error| error.to_string())?;
    let in_executable = in_executable(executed, executable);
    let names = |place: CodePlace| {
        let known = match in_executable[place.function] {
            true => symbols.frames(place.address),
            false => Vec::new(),
        };
        match known.is_empty() {
            true => vec![unknown(&demangled(
                &executed.functions[place.function].symbol,
            ))],
            false => known,
        }
    };
    let code = |place: CodePlace| {
        let object = &executed.functions[place.function].object;
        let differs = |differing: &Differing| match in_executable[place.function] {
            true => differing.has(place.address),
            false => differing.has_library(object),
        };
        match against.map(differs) {
            None => Sameness::Unknown,
            Some(true) => Sameness::Differs,
            Some(false) => Sameness::Same,
        }
    };
    let graph = CallGraph::of(executed, &names, &code);
    Ok(CountedStacks {
        stacks: graph.stacks(),
        iterations: executed.iterations,
        per_iteration,
    })
}

/// Of each function, whether it is in the executable itself, and in no library.
fn in_executable(executed: &ExecutedIterations<'_>, executable: &Path) -> Vec<bool> {
    let canonical = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let own = canonical(executable);
    let mut known: HashMap<&Path, bool> = HashMap::new();
    let functions = executed.functions.iter();
    functions
        .map(|function| {
            let object = function.object.as_path();
            *known
                .entry(object)
                .or_insert_with(|| canonical(object) == own)
        })
        .collect()
}

fn demangled(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// Who called whom.
struct CallGraph<'a> {
    executed: &'a ExecutedIterations<'a>,
    /// Of each function, the places that call it and which part of its instructions is theirs.
    callers: HashMap<usize, Vec<(CodePlace, f64)>>,
    names: &'a dyn Fn(CodePlace) -> Vec<Frame>,
    code: &'a dyn Fn(CodePlace) -> Sameness,
}

/// A way from a function outwards to the one that runs the routine.
#[derive(Debug, Clone, PartialEq)]
struct WayOut {
    /// Which part of the function's instructions was executed on it.
    part: f64,
    /// The callers, the innermost first.
    callers: Vec<CodePlace>,
}

impl<'a> CallGraph<'a> {
    fn of(
        executed: &'a ExecutedIterations<'a>,
        names: &'a dyn Fn(CodePlace) -> Vec<Frame>,
        code: &'a dyn Fn(CodePlace) -> Sameness,
    ) -> CallGraph<'a> {
        let mut callers: HashMap<usize, Vec<(CodePlace, f64)>> = HashMap::new();
        for ((place, callee), instructions) in &executed.costs.called {
            if place.function != *callee {
                let places = callers.entry(*callee).or_default();
                places.push((*place, *instructions as f64));
            }
        }
        for places in callers.values_mut() {
            let sum: f64 = places.iter().map(|(_, instructions)| instructions).sum();
            places.iter_mut().for_each(|(_, part)| *part /= sum);
            places.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        CallGraph {
            executed,
            callers,
            names,
            code,
        }
    }

    fn stacks(&self) -> Stacks {
        let mut known = FrameCache::default();
        let mut found: BTreeMap<(Vec<Frame>, Sameness), u64> = BTreeMap::new();
        let mut own = self.executed.costs.own.iter().peekable();
        while let Some((first, _)) = own.peek() {
            let function = first.function;
            let mut lines: BTreeMap<(Rc<Vec<Frame>>, Sameness), u64> = BTreeMap::new();
            while let Some((place, count)) = own.next_if(|(place, _)| place.function == function) {
                let key = (known.frames(*place, self.names), (self.code)(*place));
                *lines.entry(key).or_default() += count;
            }
            let mut outwards = None;
            for ((frames, code), count) in lines {
                if let Some(first) = frames.iter().position(is_harness) {
                    let frames = frames[..=first].to_vec();
                    *found.entry((frames, code)).or_default() += count;
                    continue;
                }
                let ways = outwards.get_or_insert_with(|| self.outwards(function, &mut known));
                for (way, count) in ways.iter().zip(spread(count, ways)) {
                    let (frames, code) = self.whole((&frames[..], code), way, &mut known);
                    *found.entry((frames, code)).or_default() += count;
                }
            }
        }
        let found = found.into_iter().filter(|(_, weight)| *weight > 0);
        let sampled = found.map(|((frames, code), weight)| Sampled {
            stack: Stack { frames, weight },
            code,
        });
        Stacks {
            sampled: sampled.collect(),
        }
    }

    /// A stack from its innermost function to the one that runs the routine.
    fn whole(
        &self,
        (frames, code): (&[Frame], Sameness),
        way: &WayOut,
        known: &mut FrameCache,
    ) -> (Vec<Frame>, Sameness) {
        let mut whole = frames.to_vec();
        let mut sameness = code;
        for caller in &way.callers {
            whole.extend(known.frames(*caller, self.names).iter().cloned());
            if (self.code)(*caller) == Sameness::Differs {
                sameness = Sameness::Differs;
            }
        }
        if let Some(first) = whole.iter().position(is_harness) {
            whole.truncate(first + 1);
        }
        (whole, sameness)
    }

    /// The ways from a function to the one that runs the routine; none where it is not called from there.
    fn outwards(&self, function: usize, known: &mut FrameCache) -> Vec<WayOut> {
        let mut found = Vec::new();
        let start = WayOut {
            part: 1.0,
            callers: Vec::new(),
        };
        self.follow(start, function, &mut vec![function], known, &mut found);
        if found.is_empty() {
            found.extend(self.shortest(function, known));
        }
        let sum: f64 = found.iter().map(|way| way.part).sum();
        found.iter_mut().for_each(|way| way.part /= sum);
        found
    }

    /// The way of fewest calls, for where functions that call each other hide every other one.
    fn shortest(&self, function: usize, known: &mut FrameCache) -> Option<WayOut> {
        let mut seen = HashSet::from([function]);
        let mut next = VecDeque::from([(function, Vec::new())]);
        while let Some((function, way)) = next.pop_front() {
            for (place, _) in self.callers.get(&function).into_iter().flatten() {
                let callers = [&way[..], &[*place]].concat();
                if known.frames(*place, self.names).iter().any(is_harness) {
                    return Some(WayOut { part: 1.0, callers });
                }
                if seen.insert(place.function) {
                    next.push_back((place.function, callers));
                }
            }
        }
        None
    }

    fn follow(
        &self,
        way: WayOut,
        function: usize,
        passed: &mut Vec<usize>,
        known: &mut FrameCache,
        found: &mut Vec<WayOut>,
    ) {
        let callers = self.callers.get(&function).map_or(&[][..], Vec::as_slice);
        let callers = callers
            .iter()
            .filter(|(place, _)| !passed.contains(&place.function));
        let callers: Vec<(CodePlace, f64)> = callers.copied().collect();
        for (nth, (place, part)) in callers.into_iter().enumerate() {
            let mut longer = way.clone();
            longer.part *= part;
            longer.callers.push(place);
            // The largest is followed however small it is.
            if (nth > 0 && longer.part < LEAST) || passed.len() > DEEPEST {
                continue;
            }
            if known.frames(place, self.names).iter().any(is_harness) {
                found.push(longer);
                continue;
            }
            passed.push(place.function);
            self.follow(longer, place.function, passed, known, found);
            passed.pop();
        }
    }
}

/// A whole number in these parts, whose sum it is.
fn spread(count: u64, ways: &[WayOut]) -> Vec<u64> {
    let mut parts: Vec<u64> = ways
        .iter()
        .map(|way| (count as f64 * way.part) as u64)
        .collect();
    let left = count.saturating_sub(parts.iter().sum());
    let largest = (0..ways.len()).max_by(|a, b| ways[*a].part.total_cmp(&ways[*b].part));
    if let Some(largest) = largest {
        parts[largest] += left;
    }
    parts
}

/// Names that were looked up.
#[derive(Default)]
struct FrameCache(HashMap<CodePlace, Rc<Vec<Frame>>>);

impl FrameCache {
    fn frames(
        &mut self,
        place: CodePlace,
        names: &dyn Fn(CodePlace) -> Vec<Frame>,
    ) -> Rc<Vec<Frame>> {
        let found = self.0.entry(place);
        Rc::clone(found.or_insert_with(|| Rc::new(names(place))))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::seam::{CodeCosts, ExecutedFunction};

    const HARNESS: &str = "criterion::bencher::Bencher<M>::iter";

    /// What was executed: own instructions by function, and calls (caller, callee, instructions). Each function has
    /// one place. Function 0 runs the routine.
    fn stacks(
        names: &[&str],
        own: &[(usize, u64)],
        called: &[(usize, usize, u64)],
    ) -> BTreeMap<String, u64> {
        let functions: Vec<ExecutedFunction> = names
            .iter()
            .map(|name| ExecutedFunction {
                object: PathBuf::from("/it"),
                symbol: (*name).to_owned(),
            })
            .collect();
        let place = |function: usize| CodePlace {
            function,
            address: 0x100 * (function as u64 + 1),
        };
        let executed = ExecutedIterations {
            functions: &functions,
            costs: CodeCosts {
                own: own
                    .iter()
                    .map(|(function, count)| (place(*function), *count))
                    .collect(),
                called: called
                    .iter()
                    .map(|(caller, callee, count)| ((place(*caller), *callee), *count))
                    .collect(),
            },
            iterations: 4.0,
        };
        let name = |place: CodePlace| vec![unknown(&functions[place.function].symbol)];
        let code = |_: CodePlace| Sameness::Unknown;
        let found = CallGraph::of(&executed, &name, &code).stacks();
        let path = |stack: &Stack| {
            let names: Vec<&str> = stack
                .frames
                .iter()
                .rev()
                .map(|f| f.function.as_str())
                .collect();
            names[1..].join("/")
        };
        found
            .plain()
            .map(|stack| (path(stack), stack.weight))
            .collect()
    }

    fn expected(all: &[(&str, u64)]) -> BTreeMap<String, u64> {
        all.iter()
            .map(|(path, weight)| ((*path).to_owned(), *weight))
            .collect()
    }

    #[test]
    fn instructions_of_a_callee_are_spread_over_its_callers_by_what_they_had_it_execute() {
        let found = stacks(
            &[HARNESS, "a", "b", "malloc"],
            &[(1, 10), (2, 20), (3, 101)],
            &[(0, 1, 10 + 75), (0, 2, 20 + 25), (1, 3, 75), (2, 3, 25)],
        );
        let all = [("a", 10), ("b", 20), ("a/malloc", 76), ("b/malloc", 25)];
        assert_eq!(found, expected(&all));
    }

    #[test]
    fn what_calls_itself_counts_for_who_called_it_first() {
        let found = stacks(
            &[HARNESS, "sort", "less"],
            &[(1, 50), (2, 30)],
            &[(0, 1, 80), (1, 1, 60), (1, 2, 30), (2, 1, 7)],
        );
        assert_eq!(found, expected(&[("sort", 50), ("sort/less", 30)]));
    }

    #[test]
    fn what_the_routine_does_not_call_is_left_out() {
        let found = stacks(
            &[HARNESS, "a", "clock"],
            &[(0, 3), (1, 10), (2, 99)],
            &[(0, 1, 10)],
        );
        assert_eq!(found, expected(&[("", 3), ("a", 10)]));
    }

    #[test]
    fn functions_that_call_each_other_lose_nothing() {
        let found = stacks(
            &[HARNESS, "enter", "even", "odd"],
            &[(2, 1000), (3, 500)],
            &[(0, 1, 1500), (1, 2, 1), (2, 3, 999), (3, 2, 999)],
        );
        let all = [("enter/even", 1000), ("enter/even/odd", 500)];
        assert_eq!(found, expected(&all));
    }

    #[test]
    fn rare_ways_are_left_out_and_nothing_is_lost() {
        let found = stacks(
            &[HARNESS, "a", "b", "c"],
            &[(3, 1000)],
            &[(0, 1, 997), (0, 2, 3), (1, 3, 997), (2, 3, 3)],
        );
        assert_eq!(found, expected(&[("a/c", 1000)]));
    }
}
