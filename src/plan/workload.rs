//! Whole programs as benchmarks: command lines with places that each side fills with its own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::units::{Metric, command_line};

use super::PlanError;

/// A command line that is measured as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its id in the report.
    pub name: String,
    /// What is run and measured.
    pub command: WorkloadCommand,
    /// What is run before each run of it, and not measured.
    pub prepare: Option<WorkloadCommand>,
    /// What is run on each side before everything else, once in each pass.
    pub setup: Option<WorkloadCommand>,
    /// What is run after each run of it, and not measured.
    pub conclude: Option<WorkloadCommand>,
    /// What is run on each side after everything else, once in each pass.
    pub cleanup: Option<WorkloadCommand>,
    /// Variables that all of them get.
    pub env: BTreeMap<String, Template>,
    /// The file that it reads on its standard input; without one that is empty.
    pub stdin: Option<Template>,
    /// The exit codes of a run that counts.
    pub exit_codes: Vec<i32>,
    /// How long a run may take, where that is not the run's own setting.
    pub timeout: Option<Duration>,
    /// The text of the line on its standard output from which on its time counts; without one that is its start.
    pub from: Option<String>,
    /// What it prints about itself.
    pub metrics: Vec<PrintedMetric>,
    /// How many runs of each side come before those that are measured; at least one, which finds out whether it runs at all.
    pub warm_up: usize,
}

/// A metric that a program prints, as a line `NAME VALUE UNIT` or in Bencher's metric format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrintedMetric {
    /// What it is.
    pub metric: Metric,
    /// What head may have at most, or must have at least.
    pub limit: Option<f64>,
}

/// Whether the project's own benchmarks take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BenchmarkNeed {
    /// There must be some.
    #[default]
    Required,
    /// Where there are some: workloads can be compared without them.
    Optional,
    /// They do not, since the user asked for something else.
    Unwanted,
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadCommand {
    /// A program and its arguments: at least one word.
    Words(Vec<Template>),
    /// What a shell reads.
    Shell(Template),
}

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<TemplatePiece>,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePiece {
    /// As it is.
    Text(String),
    /// `{bin:NAME}`: the path of a program or example as built on a side.
    Program(ProgramName),
    /// `{dir}`: the workspace's folder in a side's checkout.
    Folder,
    /// `{side}`: `base` or `head`.
    Side,
}

/// A program or example of the workspace, typed as `NAME` or `PACKAGE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramName {
    /// The package, where it is named.
    pub package: Option<String>,
    /// The program.
    pub name: String,
}

impl Workload {
    /// A workload with this command and the usual settings, named after its command.
    ///
    /// # Errors
    /// The command cannot be split into words, or it is empty.
    pub fn typed(command: &str) -> Result<Workload, PlanError> {
        let parsed =
            WorkloadCommand::split(command).map_err(|problem| PlanError::InvalidValue {
                origin: "`--run`".to_owned(),
                value: command.to_owned(),
                problem,
            })?;
        Ok(Workload {
            name: parsed.to_string(),
            ..Workload::of(parsed)
        })
    }

    /// The same without a name.
    pub(super) fn of(command: WorkloadCommand) -> Workload {
        Workload {
            name: String::new(),
            command,
            prepare: None,
            setup: None,
            conclude: None,
            cleanup: None,
            env: BTreeMap::new(),
            stdin: None,
            exit_codes: vec![0],
            timeout: None,
            from: None,
            metrics: Vec::new(),
            warm_up: 1,
        }
    }

    /// Every command of it, the measured one first.
    pub fn commands(&self) -> impl Iterator<Item = &WorkloadCommand> {
        let others = [&self.prepare, &self.setup, &self.conclude, &self.cleanup];
        [&self.command]
            .into_iter()
            .chain(others.into_iter().flatten())
    }

    /// The programs of the workspace that it names, each once and in the order of its commands.
    #[must_use]
    pub fn programs(&self) -> Vec<&ProgramName> {
        let words = self.commands().flat_map(WorkloadCommand::templates);
        let templates = words.chain(self.env.values()).chain(&self.stdin);
        let mut programs: Vec<&ProgramName> = Vec::new();
        for program in templates.flat_map(Template::programs) {
            if !programs.contains(&program) {
                programs.push(program);
            }
        }
        programs
    }
}

impl WorkloadCommand {
    /// Splits a command line as a POSIX shell does, without asking one.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub(super) fn split(text: &str) -> Result<WorkloadCommand, String> {
        let words = shlex::split(text).ok_or("a quote is open")?;
        if words.is_empty() {
            return Err("it is empty".to_owned());
        }
        let words = words.iter().map(|word| Template::parse(word));
        words.collect::<Result<_, _>>().map(WorkloadCommand::Words)
    }

    /// Its words, or the one text that a shell reads.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        match self {
            WorkloadCommand::Words(words) => words,
            WorkloadCommand::Shell(text) => std::slice::from_ref(text),
        }
    }

    /// As it is shown beside another command that would be shown alike: programs with the packages that were typed.
    #[must_use]
    pub(super) fn in_full(&self) -> String {
        let words: Vec<String> = self.templates().iter().map(Template::in_full).collect();
        match self {
            WorkloadCommand::Words(_) => command_line(words.iter().map(String::as_str)),
            WorkloadCommand::Shell(_) => words.concat(),
        }
    }

    /// The program of the workspace that is started, if it is one.
    #[must_use]
    pub fn program(&self) -> Option<&ProgramName> {
        match self {
            WorkloadCommand::Words(words) => match &words.first()?.pieces[..] {
                [TemplatePiece::Program(name)] => Some(name),
                _ => None,
            },
            WorkloadCommand::Shell(_) => None,
        }
    }
}

