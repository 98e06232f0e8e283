//! Whole programs that are benchmarks: `[[workload]]`.

use std::collections::BTreeMap;

use super::super::PlanError;
use super::super::value::Span;
use super::super::workload::{Template, Workload, WorkloadCommand};
use super::ValueOrigin;
use super::entry::{EntryKey, EntryKind, EntryReader, EntryScope};
use super::{parameters, workload_metrics};

/// The key of the list of workloads: `[[workload]]`.
pub(super) const KEY: &str = "workload";

/// The key of its parameters.
const PARAMETERS: &str = "parameters";

/// The keys of one workload.
pub(super) const KEYS: &[EntryKey] = &[
    EntryKey::text("name", "Its id in the report [default: its command]"),
    EntryKey::text(
        "command",
        "What is run and measured, for example `{bin:tool} data.json`; `{bin:NAME}` is a program or example as built on \
         each side, `{dir}` the workspace's folder there, `{side}` `base` or `head`",
    ),
    EntryKey::of(
        "shell",
        EntryKind::Switch,
        "Let `sh -c` read the commands, for pipes and redirections",
    ),
    EntryKey::text("prepare", "Command before each run; not measured"),
    EntryKey::text("conclude", "Command after each run; not measured"),
    EntryKey::text("setup", "Command on each side, before all runs of a pass"),
    EntryKey::text("cleanup", "Command on each side, after all runs of a pass"),
    EntryKey::of("env", EntryKind::Texts, "Variables of all its commands"),
    EntryKey::text(
        "stdin",
        "The file on its standard input, from `{dir}` [default: empty]",
    ),
    EntryKey::text(
        "from",
        "Text of the line on its standard output from which on its time counts, so that its start is left out [default: its start]",
    ),
    EntryKey::of(
        "metrics",
        EntryKind::Metrics,
        "What it prints about itself, as lines `NAME VALUE UNIT` or in Bencher's metric format: which way is better, and its limit",
    ),
    EntryKey::of(
        PARAMETERS,
        EntryKind::Lists,
        "Values for `{NAME}` in this entry, which becomes a workload for each combination",
    ),
    EntryKey::of(
        "exit-codes",
        EntryKind::Numbers,
        "The exit codes of a run that counts [default: [0]]",
    ),
    EntryKey::text(
        "timeout",
        "How long a run may take [default: that of `--timeout`]",
    ),
    EntryKey::of(
        "warm-up",
        EntryKind::Number,
        "Runs of each side before those that are measured, at least 1 [default: 1]",
    ),
];

