//! From what was typed to what will be done. Priority: flag, then environment, then
//! configuration, then default.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::units::{Charset, Ratio};

use super::args::own_words;
use super::config::{Configuration, Rules, ValueOrigin};
use super::mode::Mode;
use super::value::{Share, Span};
use super::{
    Actions, AllocationPolicy, Annotations, BenchmarkNeed, Cache, CalibrateArgs, CauseEvidence,
    Claim, ColourRequest, CompareArgs, CompareOptions, Deny, Environment, Format, JudgementArgs,
    Layouts, OnMore, OnlyPass, PairingRequest, Pinning, Plan, PlanError, ProfileTime, Profiling,
    ProgramName, RangeSpec, RoundLength, Sampling, SamplingArgs, Selection, Terminal, TerminalArgs,
    Thresholds, Verbosity, Workload, default, manifest, output,
};

impl Plan {
    /// The plan of `cargo perfcheck [RANGE]`.
    ///
    /// # Errors
    /// There is no manifest, or an option makes no sense.
    pub fn resolve(args: &CompareArgs, environment: &Environment) -> Result<Plan, PlanError> {
        let range = RangeSpec::parse(args.range.as_deref());
        let named = args.options.selection.manifest_path.as_deref();
        let manifest_path = manifest::find(named, &environment.cwd)?;
        Plan::of(&args.options, range, manifest_path, environment)
    }

    /// The plan of one run of `cargo perfcheck calibrate`: a revision against itself, measured even
    /// though its code is identical.
    ///
    /// # Errors
    /// As [`Plan::resolve`].
    pub fn resolve_calibration(
        args: &CalibrateArgs,
        environment: &Environment,
    ) -> Result<Plan, PlanError> {
        let range = RangeSpec::Between {
            base: args.revision.clone(),
            head: args.revision.clone(),
        };
        let named = args.options.selection.manifest_path.as_deref();
        let manifest_path = manifest::find(named, &environment.cwd)?;
        let mut plan = Plan::of(&args.options, range, manifest_path, environment)?;
        plan.sampling.measure_identical = true;
        plan.sampling.reach = false;
        // A revision gains nothing over itself.
        plan.claims.clear();
        if args.inject.is_some_and(|share| share.as_fraction() <= 0.0) {
            return Err(PlanError::OutOfRange {
                setting: "`--inject`".to_owned(),
                value: "0%".to_owned(),
                why: "then nothing is injected that could be found",
                instead: "--inject 1%".to_owned(),
            });
        }
        plan.sampling.inject = args
            .inject
            .map(|share| Ratio::from_change(share.as_fraction()));
        Ok(plan)
    }

    /// The plan of a comparison whose revisions and manifest are known already (the demo's).
    ///
    /// # Errors
    /// An option makes no sense.
    pub fn of(
        options: &CompareOptions,
        range: RangeSpec,
        manifest_path: PathBuf,
        environment: &Environment,
    ) -> Result<Plan, PlanError> {
        let configuration = Configuration::read(&manifest_path, environment)?;
        let options = configuration.beneath(options)?;
        let sampling = sampling(&options.sampling, configuration.rules, environment)?;
        let workloads = workloads(&options, configuration.workloads)?;
        let history = options.recording.place(&environment.cwd);
        Ok(Plan {
            manifest_path,
            range,
            selection: selection(&options, &workloads, &environment.cwd),
            workloads,
            services: configuration
                .services
                .into_iter()
                .map(|(one, _)| one)
                .collect(),
            filter: options
                .sampling
                .filter
                .as_ref()
                .map(|filter| filter.as_str().to_owned()),
            partition: options.sampling.partition,
            carry: options.sides.carry.clone(),
            renames: options.sides.rename.clone(),
            thresholds: thresholds(&options.judgement, Mode::of(&options.sampling)),
            outputs: output::pair_up(&options.output, &environment.cwd)?,
            claims: claims(&options.judgement),
            deny_modify: options.judgement.deny.contains(&Deny::Modify),
            time: options.sampling.time.map(Span::as_duration),
            cache: Cache::resolve(&options),
            keep: options.keep,
            artifacts: artifacts(&options, environment),
            plots: output::plots_folder(&options.output, &environment.cwd),
            record: options.recording.record.then(|| history.clone()),
            history,
            terminal: Terminal::resolve(&options.terminal, environment),
            command_line: reproducible(&environment.words, sampling.seed),
            sampling,
            budgets: configuration.budgets,
            warnings: configuration.warnings,
            // The job that merges the parts writes the summary of all of them.
            actions: match options.sampling.partition {
                None => Actions::of(&options.output.formats, environment),
                Some(_) => None,
            },
        })
    }
}

