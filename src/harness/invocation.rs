//! How a benchmark process is started: its arguments, its environment, its folder.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::build::Executable;
use crate::process::{Placement, Runner, without_session};
use crate::units::Side;

use super::{CriterionVersion, Harness};

/// Criterion's settings for a process. Settings in the benchmark's code override them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `--warm-up-time`.
    pub warm_up: Duration,
    /// `--measurement-time`.
    pub measurement: Duration,
    /// `--sample-size`; Criterion refuses less than ten.
    pub sample_size: usize,
}

impl Timing {
    /// The same, rounded up to whole seconds, for a Criterion that accepts no fractions.
    ///
    /// The additional time makes samples both longer and more numerous: sides that alternate sample
    /// by sample should stay close in time, but if each sample is one slow iteration, every further
    /// sample costs time.
    #[must_use]
    pub fn in_whole_seconds(self) -> Timing {
        let whole = |duration: Duration| {
            let up = u64::from(duration.subsec_nanos() > 0);
            Duration::from_secs((duration.as_secs() + up).max(1))
        };
        let measurement = whole(self.measurement);
        let growth = measurement.as_secs_f64() / self.measurement.as_secs_f64();
        Timing {
            warm_up: whole(self.warm_up),
            measurement,
            sample_size: (self.sample_size as f64 * growth.sqrt()).round() as usize,
        }
    }

    /// The settings for a process in quick mode. It measures a sample of one iteration and one of two. If they took
    /// longer than the measurement time, it would measure only the first one and report it twice.
    #[must_use]
    pub fn quick(self) -> Timing {
        Timing {
            measurement: Duration::from_secs(1000),
            ..self
        }
    }

    pub(super) fn quick_arguments(self) -> [String; 7] {
        [
            // Criterion refuses a sample size together with `--quick`.
            "--quick".into(),
            "--warm-up-time".into(),
            self.warm_up.as_secs_f64().to_string(),
            "--measurement-time".into(),
            self.quick().measurement.as_secs_f64().to_string(),
            // The samples may differ by any amount: there must be only two.
            "--significance-level".into(),
            "0.9".into(),
        ]
    }

    pub(super) fn arguments(self, version: Option<CriterionVersion>) -> [String; 6] {
        let timing = if version.is_some_and(CriterionVersion::wants_whole_seconds) {
            self.in_whole_seconds()
        } else {
            self
        };
        [
            "--warm-up-time".into(),
            timing.warm_up.as_secs_f64().to_string(),
            "--measurement-time".into(),
            timing.measurement.as_secs_f64().to_string(),
            "--sample-size".into(),
            timing.sample_size.to_string(),
        ]
    }
}

/// How much of a benchmark a process measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// As many samples as its settings say.
    Whole,
    /// Two, of one iteration and of two, without a warm-up: Criterion's quick mode ([`CriterionVersion::has_quick_mode`]).
    Quick,
}

/// Which benchmarks a process is to run, as far as its command line can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// None: it names them.
    Nothing,
    /// Those with these ids.
    Ids(Vec<String>),
    /// Those whose ids match a regular expression.
    Pattern(String),
}

impl From<&str> for Filter {
    fn from(pattern: &str) -> Self {
        Filter::Pattern(pattern.to_owned())
    }
}

/// One start of one executable.
#[derive(Debug, Clone)]
pub struct Invocation<'a> {
    /// What is started.
    pub executable: &'a Executable,
    /// For which side.
    pub side: Side,
    /// Which benchmarks are to run.
    pub filter: Filter,
    /// The settings, and the version of Criterion that will read them, if any; `None` if nothing is run.
    pub timing: Option<(Timing, Option<CriterionVersion>)>,
    /// How much of each benchmark it measures.
    pub length: Length,
    /// Where it may run.
    pub placement: Placement,
    /// Added to the environment.
    pub env: Vec<(OsString, OsString)>,
}

impl<'a> Invocation<'a> {
    /// A process that is asked to run no benchmark.
    #[must_use]
    pub fn of_nothing(executable: &'a Executable, side: Side) -> Invocation<'a> {
        Invocation {
            executable,
            side,
            filter: Filter::Nothing,
            timing: None,
            length: Length::Whole,
            placement: Placement::Free,
            env: Vec::new(),
        }
    }

    /// The filter that matches these ids and no others.
    #[must_use]
    pub fn filter_for<'i>(ids: impl IntoIterator<Item = &'i str>) -> Filter {
        Filter::Ids(ids.into_iter().map(str::to_owned).collect())
    }

    /// The filter, with the process's own names for its benchmarks.
    pub(super) fn own_filter(&self) -> Filter {
        let Filter::Ids(ids) = &self.filter else {
            return self.filter.clone();
        };
        let names = &self.executable.names;
        let own = |id: &String| {
            let mut names = names.iter();
            let own = names.find(|(_, shown)| *shown == id).map(|(own, _)| own);
            own.unwrap_or(id).clone()
        };
        Filter::Ids(ids.iter().map(own).collect())
    }

    /// The command. Criterion's files go into `folder`. The environments of both sides have the same names and,
    /// because their paths have equal length, the same size: the environment lies above the stack and moves it.
    pub(super) fn command(&self, harness: &dyn Harness, folder: &Path) -> Command {
        self.command_with(&harness.arguments(self), folder)
    }