/// Reads one entry: a workload, or one for each combination of its parameters.
pub(super) fn read(
    table: &toml::Table,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Vec<Workload>, PlanError> {
    let reader = |table| EntryReader {
        table,
        keys: KEYS,
        scope,
        origin,
        what: "a workload",
    };
    let tables = parameters::expand(&reader(table), PARAMETERS)?;
    tables.iter().map(|table| one(reader(table))).collect()
}

fn one(reader: EntryReader<'_>) -> Result<Workload, PlanError> {
    let command = command(&reader, "command")?
        .ok_or_else(|| reader.invalid("command", "every workload needs one"))?;
    let name = match reader.text("name")? {
        Some("") => return Err(reader.invalid("name", "it is empty")),
        Some(name) => name.to_owned(),
        None => command.to_string(),
    };
    let warm_up = reader.number("warm-up")?.unwrap_or(1);
    if warm_up == 0 {
        return Err(reader.invalid("warm-up", "the first run finds out whether it runs at all"));
    }
    let from = reader.text("from")?;
    if from == Some("") {
        return Err(reader.invalid("from", "every line has that"));
    }
    let usual = Workload::of(command);
    Ok(Workload {
        name,
        prepare: self::command(&reader, "prepare")?,
        setup: self::command(&reader, "setup")?,
        conclude: self::command(&reader, "conclude")?,
        cleanup: self::command(&reader, "cleanup")?,
        env: env(&reader)?,
        stdin: reader
            .text("stdin")?
            .map(|text| Template::parse(text).map_err(|problem| reader.invalid("stdin", problem)))
            .transpose()?,
        exit_codes: reader.numbers("exit-codes")?.unwrap_or(usual.exit_codes),
        timeout: reader.parsed::<Span>("timeout")?.map(Span::as_duration),
        from: from.map(str::to_owned),
        metrics: workload_metrics::read(&reader, "metrics")?,
        warm_up,
        command: usual.command,
    })
}

fn command(reader: &EntryReader<'_>, key: &str) -> Result<Option<WorkloadCommand>, PlanError> {
    let Some(text) = reader.text(key)? else {
        return Ok(None);
    };
    let read = match reader.switch("shell")? {
        Some(true) => Template::parse(text).map(WorkloadCommand::Shell),
        _ => WorkloadCommand::split(text),
    };
    read.map(Some)
        .map_err(|problem| reader.invalid(key, problem))
}

fn env(reader: &EntryReader<'_>) -> Result<BTreeMap<String, Template>, PlanError> {
    let texts = reader.texts("env")?.into_iter();
    let variables = texts.map(|(name, value)| Ok((name.to_owned(), Template::parse(value)?)));
    variables
        .collect::<Result<_, _>>()
        .map_err(|problem: String| reader.invalid("env", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workloads(text: &str) -> Result<Vec<Workload>, PlanError> {
        read(
            &text.parse().unwrap(),
            EntryScope::Workspace,
            &ValueOrigin::Default,
        )
    }

    fn workload(text: &str) -> Result<Workload, PlanError> {
        Ok(workloads(text)?.remove(0))
    }

    #[test]
    fn an_entry_with_parameters_is_a_workload_for_each_combination() {
        let all = workloads(
            r#"
            name = "sort {size}"
            command = "{bin:tool} sort -n {size} --mode={mode} {dir}"
            parameters = { size = [10, 1000], mode = ["fast", "small"] }
            "#,
        )
        .unwrap();
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "sort 10 mode=fast",
                "sort 1000 mode=fast",
                "sort 10 mode=small",
                "sort 1000 mode=small"
            ]
        );
        let shown = all[3].command.to_string();
        assert_eq!(shown, "tool sort -n 1000 --mode=small .");
    }

    #[test]
    fn a_printed_metric_has_a_direction_and_may_have_a_unit_and_a_limit() {
        let one = workload(
            r#"
            command = "x"
            metrics = { queries = { better = "lower", limit = 3 }, "hit rate" = "higher", wait = { better = "lower", unit = "time", limit = "2ms" } }
            "#,
        )
        .unwrap();
        let shown: Vec<(&str, Option<f64>)> = one
            .metrics
            .iter()
            .map(|one| (one.metric.name, one.limit))
            .collect();
        assert_eq!(
            shown,
            [
                ("hit rate", None),
                ("queries", Some(3.0)),
                ("wait", Some(2e6))
            ]
        );
    }

    #[test]
    fn an_entry_says_everything_about_a_workload() {
        let workload = workload(
            r#"
            name = "sort"
            command = "{bin:tool} sort"
            prepare = "rm -f out"
            env = { LEVEL = "{side}" }
            stdin = "lines.txt"
            exit-codes = [0, 2]
            timeout = "5s"
            from = "ready"
            warm-up = 3
            "#,
        )
        .unwrap();
        assert_eq!(workload.name, "sort");
        assert_eq!(workload.exit_codes, [0, 2]);
        assert_eq!(workload.warm_up, 3);
        assert_eq!(workload.from.as_deref(), Some("ready"));
        assert_eq!(workload.programs().len(), 1);
        assert_eq!(workload.env.len(), 1);
    }

    #[test]
    fn a_shell_reads_the_commands_only_where_it_is_asked_for() {
        let plain = workload("command = \"{bin:tool} | wc\"").unwrap();
        assert_eq!(plain.command.templates().len(), 3);
        let shell = workload("command = \"{bin:tool} | wc\"\nshell = true").unwrap();
        assert!(matches!(shell.command, WorkloadCommand::Shell(_)));
        assert_eq!(shell.name, "tool | wc");
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_its_place() {
        for (text, problem) in [
            ("name = \"x\"", "every workload needs one"),
            ("command = \"x\"\nname = \"\"", "it is empty"),
            ("command = \"x\"\nwarm-up = 0", "finds out"),
            ("command = \"x\"\nfrom = \"\"", "every line has that"),
            ("command = \"x\"\nexit-codes = []", "`[0, 1]`"),
            ("command = \"x\"\nenv = { A = 1 }", "table of strings"),
            ("command = \"{bin:}\"", "names no program"),
            (
                "command = \"x\"\nmetrics = { q = \"less\" }",
                "`lower`, `higher`",
            ),
            (
                "command = \"x\"\nmetrics = { q = { unit = \"count\" } }",
                "needs `better`",
            ),
            ("command = \"x\"\nparameters = { n = 1 }", "a list"),
            (
                "command = \"x\"\nparameters = { dir = [1] }",
                "has a meaning already",
            ),
        ] {
            let error = workload(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(error.contains("of a workload in"), "{error}");
        }
    }
}
