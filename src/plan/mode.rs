//! How much an answer may cost: `--quick`, the default, `--thorough`.

use super::value::{Confidence, Span};
use super::{CompareOptions, SamplingArgs, default};

/// The defaults of a mode. The threshold is not one of them: a verdict means the same in every
/// mode, only more benchmarks are inconclusive in a quick one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Before a push: finds what is much slower, in seconds per benchmark.
    Quick,
    /// A change under review.
    Usual,
    /// Before a release.
    Thorough,
}

impl Mode {
    pub(super) fn of(args: &SamplingArgs) -> Mode {
        match (args.quick, args.thorough) {
            (true, _) => Mode::Quick,
            (_, true) => Mode::Thorough,
            _ => Mode::Usual,
        }
    }

    pub(super) fn rounds(self) -> usize {
        match self {
            Mode::Quick => 12,
            Mode::Usual => default::ROUNDS,
            Mode::Thorough => 100,
        }
    }

    /// With 29 processes, a slow mode that one process in ten falls into is missed in one run of
    /// twenty. With six processes, so is one that four in ten fall into.
    pub(super) fn unchanged_after(self) -> usize {
        match self {
            Mode::Quick | Mode::Usual => 6,
            Mode::Thorough => 29,
        }
    }

    pub(super) fn time_per_benchmark(self) -> Span {
        match self {
            Mode::Quick => Span::from_millis(600),
            Mode::Usual => default::TIME,
            Mode::Thorough => Span::from_millis(10_000),
        }
    }

    pub(super) fn warm_up(self) -> Span {
        match self {
            Mode::Quick => Span::from_millis(20),
            Mode::Usual | Mode::Thorough => default::WARM_UP,
        }
    }

    pub(super) fn measurement(self) -> Span {
        match self {
            Mode::Quick => Span::from_millis(50),
            Mode::Usual | Mode::Thorough => default::MEASUREMENT,
        }
    }

    /// A quick profile takes a thousand samples in a second.
    pub(super) fn profile_time(self) -> Span {
        match self {
            Mode::Quick => Span::from_millis(1_000),
            Mode::Usual | Mode::Thorough => default::PROFILE_TIME,
        }
    }

    pub(super) fn confidence(self) -> Confidence {
        match self {
            Mode::Quick | Mode::Usual => default::CONFIDENCE,
            Mode::Thorough => Confidence::HIGH,
        }
    }
}

/// Removes from `configured` what a mode decides: a mode on the command line replaces all of its
/// parts that a file sets.
pub(super) fn without_parts(mut configured: CompareOptions) -> CompareOptions {
    let sampling = &mut configured.sampling;
    (sampling.quick, sampling.thorough) = (false, false);
    sampling.rounds = None;
    sampling.time_per_benchmark = None;
    sampling.warm_up_time = None;
    sampling.measurement_time = None;
    sampling.profile_time = None;
    configured.judgement.confidence = None;
    configured
}
