//! What programs print about themselves: lines `NAME VALUE UNIT`, or Bencher's metric format.
//!
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::units::{Metric, Unit};

/// The longest line that is read, and the longest document: a program may print megabytes.
const LONGEST: usize = 1 << 20;

/// How long to wait for the rest of the output once the program is dead: only a process that left its group can hold it
/// open longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The values of a run, in the order of the metrics; `None` for what it did not print.
pub(super) type PrintedValues = Vec<Option<f64>>;

/// Reads the output of a program on a thread of its own.
#[derive(Debug)]
pub(super) struct PrintedOutput(Receiver<Result<PrintedValues, String>>);

impl PrintedOutput {
    /// Begins to read.
    pub(super) fn of(stream: impl Read + Send + 'static, metrics: &[Metric]) -> PrintedOutput {
        let (announce, heard) = channel();
        let metrics = metrics.to_vec();
        std::thread::spawn(move || {
            // The receiver may be gone, which is fine.
            let _ = announce.send(read(stream, &metrics));
        });
        PrintedOutput(heard)
    }

    /// What was printed, once the program is dead.
    ///
    /// # Errors
    /// A value that is none, as a lower-case fragment.
    pub(super) fn values(&self) -> Result<PrintedValues, String> {
        self.0
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| Err("left a process that holds its output open".to_owned()))
    }
}

/// What a bencher metric format document holds.
#[derive(Debug, serde::Deserialize)]
struct MeasuredValue {
    value: f64,
}

fn read(stream: impl Read, metrics: &[Metric]) -> Result<PrintedValues, String> {
    let mut values = vec![None; metrics.len()];
    let mut document = String::new();
    let mut stream = BufReader::new(stream);
    let mut broken = None;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut stream).take(LONGEST as u64);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line);
        if document.len() + line.len() <= LONGEST {
            document.push_str(&line);
        }
        let longest = metrics.iter().filter(|metric| names(&line, metric.name));
        let longest = longest.map(|metric| metric.name.len()).max();
        for (metric, value) in metrics.iter().zip(&mut values) {
            // `hit rate: 1` says nothing of a metric `hit`.
            if Some(metric.name.len()) != longest {
                continue;
            }
            match of_line(&line, *metric) {
                None => {}
                Some(Ok(read)) => *value = Some(read),
                // The program goes on, and has to be read to its end.
                Some(Err(problem)) => broken = broken.or(Some(problem)),
            }
        }
    }
    if let Some(problem) = broken {
        return Err(problem);
    }
    let printed = of_document(&document, metrics);
    Ok(match printed {
        Some(printed) => printed,
        None => values,
    })
}

/// What stands between a name and its value.
const BETWEEN: [char; 4] = [' ', '\t', ':', '='];

/// Whether a line begins with this name.
fn names(line: &str, name: &str) -> bool {
    let rest = line.trim().strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with(BETWEEN))
}

/// What a line says of a metric; `None` where it is about something else.
fn of_line(line: &str, metric: Metric) -> Option<Result<f64, String>> {
    let rest = line.trim().strip_prefix(metric.name)?;
    let said = rest.trim_start_matches(BETWEEN);
    if said.len() == rest.len() || said.is_empty() {
        return None;
    }
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let end = said.find(|c| !is_of_number(c)).unwrap_or(said.len());
    let (number, behind) = said.split_at(end);
    let unit = behind.split_whitespace().next().unwrap_or_default();
    let broken = |why: &str| {
        let line: String = line.trim().chars().take(80).collect();
        Err(format!("printed `{line}`, {why}"))
    };
    if goes_on(behind) {
        return Some(broken(
            "whose number is not written in plain digits (1234 or 1.2e4, not 1,234, 1_000 or 12k)",
        ));
    }
    Some(match (number.parse::<f64>(), factor(metric.unit, unit)) {
        (Ok(number), Some(factor)) if number.is_finite() => Ok(number * factor),
        (Ok(number), None) if number.is_finite() => broken(match metric.unit {
            Unit::Nanoseconds => "whose unit is no time (ns, us, ms, s)",
            Unit::Bytes => "whose unit is no size (B, KB, KiB, MB, MiB, GB, GiB)",
            _ => "whose unit says more than a number: give the metric a `unit`",
        }),
        _ => broken("which has no number"),
    })
}

/// Whether what stands behind a number's digits belongs to the number: more digits, or a letter for thousands.
fn goes_on(behind: &str) -> bool {
    let is_grouped = behind.starts_with([',', '_', '\''])
        && behind[1..].starts_with(|c: char| c.is_ascii_digit());
    let word = behind.split_whitespace().next().unwrap_or_default();
    let word = word.trim_end_matches([',', ';', '.', ')']);
    is_grouped || ["k", "K", "M", "G", "T"].contains(&word)
}

