//! Combines the options that were typed with those that are configured.

use clap::Parser;
use clap::error::ErrorKind;

use super::super::{
    CompareOptions, OutputArgs, PlanError, RecordArgs, SamplingArgs, SelectionArgs, SidesArgs,
    TerminalArgs, mode,
};
use super::ConfiguredValue;

/// A command line that has the configurable options and nothing else.
#[derive(Debug, Parser)]
#[command(name = "perfcheck", no_binary_name = true)]
struct Configured {
    #[command(flatten)]
    options: CompareOptions,
}

/// Reads settings as if they had been typed: the same parsers, the same messages.
pub(super) fn parse<'a>(
    settings: impl Iterator<Item = &'a ConfiguredValue>,
) -> Result<CompareOptions, PlanError> {
    let mut words = Vec::new();
    for setting in settings {
        let own = setting.value.words(&setting.key);
        // Parse them one by one first, so that the message can name the place.
        if let Err(error) = Configured::try_parse_from(&own)
            && matches!(
                error.kind(),
                ErrorKind::InvalidValue | ErrorKind::ValueValidation
            )
        {
            return Err(PlanError::InvalidValue {
                origin: format!("`{}` in {}", setting.key, setting.origin),
                value: setting.value.to_string(),
                problem: reason(&error),
            });
        }
        words.extend(own);
    }
    Configured::try_parse_from(words)
        .map(|configured| configured.options)
        .map_err(|error| PlanError::Contradiction {
            problem: first_line(&error),
        })
}

/// Why clap refused a value, without the parts about a command line.
fn reason(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(choices)) => format!("it must be one of {}", choices.join(", ")),
        _ => first_line(error),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// `typed` where it is set, else `configured`. Settings that belong together are taken together: a
/// typed `--output` does not pair up with a configured format.
pub(super) fn or(typed: CompareOptions, configured: CompareOptions) -> CompareOptions {
    let mode_typed = typed.sampling.quick || typed.sampling.thorough;
    let configured = if mode_typed {
        mode::without_parts(configured)
    } else {
        configured
    };
    let reports_typed = !typed.output.formats.is_empty() || !typed.output.outputs.is_empty();
    let reports = if reports_typed {
        typed.output.clone()
    } else {
        configured.output.clone()
    };
    CompareOptions {
        selection: selection_or(typed.selection, configured.selection),
        sides: SidesArgs {
            carry: list_or(typed.sides.carry, configured.sides.carry),
            rename: list_or(typed.sides.rename, configured.sides.rename),
        },
        sampling: sampling_or(typed.sampling, configured.sampling),
        judgement: super::super::JudgementArgs {
            threshold: typed.judgement.threshold.or(configured.judgement.threshold),
            confidence: typed
                .judgement
                .confidence
                .or(configured.judgement.confidence),
            allocation_threshold: typed
                .judgement
                .allocation_threshold
                .or(configured.judgement.allocation_threshold),
            instruction_threshold: typed
                .judgement
                .instruction_threshold
                .or(configured.judgement.instruction_threshold),
            more_allocations: typed
                .judgement
                .more_allocations
                .or(configured.judgement.more_allocations),
            claims: list_or(typed.judgement.claims, configured.judgement.claims),
            deny: list_or(typed.judgement.deny, configured.judgement.deny),
        },
        output: OutputArgs {
            report_dir: typed.output.report_dir.or(configured.output.report_dir),
            ..reports
        },
        recording: RecordArgs {
            record: typed.recording.record || configured.recording.record,
            history: typed.recording.history.or(configured.recording.history),
        },
        terminal: terminal_or(typed.terminal, configured.terminal),
        keep: typed.keep || configured.keep,
        artifacts: typed.artifacts.or(configured.artifacts),
        undone: typed.undone,
    }
}

fn list_or<T>(typed: Vec<T>, configured: Vec<T>) -> Vec<T> {
    if typed.is_empty() { configured } else { typed }
}

fn selection_or(typed: SelectionArgs, configured: SelectionArgs) -> SelectionArgs {
    // `-p a` on the command line must not be widened by `workspace = true` in a file.
    let packages_typed = typed.workspace || !typed.packages.is_empty();
    let packages = if packages_typed { &typed } else { &configured };
    SelectionArgs {
        packages: packages.packages.clone(),
        workspace: packages.workspace,
        exclude: packages.exclude.clone(),
        benches: list_or(typed.benches, configured.benches),
        features: list_or(typed.features, configured.features),
        all_features: typed.all_features || configured.all_features,
        no_default_features: typed.no_default_features || configured.no_default_features,
        profile: typed.profile.or(configured.profile),
        target: typed.target.or(configured.target),
        manifest_path: typed.manifest_path,
        target_dir: typed.target_dir.or(configured.target_dir),
        no_cache: typed.no_cache || configured.no_cache,
        cache_size: typed.cache_size.or(configured.cache_size),
        locked: typed.locked || configured.locked,
        offline: typed.offline || configured.offline,
        frozen: typed.frozen || configured.frozen,
    }
}

fn sampling_or(typed: SamplingArgs, configured: SamplingArgs) -> SamplingArgs {
    SamplingArgs {
        run: typed.run,
        filter: typed.filter.or(configured.filter),
        partition: typed.partition.or(configured.partition),
        quick: typed.quick || configured.quick,
        thorough: typed.thorough || configured.thorough,
        time: typed.time.or(configured.time),
        time_per_benchmark: typed.time_per_benchmark.or(configured.time_per_benchmark),
        rounds: typed.rounds.or(configured.rounds),
        warm_up_time: typed.warm_up_time.or(configured.warm_up_time),
        measurement_time: typed.measurement_time.or(configured.measurement_time),
        sample_size: typed.sample_size.or(configured.sample_size),
        timeout: typed.timeout.or(configured.timeout),
        seed: typed.seed.or(configured.seed),
        pairing: typed.pairing.or(configured.pairing),
        pin: typed.pin.or(configured.pin),
        layouts: typed.layouts.or(configured.layouts),
        no_allocations: typed.no_allocations || configured.no_allocations,
        instructions: typed.instructions || configured.instructions,
        only: typed.only.or(configured.only),
        no_reach: typed.no_reach || configured.no_reach,
        profile_time: typed.profile_time.or(configured.profile_time),
        causes: typed.causes.or(configured.causes),
        // Asking for all profiles on the command line overrides a file that asks for none, and vice versa.
        profile_all: typed.profile_all || (configured.profile_all && !typed.no_profile),
        no_profile: typed.no_profile || (configured.no_profile && !typed.profile_all),
    }
}

fn terminal_or(typed: TerminalArgs, configured: TerminalArgs) -> TerminalArgs {
    let loudness = if typed.quiet || typed.verbose {
        &typed
    } else {
        &configured
    };
    TerminalArgs {
        quiet: loudness.quiet,
        verbose: loudness.verbose,
        timings: typed.timings || configured.timings,
        color: typed.color,
        ascii: typed.ascii || configured.ascii,
        message_format: typed.message_format.or(configured.message_format),
    }
}