    /// The same with other words.
    pub(super) fn command_with(&self, words: &[impl AsRef<OsStr>], folder: &Path) -> Command {
        let runner = self.executable.runner.as_ref();
        let mut command = Runner::launch(runner, &self.executable.path);
        command
            .args(words)
            .current_dir(&self.executable.working_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        without_session(&mut command)
            .env("TMPDIR", temporary(folder, self.side))
            .envs(
                self.executable
                    .env
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env(
                "CRITERION_HOME",
                folder.join("criterion").join(self.side.name()),
            );
        command
    }
}

/// Where the processes of a side put their temporary files: some are ended before they remove them, and the run's
/// folder is removed with the run.
pub(super) fn temporary(folder: &Path, side: Side) -> PathBuf {
    folder.join("temporary").join(side.name())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::super::of;
    use super::*;
    use crate::build::CommandLine;

    fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
        of(invocation.executable.command_line).arguments(invocation)
    }

    /// The expression that a filter becomes.
    fn pattern(filter: Filter) -> String {
        let executable = super::super::fake::executable("");
        let invocation = Invocation {
            filter,
            ..whole(&executable)
        };
        arguments(&invocation).pop().unwrap()
    }

    fn whole(executable: &Executable) -> Invocation<'_> {
        Invocation::of_nothing(executable, Side::Base)
    }

    fn version(major: u8, minor: u8, patch: u8) -> CriterionVersion {
        CriterionVersion {
            major,
            minor,
            patch,
        }
    }

    #[test]
    fn a_filter_matches_its_ids_and_nothing_else() {
        let ids = [
            "sort/1 000",
            "a+b (c)|d",
            r#"quote "this" 'that'"#,
            "größe/名前",
            "^$",
            "back\\slash",
            "nul\0byte",
            "new\nline",
        ];
        let filter = pattern(Invocation::filter_for(ids));
        assert!(!filter.contains('\0'));
        let regex = regex::Regex::new(&filter).unwrap();
        for id in ids {
            assert!(regex.is_match(id), "{id:?} by {filter}");
            assert!(!regex.is_match(&format!("{id}x")), "{id:?} by {filter}");
        }
        assert!(!regex.is_match("sort/1 0000"));
        assert!(!regex.is_match("d"));
        let nothing = regex::Regex::new(&pattern(Filter::Nothing)).unwrap();
        assert!(!nothing.is_match("d"));
    }

    #[test]
    fn a_benchmark_is_asked_for_by_the_name_that_its_process_has_for_it() {
        let names = [("fold/chained".to_owned(), "fold/codeword".to_owned())];
        let executable = Executable {
            names: names.into(),
            ..super::super::fake::executable("")
        };
        let invocation = Invocation {
            filter: Invocation::filter_for(["fold/codeword", "sum"]),
            ..whole(&executable)
        };
        let words = arguments(&invocation).join(" ");
        assert_eq!(words, "--bench --noplot ^(?:fold/chained|sum)$");
    }

    #[test]
    fn each_command_line_is_given_what_it_understands() {
        let words = |command_line, filter| {
            let executable = Executable {
                command_line,
                ..super::super::fake::executable("")
            };
            let timing = Timing {
                warm_up: Duration::from_millis(100),
                measurement: Duration::from_millis(200),
                sample_size: 10,
            };
            let version = version(3, 0, 5);
            let invocation = Invocation {
                filter,
                timing: Some((timing, Some(version))),
                ..whole(&executable)
            };
            arguments(&invocation).join(" ")
        };
        let one = || Invocation::filter_for(["sort/1 000"]);
        let times = "--warm-up-time 0.1 --measurement-time 0.2 --sample-size 10";
        assert_eq!(
            words(CommandLine::Criterion, one()),
            format!("--bench --noplot {times} ^(?:sort/1 000)$")
        );
        assert_eq!(
            words(CommandLine::Criterion2, one()),
            format!("--bench -n {times} --exact -- sort/1 000")
        );
        assert_eq!(
            words(CommandLine::Criterion2, Filter::Nothing),
            format!("--bench -n {times} --ignored")
        );
        assert_eq!(words(CommandLine::Own, one()), "--bench");
        assert_eq!(
            words(CommandLine::Libtest, one()),
            "--bench --test-threads=1 --exact sort/1 000"
        );
    }

    #[test]
    fn quick_mode_is_asked_for_without_a_number_of_samples() {
        let executable = super::super::fake::executable("");
        let timing = Timing {
            warm_up: Duration::from_millis(50),
            measurement: Duration::from_millis(100),
            sample_size: 20,
        };
        let version = version(0, 4, 0);
        assert!(version.has_quick_mode());
        let invocation = Invocation {
            side: Side::Head,
            filter: Invocation::filter_for(["a"]),
            timing: Some((timing, Some(version))),
            length: Length::Quick,
            ..whole(&executable)
        };
        assert_eq!(
            arguments(&invocation).join(" "),
            "--bench --noplot --quick --warm-up-time 0.05 --measurement-time 1000 --significance-level 0.9 ^(?:a)$"
        );
        let command = invocation.command_with(&arguments(&invocation), Path::new("/run"));
        let mut variables = command.get_envs();
        let own = variables.find(|(name, _)| *name == "TMPDIR");
        assert_eq!(own.unwrap().1, Some(OsStr::new("/run/temporary/head")));
    }

    #[test]
    fn an_old_criterion_is_given_whole_seconds() {
        let timing = Timing {
            warm_up: Duration::from_millis(50),
            measurement: Duration::from_millis(1200),
            sample_size: 10,
        };
        assert_eq!(timing.arguments(Some(version(0, 3, 6)))[1], "1");
        assert_eq!(timing.arguments(Some(version(0, 3, 6)))[3], "2");
        assert_eq!(timing.arguments(Some(version(0, 3, 6)))[5], "13");
        let whole = timing.in_whole_seconds();
        assert_eq!(whole.in_whole_seconds(), whole);
        assert_eq!(timing.arguments(Some(version(0, 4, 0)))[1], "0.05");
        assert_eq!(timing.arguments(Some(version(0, 8, 2)))[3], "1.2");
    }
}
