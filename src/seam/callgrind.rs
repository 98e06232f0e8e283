//! What callgrind, a tool of Valgrind, writes down: how many instructions ran, at which place of the code, and who
//! called whom.
//!
//! The format is callgrind's, version 1, with neither names nor positions abbreviated. `desc: Trigger:` says what asked for
//! the dump, `events:` names the columns of numbers, `totals:` (and `summary:`, where that is missing) sums them up. Below a
//! function (`ob=`, `fn=`) stand addresses with their instructions; a call (`cob=`, `cfn=`, `calls=`) has on its next line
//! the address from which it was made, and everything that it executed.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// Whose counts a dump has: benchmark, call, region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dump {
    generation: u64,
    call: u64,
    region: u64,
}

impl Dump {
    pub(super) fn numbered(generation: u64, call: u64, region: u64) -> Dump {
        Dump {
            generation,
            call,
            region,
        }
    }

    /// `<generation>.<call>.<region>`.
    fn parse(text: &str) -> Option<Dump> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Dump::numbered(next()?, next()?, next()?))
    }
}

/// Whose a dump is, and how many instructions it counts.
pub(super) fn total(text: &str) -> Option<(Dump, u64)> {
    let after = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let dump =
        after("desc: Trigger: Client Request: ").and_then(|asked| Dump::parse(asked.trim()))?;
    Some((dump, instructions(text)?))
}

/// How many instructions a dump counts.
pub(super) fn instructions(text: &str) -> Option<u64> {
    let after = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let column = instructions_column(text)?;
    let sums = after("totals: ").or_else(|| after("summary: "))?;
    sums.split_whitespace().nth(column)?.parse().ok()
}

/// In which column of numbers the instructions are.
fn instructions_column(text: &str) -> Option<usize> {
    let events = text
        .lines()
        .find_map(|line| line.strip_prefix("events: "))?;
    events.split_whitespace().position(|name| name == "Ir")
}

/// What a process executed of one benchmark, call by call: call i has 2^i iterations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecutedCode {
    functions: Vec<ExecutedFunction>,
    calls: Vec<CodeCosts>,
}

/// A function that was executed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExecutedFunction {
    /// The executable or library.
    pub object: PathBuf,
    /// Its symbol, as the linker has it.
    pub symbol: String,
}

/// An instruction, by its function (an index) and its address as in the symbol table of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodePlace {
    /// Which function.
    pub function: usize,
    /// The address.
    pub address: u64,
}

/// Instructions that were executed, by place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeCosts {
    /// How often the instruction at a place was executed.
    pub own: BTreeMap<CodePlace, u64>,
    /// What calls of a function (an index) from a place executed, with all that they called.
    pub called: BTreeMap<(CodePlace, usize), u64>,
}

/// What some iterations of a benchmark executed.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutedIterations<'a> {
    /// The functions, which [`CodePlace`] counts.
    pub functions: &'a [ExecutedFunction],
    /// What was executed where.
    pub costs: CodeCosts,
    /// How many iterations.
    pub iterations: f64,
}

impl ExecutedCode {
    /// How many calls were counted.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What iterations execute, as the first `calls` calls show it. From three calls on it is what the last one has more
    /// than the one before; with fewer it is all of the last call.
    #[must_use]
    pub fn iterations(&self, calls: usize) -> Option<ExecutedIterations<'_>> {
        let (last, before) = self.calls.get(..calls)?.split_last()?;
        let iterations = 2_f64.powi(i32::try_from(before.len()).ok()?);
        let (costs, iterations) = match before.last().filter(|_| calls >= 3) {
            Some(before) => (last.beyond(before), iterations / 2.0),
            None => (last.clone(), iterations),
        };
        Some(ExecutedIterations {
            functions: &self.functions,
            costs,
            iterations,
        })
    }

    /// Takes the dumps of the regions of one benchmark, call by call.
    pub(super) fn of_calls<'a>(
        calls: impl IntoIterator<Item = Vec<&'a str>>,
    ) -> Option<ExecutedCode> {
        let mut found = ExecutedCode::default();
        let mut known = HashMap::new();
        for regions in calls {
            let mut costs = CodeCosts::default();
            for text in regions {
                let mut reader = DumpReader {
                    functions: &mut found.functions,
                    known: &mut known,
                    costs: &mut costs,
                    column: instructions_column(text)?,
                };
                reader.read(text)?;
            }
            found.calls.push(costs);
        }
        Some(found)
    }
}