fn thresholds(args: &JudgementArgs, mode: Mode) -> Thresholds {
    let ratio = |typed: Option<Share>, default: Share| {
        Ratio::from_change(typed.unwrap_or(default).as_fraction())
    };
    Thresholds {
        practical: ratio(args.threshold, default::THRESHOLD),
        confidence: args
            .confidence
            .unwrap_or(mode.confidence())
            .as_probability(),
        allocations: AllocationPolicy {
            threshold: ratio(args.allocation_threshold, default::ALLOCATION_THRESHOLD),
            on_more: args.more_allocations.unwrap_or(OnMore::Modify),
        },
        instructions: ratio(args.instruction_threshold, default::INSTRUCTION_THRESHOLD),
    }
}

/// What is claimed twice is claimed.
fn claims(args: &JudgementArgs) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for claim in &args.claims {
        if !claims.contains(claim) {
            claims.push(claim.clone());
        }
    }
    claims
}

impl Actions {
    /// The step of GitHub Actions that this run is part of, if any: GitHub sets both variables for every step.
    #[must_use]
    pub fn of(formats: &[Format], environment: &Environment) -> Option<Actions> {
        let summary = environment.variable("GITHUB_STEP_SUMMARY");
        let inside = environment.variable("GITHUB_ACTIONS") == Some("true");
        inside.then(|| Actions {
            summary: summary
                .filter(|_| !formats.contains(&Format::GithubSummary))
                .map(PathBuf::from),
            annotations: if formats.contains(&Format::Github) {
                Annotations::TakenInHand
            } else {
                Annotations::Ours
            },
        })
    }
}

/// The command lines that were typed, or else those that are configured, unless some benchmarks were asked for.
fn workloads(
    options: &CompareOptions,
    configured: Vec<(Workload, ValueOrigin)>,
) -> Result<Vec<Workload>, PlanError> {
    let SamplingArgs { run, only, .. } = &options.sampling;
    let mut typed: Vec<Workload> = Vec::new();
    for command in run {
        let workload = Workload::typed(command)?;
        // What is asked for twice is asked for.
        if typed.iter().all(|one| one.command != workload.command) {
            typed.push(workload);
        }
    }
    name_apart(&mut typed);
    let wanted = options.selection.benches.is_empty() && only.is_none();
    Ok(match (typed.is_empty(), wanted) {
        (false, _) => typed,
        (true, true) => configured.into_iter().map(|(one, _)| one).collect(),
        (true, false) => Vec::new(),
    })
}

/// Names in full what would have the name of another command, as programs of two packages may.
fn name_apart(workloads: &mut [Workload]) {
    let names: Vec<String> = workloads.iter().map(|one| one.name.clone()).collect();
    for workload in workloads {
        if names.iter().filter(|name| **name == workload.name).count() > 1 {
            workload.name = workload.command.in_full();
        }
    }
}