impl std::fmt::Display for WorkloadCommand {
    /// As a reader knows it: programs by their names.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WorkloadCommand::Words(words) => {
                let words: Vec<String> = words.iter().map(Template::shown).collect();
                f.write_str(&command_line(words.iter().map(String::as_str)))
            }
            WorkloadCommand::Shell(text) => f.write_str(&text.shown()),
        }
    }
}

impl Template {
    /// Reads a word. Braces that hold none of the known names stand for themselves.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            plain.push_str(&rest[..open]);
            rest = &rest[open..];
            match rest
                .find('}')
                .map(|close| (close, TemplatePiece::known(&rest[1..close])))
            {
                Some((close, Some(piece))) => {
                    if !plain.is_empty() {
                        pieces.push(TemplatePiece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(piece?);
                    rest = &rest[close + 1..];
                }
                _ => {
                    plain.push('{');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(TemplatePiece::Text(plain));
        }
        Ok(Template { pieces })
    }

    /// Its parts, of which there is at least one.
    #[must_use]
    pub fn pieces(&self) -> &[TemplatePiece] {
        &self.pieces
    }

    /// Its plain parts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            TemplatePiece::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn programs(&self) -> impl Iterator<Item = &ProgramName> {
        self.pieces.iter().filter_map(|piece| match piece {
            TemplatePiece::Program(name) => Some(name),
            _ => None,
        })
    }

    fn shown(&self) -> String {
        let piece = |piece: &TemplatePiece| match piece {
            TemplatePiece::Text(text) => text.clone(),
            TemplatePiece::Program(name) => name.name.clone(),
            TemplatePiece::Folder => ".".to_owned(),
            TemplatePiece::Side => "{side}".to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }

    fn in_full(&self) -> String {
        let piece = |piece: &TemplatePiece| match piece {
            TemplatePiece::Text(text) => text.clone(),
            TemplatePiece::Program(name) => name.to_string(),
            TemplatePiece::Folder => "{dir}".to_owned(),
            TemplatePiece::Side => "{side}".to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }
}

impl TemplatePiece {
    /// What these words between braces stand for, if anything.
    fn known(inside: &str) -> Option<Result<TemplatePiece, String>> {
        match inside {
            "dir" => Some(Ok(TemplatePiece::Folder)),
            "side" => Some(Ok(TemplatePiece::Side)),
            _ => inside
                .strip_prefix("bin:")
                .map(|name| ProgramName::parse(name).map(TemplatePiece::Program)),
        }
    }
}

impl ProgramName {
    fn parse(text: &str) -> Result<ProgramName, String> {
        let (package, name) = match text.split_once('/') {
            Some((package, name)) => (Some(package.to_owned()), name),
            None => (None, text),
        };
        if name.is_empty() || package.as_ref().is_some_and(String::is_empty) {
            return Err(format!(
                "`{{bin:{text}}}` names no program; write `{{bin:NAME}}` or `{{bin:PACKAGE/NAME}}`"
            ));
        }
        Ok(ProgramName {
            package,
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for ProgramName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.package {
            Some(package) => write!(f, "{package}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_does_and_its_places_are_found() {
        let workload =
            Workload::typed("{bin:tool} --json '{\"a\": 1}' {dir}/x {bin:cli/other}").unwrap();
        assert_eq!(workload.command.templates().len(), 5);
        let names: Vec<String> = workload
            .programs()
            .iter()
            .map(ToString::to_string)
            .collect();
        // In the order of the command, not of the alphabet.
        assert_eq!(names, ["tool", "cli/other"]);
        assert_eq!(workload.name, "tool --json '{\"a\": 1}' ./x other");
        assert_eq!(workload.command.program().unwrap().name, "tool");
        assert_eq!(
            workload.command.templates()[2].pieces(),
            [TemplatePiece::Text("{\"a\": 1}".to_owned())]
        );
    }

    #[test]
    fn what_names_no_program_is_refused() {
        for (text, problem) in [
            ("{bin:} x", "names no program"),
            ("{bin:/x}", "names no program"),
            ("'open", "a quote is open"),
            ("  ", "it is empty"),
        ] {
            let error = Workload::typed(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_command_that_starts_another_program_starts_none_of_the_workspace() {
        let workload = Workload::typed("env A=1 {bin:tool}").unwrap();
        assert_eq!(workload.command.program(), None);
        assert_eq!(workload.programs().len(), 1);
    }

    #[test]
    fn the_measured_program_comes_before_those_of_other_commands() {
        let mut workload = Workload::typed("{bin:tool} {bin:zoo} {bin:tool}").unwrap();
        workload.prepare = Some(WorkloadCommand::split("{bin:archive}").unwrap());
        let names = workload.programs();
        let names: Vec<&str> = names.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["tool", "zoo", "archive"]);
    }
}