impl CodeCosts {
    /// What this has more than `less`.
    fn beyond(&self, less: &CodeCosts) -> CodeCosts {
        CodeCosts {
            own: beyond(&self.own, &less.own),
            called: beyond(&self.called, &less.called),
        }
    }
}

fn beyond<K: Ord + Copy>(most: &BTreeMap<K, u64>, less: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let more = most.iter().map(|(key, count)| {
        let less = less.get(key).copied().unwrap_or(0);
        (*key, count.saturating_sub(less))
    });
    more.filter(|(_, count)| *count > 0).collect()
}

/// Reads one dump.
struct DumpReader<'a> {
    functions: &'a mut Vec<ExecutedFunction>,
    known: &'a mut HashMap<ExecutedFunction, usize>,
    costs: &'a mut CodeCosts,
    column: usize,
}

impl DumpReader<'_> {
    /// `None` where it is not in the format.
    fn read(&mut self, text: &str) -> Option<()> {
        let (mut object, mut function) = ("", None);
        let (mut called_object, mut called) = (None, None);
        let mut calls = None;
        for line in text.lines() {
            if line.starts_with("0x") {
                let (address, instructions) = self.cost(line)?;
                let place = CodePlace {
                    function: function?,
                    address,
                };
                match calls.take() {
                    Some(callee) => {
                        *self.costs.called.entry((place, callee)).or_default() += instructions
                    }
                    None => *self.costs.own.entry(place).or_default() += instructions,
                }
            } else if let Some(name) = line.strip_prefix("ob=") {
                object = name;
            } else if let Some(name) = line.strip_prefix("fn=") {
                function = Some(self.function(object, name));
                (called_object, called) = (None, None);
            } else if let Some(name) = line.strip_prefix("cob=") {
                called_object = Some(name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = Some(self.function(called_object.take().unwrap_or(object), name));
            } else if line.starts_with("calls=") {
                calls = Some(called.take()?);
            }
        }
        Some(())
    }

    /// `0x4011d 12`: an address and how many instructions.
    fn cost(&self, line: &str) -> Option<(u64, u64)> {
        let mut words = line.split_whitespace();
        let address = words.next()?.strip_prefix("0x")?;
        let address = u64::from_str_radix(address, 16).ok()?;
        // Columns at the end that are zero are left out.
        let instructions = words
            .nth(self.column)
            .map_or(Some(0), |word| word.parse().ok())?;
        Some((address, instructions))
    }

    fn function(&mut self, object: &str, name: &str) -> usize {
        let function = ExecutedFunction {
            object: PathBuf::from(object),
            symbol: name.to_owned(),
        };
        let functions = &mut *self.functions;
        *self.known.entry(function.clone()).or_insert_with(|| {
            functions.push(function);
            functions.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTALS: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 24905\ncmd:  ./shapes08 --bench\n\
        part: 7\n\n\ndesc: I1 cache: \ndesc: Timerange: Basic block 87 - 96\n\
        desc: Trigger: Client Request: 3.4.0\n\npositions: line\nevents: Ir\nsummary: 14538\n\n\
        ob=(1) /tmp/shapes08\nfl=(1) ???\nfn=(1) shapes08::work\n0 14385\n\ntotals: 14538\n";

    const PLACES: &str = "desc: Trigger: Client Request: 3.4.0\npositions: instr\nevents: Ir\nsummary: 19\n\n\
        ob=/tmp/shapes\nfl=???\nfn=work\n0x10 2\n0x14 2\ncfi=???\ncfn=helper\ncalls=2 0x40\n0x14 10\n\
        cob=/lib/libc.so.6\ncfi=???\ncfn=memcpy\ncalls=1 0x900\n0x18 5\n0x18 1\n\n\
        fn=helper\nfi=/src/inlined.rs\n0x40 6\nfe=/src/lib.rs\n0x44 4\n\n\
        ob=/lib/libc.so.6\nfn=memcpy\n0x900 5\n\ntotals: 20\n";

    #[test]
    fn a_dump_says_whose_it_is_and_how_many_instructions_it_counts() {
        assert_eq!(total(TOTALS), Some((Dump::numbered(3, 4, 0), 14_538)));
        let without = TOTALS.replace("totals: 14538\n", "");
        assert_eq!(total(&without), Some((Dump::numbered(3, 4, 0), 14_538)));
        let branches = TOTALS
            .replace("events: Ir", "events: Bc Bcm Ir")
            .replace("totals: 14538", "totals: 70 3 14538");
        assert_eq!(total(&branches).unwrap().1, 14_538);
    }

    #[test]
    fn what_is_no_dump_of_the_probes_counts_nothing() {
        assert_eq!(total(""), None);
        assert_eq!(
            total(&TOTALS.replace("Client Request: 3.4.0", "Program termination")),
            None
        );
        assert_eq!(total(&TOTALS.replace("14538", "many")), None);
        assert_eq!(total(&TOTALS.replace("events: Ir", "events: Bc")), None);
    }

    #[test]
    fn a_dump_says_what_was_executed_where_and_what_each_call_cost() {
        let code = ExecutedCode::of_calls([vec![PLACES]]).unwrap();
        let executed = code.iterations(1).unwrap();
        let names: Vec<&str> = executed
            .functions
            .iter()
            .map(|f| f.symbol.as_str())
            .collect();
        assert_eq!(names, ["work", "helper", "memcpy"]);
        assert_eq!(
            executed.functions[2].object,
            PathBuf::from("/lib/libc.so.6")
        );
        let place = |function, address| CodePlace { function, address };
        let own = [
            (place(0, 0x10), 2),
            (place(0, 0x14), 2),
            (place(0, 0x18), 1),
            (place(1, 0x40), 6),
            (place(1, 0x44), 4),
            (place(2, 0x900), 5),
        ];
        assert_eq!(executed.costs.own, BTreeMap::from(own));
        let called = [((place(0, 0x14), 1), 10), ((place(0, 0x18), 2), 5)];
        assert_eq!(executed.costs.called, BTreeMap::from(called));
    }

    #[test]
    fn an_iteration_executes_what_one_call_has_more_than_the_one_before() {
        let doubled = |factor: u64| {
            let text = PLACES.replace("0x40 6", &format!("0x40 {}", 6 * factor + 100));
            text.replace(
                "calls=2 0x40\n0x14 10",
                &format!("calls=2 0x40\n0x14 {}", 10 * factor),
            )
        };
        let texts: Vec<String> = [1, 2, 4, 8].map(doubled).into();
        let code = ExecutedCode::of_calls(texts.iter().map(|text| vec![text.as_str()])).unwrap();
        let executed = code.iterations(4).unwrap();
        assert_eq!(executed.iterations, 4.0);
        assert_eq!(executed.costs.own.values().sum::<u64>(), 4 * 6);
        assert_eq!(executed.costs.called.values().sum::<u64>(), 4 * 10);
        assert_eq!(code.iterations(2).unwrap().iterations, 2.0);
        assert_eq!(code.iterations(5), None);
    }

    #[test]
    fn what_is_not_in_the_format_is_not_guessed() {
        for (good, bad) in [
            ("0x44 4", "0x44 four"),
            ("fn=work\n", "\n"),
            ("cfn=helper\n", ""),
        ] {
            assert_eq!(
                ExecutedCode::of_calls([vec![&*PLACES.replace(good, bad)]]),
                None,
                "{bad}"
            );
        }
    }
}