fn selection(options: &CompareOptions, workloads: &[Workload], cwd: &Path) -> Selection {
    let args = &options.selection;
    let features = args.features.iter();
    let filter = options.sampling.filter.as_ref();
    let wanted = workloads
        .iter()
        .filter(|workload| filter.is_none_or(|filter| filter.accepts(&workload.name)));
    let mut programs: Vec<ProgramName> = wanted.flat_map(Workload::programs).cloned().collect();
    programs.sort();
    programs.dedup();
    Selection {
        benchmarks: match (options.sampling.run.is_empty(), workloads.is_empty()) {
            (false, _) => BenchmarkNeed::Unwanted,
            (true, false) => BenchmarkNeed::Optional,
            (true, true) => BenchmarkNeed::Required,
        },
        programs,
        packages: args.packages.clone(),
        workspace: args.workspace,
        exclude: args.exclude.clone(),
        benches: args.benches.clone(),
        features: features
            .flat_map(|list| list.split([',', ' ']))
            .filter(|feature| !feature.is_empty())
            .map(str::to_owned)
            .collect(),
        all_features: args.all_features,
        no_default_features: args.no_default_features,
        profile: args.profile.clone(),
        target: args.target.clone(),
        locked: args.locked,
        offline: args.offline,
        frozen: args.frozen,
        target_dir: args.target_dir.as_ref().map(|folder| cwd.join(folder)),
    }
}

fn sampling(
    args: &SamplingArgs,
    rules: Rules,
    environment: &Environment,
) -> Result<Sampling, PlanError> {
    let or_default = |typed: Option<Span>, default: Span| typed.unwrap_or(default).as_duration();
    let mode = Mode::of(args);
    let time = or_default(args.time_per_benchmark, mode.time_per_benchmark());
    let measurement = or_default(args.measurement_time, mode.measurement());
    // A user who asks for more time without setting the rounds must not be stopped by the default number of rounds.
    let longest = rules.longest_time().unwrap_or(time).max(time);
    let needed = (longest.as_secs_f64() / measurement.as_secs_f64()).ceil() as usize;
    let rounds = args.rounds.unwrap_or(mode.rounds().max(needed));
    if rounds < 2 {
        return Err(out_of_range(
            "rounds",
            rounds,
            "one round has no spread to judge by",
            30,
        ));
    }
    let sample_size = args.sample_size.unwrap_or(default::SAMPLE_SIZE);
    if sample_size < 10 {
        return Err(out_of_range(
            "sample-size",
            sample_size,
            "Criterion takes no less than 10",
            10,
        ));
    }
    Ok(Sampling {
        seed: args.seed.unwrap_or(environment.drawn_seed),
        rounds,
        unchanged_after: mode.unchanged_after(),
        time,
        warm_up: or_default(args.warm_up_time, mode.warm_up()),
        measurement,
        round_length: match (args.rounds, args.warm_up_time, args.measurement_time) {
            (None, None, None) => RoundLength::Usual,
            _ => RoundLength::Asked,
        },
        sample_size,
        timeout: or_default(args.timeout, default::TIMEOUT),
        pairing: args.pairing.unwrap_or(PairingRequest::Auto),
        pinning: args.pin.unwrap_or(Pinning::Auto),
        layouts: args.layouts.unwrap_or(Layouts::Auto),
        allocations: !args.no_allocations && args.only.is_none(),
        instructions: args.instructions || args.only == Some(OnlyPass::Instructions),
        only: args.only,
        reach: !args.no_reach,
        profiling: match (args.no_profile || args.only.is_some(), args.profile_all) {
            (true, _) => Profiling::Off,
            (false, true) => Profiling::All,
            (false, false) => Profiling::Changed,
        },
        profile_time: match args.profile_time {
            Some(asked) => ProfileTime::Exactly(asked.as_duration()),
            None => ProfileTime::AtMost(mode.profile_time().as_duration()),
        },
        causes: args.causes.unwrap_or(CauseEvidence::Auto),
        measure_identical: false,
        inject: None,
        rules,
    })
}

/// Where files about single benchmarks go: into the folder that was named, or beside the reports.
fn artifacts(options: &CompareOptions, environment: &Environment) -> Option<PathBuf> {
    let folder = match (&options.artifacts, &options.output.report_dir) {
        (Some(folder), _) => folder.clone(),
        (None, Some(reports)) => reports.join("profiles"),
        (None, None) => return None,
    };
    Some(environment.cwd.join(folder))
}