/// How much of the metric's unit one of the printed unit is.
fn factor(unit: Unit, printed: &str) -> Option<f64> {
    let times = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
    ];
    let sizes = [
        ("B", 1.0),
        ("KB", 1e3),
        ("kB", 1e3),
        ("KiB", 1024.0),
        ("MB", 1e6),
        ("MiB", 1_048_576.0),
        ("GB", 1e9),
        ("GiB", 1_073_741_824.0),
    ];
    let find = |units: &[(&str, f64)]| {
        let found = units.iter().find(|(name, _)| *name == printed);
        found.map(|(_, factor)| *factor)
    };
    match unit {
        Unit::Nanoseconds => find(&times),
        Unit::Bytes => find(&sizes),
        _ if find(&times).or(find(&sizes)).is_some() => None,
        _ => Some(1.0),
    }
}

/// The values of a document in Bencher's metric format: by measure, or by benchmark and measure where several benchmarks
/// have one. `None` for other text.
fn of_document(text: &str, metrics: &[Metric]) -> Option<PrintedValues> {
    type Document = BTreeMap<String, BTreeMap<String, MeasuredValue>>;
    let document: Document = serde_json::from_str(text.trim()).ok()?;
    let value = |metric: &Metric| {
        let all = document.iter().flat_map(|(benchmark, measures)| {
            let measures = measures.iter();
            measures.map(move |(measure, value)| (benchmark, measure, value.value))
        });
        let mut found = all.filter(|(benchmark, measure, _)| {
            *measure == metric.name || format!("{benchmark}/{measure}") == metric.name
        });
        let (_, _, value) = found.next()?;
        found.next().is_none().then_some(value)
    };
    Some(metrics.iter().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Better;

    fn metrics() -> Vec<Metric> {
        vec![
            Metric::printed("queries", Unit::Count, Better::Lower),
            Metric::printed("wait", Unit::Nanoseconds, Better::Lower),
            Metric::printed("bundle", Unit::Bytes, Better::Lower),
        ]
    }

    fn values(text: &str) -> Result<PrintedValues, String> {
        read(text.as_bytes(), &metrics())
    }

    #[test]
    fn lines_name_a_metric_its_value_and_its_unit() {
        let text = "working …\nqueries 3\nwait: 2.5 ms\nbundle=1.5KiB\n";
        let read = values(text).unwrap();
        assert_eq!(read, [Some(3.0), Some(2.5e6), Some(1536.0)]);
        assert_eq!(
            values("queries 3\nqueries 4 per request\n").unwrap()[0],
            Some(4.0)
        );
        assert_eq!(values("queriesque 3\nqueries\n").unwrap()[0], None);
    }

    #[test]
    fn a_line_is_about_the_longest_name_that_it_begins_with() {
        let both =
            ["hit", "hit rate"].map(|name| Metric::printed(name, Unit::Count, Better::Lower));
        let printed = |text: &str| super::read(text.as_bytes(), &both).unwrap();
        assert_eq!(printed("hit rate: 0.5\n"), [None, Some(0.5)]);
        assert_eq!(printed("hit 3\nhit rate: 0.5\n"), [Some(3.0), Some(0.5)]);
        assert_eq!(printed("hit 3, in all\n"), [Some(3.0), None]);
    }

    #[test]
    fn a_document_in_bencher_s_format_names_measures() {
        let text = r#"{ "load": { "queries": { "value": 7.0, "lower_value": 6.0 }, "wait": { "value": 12.0 } } }"#;
        let read = values(text).unwrap();
        assert_eq!(read, [Some(7.0), Some(12.0), None]);
        let two = r#"{ "a": { "queries": { "value": 1 } }, "b": { "queries": { "value": 2 } } }"#;
        assert_eq!(values(two).unwrap()[0], None);
        let named = [Metric::printed("b/queries", Unit::Count, Better::Lower)];
        assert_eq!(super::read(two.as_bytes(), &named).unwrap(), [Some(2.0)]);
    }

    #[test]
    fn a_broken_value_is_quoted() {
        for (text, problem) in [
            ("queries many\n", "`queries many`, which has no number"),
            ("queries NaN\n", "which has no number"),
            ("wait 3\n", "no time (ns, us, ms, s)"),
            ("bundle 3 apples\n", "no size"),
            ("queries 3 ms\n", "give the metric a `unit`"),
            ("queries 1,234\n", "`queries 1,234`, whose number"),
            ("queries 1_000\n", "not written in plain digits"),
            ("queries 12k\n", "not written in plain digits"),
            ("queries 12 M,\n", "not written in plain digits"),
            ("wait 1,234 ms\n", "not written in plain digits"),
        ] {
            let error = values(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn megabytes_without_a_line_are_read_to_their_end() {
        let text = "x".repeat(3 * LONGEST) + "\nqueries 5\n";
        assert_eq!(values(&text).unwrap()[0], Some(5.0));
    }
}