fn out_of_range(key: &str, value: usize, why: &'static str, instead: usize) -> PlanError {
    PlanError::OutOfRange {
        setting: format!("`--{key}`"),
        value: value.to_string(),
        why,
        instead: format!("--{key} {instead}"),
    }
}

impl Terminal {
    /// How output appears, from the flags, `NO_COLOR`, `CARGO_TERM_COLOR` and the locale.
    #[must_use]
    pub fn resolve(args: &TerminalArgs, environment: &Environment) -> Terminal {
        Terminal {
            verbosity: match (args.quiet, args.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, true) => Verbosity::Verbose,
                (false, false) => Verbosity::Normal,
            },
            timings: args.timings,
            colour: args.color.unwrap_or_else(|| colour_wished(environment)),
            charset: if args.ascii || ascii_locale(environment) {
                Charset::Ascii
            } else {
                Charset::Unicode
            },
            message_format: args.message_format.unwrap_or_default(),
        }
    }
}

/// `NO_COLOR` is the user's choice for every program, `CARGO_TERM_COLOR` the one for cargo.
fn colour_wished(environment: &Environment) -> ColourRequest {
    if environment.variable("NO_COLOR").is_some() {
        return ColourRequest::Never;
    }
    match environment.variable("CARGO_TERM_COLOR") {
        Some("always") => ColourRequest::Always,
        Some("never") => ColourRequest::Never,
        _ => ColourRequest::Auto,
    }
}

/// Whether the user asked for the plain locale. An unset locale does not count: continuous
/// integration seldom sets it and shows Unicode well.
fn ascii_locale(environment: &Environment) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| environment.variable(name))
        .is_some_and(|locale| matches!(locale, "C" | "POSIX"))
}

/// The typed words with the seed that was used, so that they repeat the run.
fn reproducible(words: &[OsString], seed: u64) -> Vec<String> {
    let mut words: Vec<String> = own_words(words)
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let typed = |word: &String| word == "--seed" || word.starts_with("--seed=");
    if !words.iter().any(typed) {
        // After `--` it would be read as a range.
        let end = words.iter().position(|word| word == "--");
        let end = end.unwrap_or(words.len());
        words.splice(end..end, ["--seed".to_owned(), seed.to_string()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Args;
    use super::*;

    struct Typed {
        workspace: tempfile::TempDir,
        variables: &'static [(&'static str, &'static str)],
    }

    impl Typed {
        fn with(variables: &'static [(&'static str, &'static str)]) -> Typed {
            let workspace = tempfile::tempdir().unwrap();
            let manifest = "[package]\nname = \"it\"\n[lib]\npath = \"lib.rs\"\n";
            fs_err::write(workspace.path().join("Cargo.toml"), manifest).unwrap();
            fs_err::write(workspace.path().join("lib.rs"), "").unwrap();
            Typed {
                workspace,
                variables,
            }
        }

        fn environment(&self, line: &str) -> Environment {
            let variables = self.variables.iter();
            Environment {
                cwd: self.workspace.path().to_owned(),
                variables: variables
                    .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                words: line.split(' ').map(OsString::from).collect(),
                drawn_seed: 4711,
            }
        }

        fn plan(&self, line: &str) -> Result<Plan, PlanError> {
            let environment = self.environment(line);
            let args = Args::from_words(&environment.words).unwrap();
            Plan::resolve(&args.compare, &environment)
        }
    }

    #[test]
    fn nothing_typed_leaves_nothing_open() {
        let typed = Typed::with(&[]);
        let plan = typed.plan("cargo-perfcheck").unwrap();
        assert_eq!(plan.range, RangeSpec::Default);
        assert_eq!(
            plan.manifest_path,
            typed.workspace.path().join("Cargo.toml")
        );
        assert_eq!(plan.sampling.seed, 4711);
        assert_eq!(plan.sampling.time, Duration::from_secs(2));
        assert_eq!(plan.thresholds.practical, Ratio::from_quotient(1.01));
        assert_eq!(plan.outputs[0].format, Format::Text);
        assert!(plan.sampling.allocations && plan.sampling.reach);
        assert!(!plan.deny_modify && !plan.keep);
    }

    #[test]
    fn the_command_line_with_the_seed_repeats_the_run() {
        let typed = Typed::with(&[]);
        let line = |line: &str| typed.plan(line).unwrap().command_line.join(" ");
        assert_eq!(
            line("cargo-perfcheck perfcheck main.. -q"),
            "main.. -q --seed 4711"
        );
        assert_eq!(line("cargo-perfcheck -- demo"), "--seed 4711 -- demo");
        assert_eq!(line("cargo-perfcheck --seed=3"), "--seed=3");
    }

    #[test]
    fn commands_of_two_packages_keep_two_names_and_what_is_typed_twice_is_one() {
        let typed = Typed::with(&[]);
        let names = |line: &str| -> Vec<String> {
            let workloads = typed.plan(line).unwrap().workloads;
            workloads.into_iter().map(|one| one.name).collect()
        };
        assert_eq!(
            names("cargo-perfcheck --run {bin:a/x} --run {bin:b/x} --run {bin:a/x}"),
            ["a/x", "b/x"]
        );
        assert_eq!(
            names("cargo-perfcheck --run {bin:a/x} --run {bin:a/y}"),
            ["x", "y"]
        );
    }

    #[test]
    fn features_are_split_at_commas_and_spaces_as_in_cargo() {
        let typed = Typed::with(&[]);
        let plan = typed.plan("cargo-perfcheck -F a,b --features c").unwrap();
        assert_eq!(plan.selection.features, ["a", "b", "c"]);
    }

    #[test]
    fn more_time_brings_the_rounds_to_spend_it_in() {
        let typed = Typed::with(&[]);
        let rounds = |line: &str| typed.plan(line).unwrap().sampling.rounds;
        assert_eq!(rounds("cargo-perfcheck --time-per-benchmark 10s"), 100);
        assert_eq!(rounds("cargo-perfcheck --time-per-benchmark 1s"), 30);
        assert_eq!(
            rounds("cargo-perfcheck --time-per-benchmark 10s --rounds 12"),
            12
        );
    }

    #[test]
    fn shorter_rounds_are_as_many_more_and_no_shorter_than_half() {
        let typed = Typed::with(&[]);
        let sampling = typed.plan("cargo-perfcheck --quick").unwrap().sampling;
        let in_rounds = |times: f64| {
            let shorter = sampling.in_shorter_rounds(times);
            let millis = [shorter.warm_up, shorter.measurement].map(|time| time.as_millis());
            (millis, shorter.rounds)
        };
        assert_eq!(in_rounds(1.0), ([20, 50], 12));
        assert_eq!(in_rounds(1.5), ([13, 33], 19));
        assert_eq!(in_rounds(9.0), ([10, 25], 24));
        let length = |line: &str| typed.plan(line).unwrap().sampling.round_length;
        assert_eq!(length("cargo-perfcheck"), RoundLength::Usual);
        for own in ["--rounds 9", "--measurement-time 1s", "--warm-up-time 1s"] {
            assert_eq!(
                length(&format!("cargo-perfcheck {own}")),
                RoundLength::Asked
            );
        }
    }

    #[test]
    fn a_mode_sets_what_was_not_set_more_exactly() {
        let typed = Typed::with(&[("PERFCHECK_ROUNDS", "40")]);
        let plan = |line: &str| typed.plan(line).unwrap();
        assert_eq!(plan("cargo-perfcheck").sampling.rounds, 40);
        // Who types a mode means it, whatever is configured.
        assert_eq!(plan("cargo-perfcheck --quick").sampling.rounds, 12);
        assert_eq!(
            plan("cargo-perfcheck --quick --rounds 9").sampling.rounds,
            9
        );
        let thorough = plan("cargo-perfcheck --thorough --time 5m");
        assert_eq!(thorough.sampling.time, Duration::from_secs(10));
        assert_eq!(thorough.time, Some(Duration::from_secs(300)));
        assert!((thorough.thresholds.confidence - 0.99).abs() < 1e-12);
        let args = Args::from_words(&["x", "--quick", "--thorough"].map(OsString::from));
        assert!(args.is_err());
    }

    #[test]
    fn impossible_numbers_are_refused_with_what_to_type() {
        let typed = Typed::with(&[]);
        let error = typed.plan("cargo-perfcheck --sample-size 5").unwrap_err();
        assert_eq!(error.hint().unwrap(), "`--sample-size 10`");
        assert!(typed.plan("cargo-perfcheck --rounds 1").is_err());
    }

    #[test]
    fn a_flag_beats_no_color_and_no_color_beats_cargo() {
        let typed = Typed::with(&[("NO_COLOR", "1"), ("CARGO_TERM_COLOR", "always")]);
        let colour = |line: &str| typed.plan(line).unwrap().terminal.colour;
        assert_eq!(colour("cargo-perfcheck"), ColourRequest::Never);
        assert_eq!(
            colour("cargo-perfcheck --color always"),
            ColourRequest::Always
        );
        let cargo_alone = Typed::with(&[("CARGO_TERM_COLOR", "always")]);
        let plan = cargo_alone.plan("cargo-perfcheck").unwrap();
        assert_eq!(plan.terminal.colour, ColourRequest::Always);
    }

    #[test]
    fn the_plain_locale_is_answered_in_ascii() {
        let charset = |typed: Typed| typed.plan("cargo-perfcheck").unwrap().terminal.charset;
        assert_eq!(charset(Typed::with(&[("LC_ALL", "C")])), Charset::Ascii);
        assert_eq!(charset(Typed::with(&[])), Charset::Unicode);
        assert_eq!(
            charset(Typed::with(&[("LC_ALL", "en_GB.UTF-8"), ("LANG", "C")])),
            Charset::Unicode
        );
    }

    #[test]
    fn a_step_of_github_actions_is_told_unless_its_format_is_taken_in_hand() {
        let step = Typed::with(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "/s")]);
        let actions = |line: &str| step.plan(line).unwrap().actions.unwrap();
        let told = actions("cargo-perfcheck --report-dir perf");
        assert_eq!(told.summary, Some("/s".into()));
        assert_eq!(told.annotations, Annotations::Ours);
        let taken = actions("cargo-perfcheck --format github --format github-summary -o - -o /s");
        assert_eq!(taken.summary, None);
        assert_eq!(taken.annotations, Annotations::TakenInHand);
        assert_eq!(
            Typed::with(&[]).plan("cargo-perfcheck").unwrap().actions,
            None
        );
    }

    #[test]
    fn a_calibration_is_a_revision_against_itself_and_is_really_measured() {
        let typed = Typed::with(&[]);
        let environment = typed.environment("cargo-perfcheck calibrate v1 --inject 2%");
        let args = Args::from_words(&environment.words).unwrap();
        let Some(super::super::Command::Calibrate(args)) = args.command else {
            panic!("not a calibration: {args:?}")
        };
        let plan = Plan::resolve_calibration(&args, &environment).unwrap();
        assert_eq!(plan.range.to_string(), "v1..v1");
        assert!(plan.sampling.measure_identical && !plan.sampling.reach);
        assert_eq!(plan.sampling.inject, Some(Ratio::from_quotient(1.02)));
    }

    #[test]
    fn only_what_can_be_injected_is_accepted() {
        let typed = Typed::with(&[]);
        for (share, accepted) in [("0%", false), ("0.1%", true), ("99%", true)] {
            let words = format!("cargo-perfcheck calibrate --inject {share}");
            let environment = typed.environment(&words);
            let args = Args::from_words(&environment.words).unwrap();
            let Some(super::super::Command::Calibrate(args)) = args.command else {
                panic!("not a calibration: {args:?}")
            };
            let plan = Plan::resolve_calibration(&args, &environment);
            assert_eq!(plan.is_ok(), accepted, "{share}");
        }
    }
}
