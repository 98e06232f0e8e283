//! How many iterations of a benchmark a process runs: as many as the round wants, whatever settings the
//! benchmark's code has.
//!
//! Criterion plans all samples from the time of an iteration in the warm-up, and the clock seam decides which time
//! it sees ([`WarmUp`]). A first process of each side shows the settings in force and how long an iteration takes.
//! From then on both sides are told the same time, so they run the same iterations, however the warm-up went.

mod single;
mod together;

use std::time::Duration;

use crate::harness::{BenchmarkConfig, SamplingMethod, Timing};
use crate::seam::{LastPlace, SampleRecord, WarmUp, WarmedUp};
use crate::units::Paired;

use super::enough::{Ends, Whole};
use super::reported::SideReport;
use single::plan_single;

pub(super) use together::{Together, plan_together};

/// A timed region is at least so many times as long as reading the clock takes, on average.
const REGION_PER_CLOCK: f64 = 200.0;

/// The warm-up time that a first process is told: so long that the fewest iterations are planned, whatever is asked
/// for.
const AGES: Duration = Duration::from_secs(1_000_000_000);

/// The answer to the last read of a warm-up is rounded to nanoseconds, and Criterion rounds up to the next
/// multiple: this factor keeps it just below one.
const JUST_BELOW: f64 = 0.999;

/// The calls of a warm-up double: its length is at least this multiple of the wanted one, and so at most the
/// inverse multiple, unless its settings make it longer.
const NEAR: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// A sample of at least this many iterations shows whether batches grow with them.
const BATCHED: u64 = 64;

/// How many calls of a warm-up show the time of an iteration: the fastest of the longest ones counts, since one may
/// have lost the processor.
const TELLING: usize = 3;

/// How a first process is run: for at least this long, and no longer than necessary.
pub(super) fn first(least: Duration) -> WarmUp {
    WarmUp {
        calls: 1,
        least,
        told: AGES,
        place: None,
    }
}

/// Why a benchmark keeps the iterations that its settings ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftAlone {
    /// The report is not what the seam has logged.
    NotSeen,
    /// It is unknown which read of the clock ends a call.
    NoLastRead,
    /// The sides have different settings.
    SidesDiffer,
    /// The sides were told the same but ran different iterations.
    Unequal,
    /// Benchmarks ran in another order than they were named in.
    Disordered,
}

impl std::fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            LeftAlone::NotSeen => "it times itself, or perfcheck did not see all of its samples",
            LeftAlone::NoLastRead => "which read of the clock ends a call is unknown",
            LeftAlone::SidesDiffer => "the settings differ between the sides",
            LeftAlone::Unequal => "the sides ran different iterations all the same",
            LeftAlone::Disordered => "it did not run when it was expected to",
        })
    }
}

/// What a process showed about a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    config: BenchmarkConfig,
    method: SamplingMethod,
    samples: usize,
    /// The time of an iteration by the wall clock, including set-up between timed regions; in nanoseconds.
    whole_ns: f64,
    /// What is timed of it.
    timed_ns: f64,
    /// How many timed regions a sample has, if its batches grow with its iterations; else one.
    regions: f64,
    place: LastPlace,
    plan: PlanKind,
}

/// What determines the iterations of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlanKind {
    /// From the warm-up, as with Criterion.
    WarmUp,
    /// The time of a single iteration, as with libtest; and how often the benchmark calls the function that times.
    Single { calls: usize },
}

impl Shown {
    /// From a process's report and its log, the warm-up's calls included.
    pub(super) fn of(
        report: &SideReport,
        log: &[SampleRecord],
        warmed_up: Option<WarmedUp>,
        place: Option<LastPlace>,
    ) -> Result<Shown, LeftAlone> {
        let place = place.ok_or(LeftAlone::NoLastRead)?;
        let warm_up = log
            .len()
            .checked_sub(report.times.len())
            .filter(|calls| *calls > 0)
            .ok_or(LeftAlone::NotSeen)?;
        if warmed_up.is_some_and(|it| it.doubted || it.calls != warm_up as u64) {
            return Err(LeftAlone::NoLastRead);
        }
        // Criterion doubles the iterations from one.
        let iterations_of = |call: usize| 2_f64.powi(i32::try_from(call).unwrap_or(i32::MAX));
        let telling = warm_up.saturating_sub(TELLING)..warm_up;
        let whole_ns = |call: usize| {
            let whole = log[call].end_ns.saturating_sub(log[call].start_ns);
            whole as f64 / iterations_of(call)
        };
        let quickest = telling.min_by(|one, other| whole_ns(*one).total_cmp(&whole_ns(*other)));
        let quickest = quickest.unwrap_or(warm_up - 1);
        let (longest, iterations) = (log[warm_up - 1], iterations_of(warm_up - 1));
        Ok(Shown {
            config: report.config.clone(),
            method: report.method,
            samples: report.times.len(),
            whole_ns: whole_ns(quickest).max(f64::MIN_POSITIVE),
            timed_ns: (log[quickest].timed_ns as f64 / iterations_of(quickest))
                .max(f64::MIN_POSITIVE),
            regions: regions_of(&longest, iterations),
            place,
            plan: PlanKind::WarmUp,
        })
    }

    /// The same from a process in quick mode, whose calls are all reported samples except the first ones. It shows
    /// the usual number of samples and how their iterations grow only if the benchmark's code sets them.
    pub(super) fn of_quick(
        report: &SideReport,
        log: &[SampleRecord],
        place: Option<LastPlace>,
    ) -> Result<Shown, LeftAlone> {
        let place = place.ok_or(LeftAlone::NoLastRead)?;
        let (Some(longest), Some(&iterations)) = (log.last(), report.iterations.last()) else {
            return Err(LeftAlone::NotSeen);
        };
        let whole = longest.end_ns.saturating_sub(longest.start_ns);
        Ok(Shown {
            config: report.config.clone(),
            method: SamplingMethod::Flat,
            samples: usize::try_from(report.config.sample_size).unwrap_or(usize::MAX),
            whole_ns: (whole as f64 / iterations).max(f64::MIN_POSITIVE),
            timed_ns: (longest.timed_ns as f64 / iterations).max(f64::MIN_POSITIVE),
            regions: regions_of(longest, iterations),
            place,
            plan: PlanKind::WarmUp,
        })
    }

    /// The same, as it would be with the settings `now` instead of `before`. A setting that equals the one in
    /// `before` is taken to come from there and not from the benchmark's code.
    pub(super) fn asked_for(&self, before: Timing, now: Timing) -> Shown {
        let other = |own: Duration, before, now| if own == before { now } else { own };
        let warm_up = other(self.warm_up(), before.warm_up, now.warm_up);
        let measurement = other(self.measurement(), before.measurement, now.measurement);
        let samples = match self.samples == before.sample_size {
            true => now.sample_size,
            false => self.samples,
        };
        Shown {
            config: BenchmarkConfig {
                measurement_time: measurement.into(),
                sample_size: samples as u64,
                warm_up_time: warm_up.into(),
            },
            samples,
            ..self.clone()
        }
    }

    fn warm_up(&self) -> Duration {
        self.config.warm_up_time.into()
    }

    fn measurement(&self) -> Duration {
        self.config.measurement_time.into()
    }
}

/// The timed regions of a sample, if its batches grow with its iterations; else one.
fn regions_of(sample: &SampleRecord, iterations: f64) -> f64 {
    let grows = iterations >= BATCHED as f64 && (sample.regions as f64) < iterations;
    if grows { sample.regions as f64 } else { 1.0 }
}

/// What a round wants of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    /// How long it has to run at least before it is measured.
    pub(super) warm_up: Duration,
    /// How long all its samples should take together.
    pub(super) measurement: Duration,
    /// What reading the clock takes.
    pub(super) clock: Duration,
    /// How many times longer rounds are than usual, because each pays for a set-up.
    pub(super) stretch: f64,
    /// What another process of the same target costs before it reaches its benchmarks.
    pub(super) set_up: Duration,
}

/// Whether both sides have the same settings, so that they can be told the same.
pub(super) fn agree(base: &Shown, head: &Shown) -> bool {
    base.config == head.config
        && base.samples == head.samples
        && base.method == head.method
        && base.plan == head.plan
}

/// How a benchmark's processes are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    /// How the warm-up of each side is ended.
    pub(super) warm_up: Paired<WarmUp>,
    /// Where each side is ended, if it does not run to its end.
    pub(super) ends: Option<Ends>,
    /// How many samples a process has, if it does not wait after its benchmark to be continued.
    pub(super) last: Option<u64>,
    /// How long a round takes: a process of each side.
    pub(super) round: Duration,
}

/// The plan for both sides, so that they run the same iterations: as many as fill the wanted time, on the average
/// of both; more if timed regions would be too short, but never more than the settings ask for.
///
/// The sides agree ([`agree`]).
pub(super) fn plan(shown: Paired<&Shown>, wanted: Wanted) -> Planned {
    match shown.head.plan {
        PlanKind::WarmUp => plan_warm_up(shown, wanted),
        PlanKind::Single { calls } => plan_single(shown, calls, wanted),
    }
}

fn plan_warm_up(shown: Paired<&Shown>, wanted: Wanted) -> Planned {
    let (base, head) = (shown.base, shown.head);
    let both = |of: fn(&Shown) -> f64| (of(base) * of(head)).sqrt();
    let whole_ns = both(|shown| shown.whole_ns);
    let (warm_up, measurement) = (head.warm_up(), head.measurement());
    let most = wanted.stretch * measurement.as_nanos() as f64 / whole_ns;
    let samples = base.samples as f64;
    let regions = base.regions.max(head.regions);
    let clock = wanted.clock.as_nanos() as f64;
    let shortest = samples * regions * REGION_PER_CLOCK * clock / both(|shown| shown.timed_ns);
    let fill = wanted.stretch * wanted.measurement.as_nanos() as f64 / whole_ns;
    let iterations = nearest(fill, samples).max(shortest).min(most).max(1.0);
    // The told time is longer than the warm-up time, and its ratio to the measurement time is that of the warm-up's
    // iterations to the planned ones.
    let fewest = iterations * warm_up.as_secs_f64() / measurement.as_secs_f64().max(1e-9);
    let long = wanted.warm_up.min(warm_up).as_nanos() as f64 / whole_ns;
    let calls = calls_for(fewest.max(long * NEAR));
    let told = measurement.mul_f64(iterations_of(calls) / iterations);
    let told = told.max(warm_up + Duration::from_nanos(1));
    // At least one iteration per sample; if they grow from sample to sample, at least one more each time.
    let fewest = kept(head.method, samples);
    let whole = Whole {
        iteration: Duration::from_nanos(whole_ns as u64),
        samples,
        iterations: fewest,
        wanted: wanted.measurement.mul_f64(wanted.stretch),
        set_up: wanted.set_up,
    };
    // Only for the fewest iterations is it known how they are shared among the samples.
    let enough = whole.enough().filter(|_| iterations < samples);
    let measured = match enough {
        Some(count) => kept(head.method, count as f64),
        None => iterations.max(fewest),
    };
    let all = iterations_of(calls) + measured;
    let round = all * (base.whole_ns + head.whole_ns) / 1e9;
    Planned {
        warm_up: shown.map(|shown| WarmUp {
            calls,
            least: Duration::ZERO,
            told,
            place: Some(shown.place),
        }),
        ends: enough.map(|samples| Ends {
            samples,
            measurement: head.config.measurement_time,
        }),
        last: None,
        round: Duration::try_from_secs_f64(round).unwrap_or(Duration::MAX),
    }
}

/// The nearest number of iterations that can be planned. If they grow from sample to sample, their total is a
/// multiple of the total for a first sample of one iteration, and Criterion takes the next higher multiple, which
/// may be twice what was asked for. The nearest multiple is as often below as above. This also holds if all samples
/// are equal, which Criterion's automatic mode chooses below half of the first multiple.
fn nearest(iterations: f64, samples: f64) -> f64 {
    let growing = kept(SamplingMethod::Linear, samples);
    let multiples = iterations / growing;
    let (lower, upper) = match multiples {
        ..0.5 => return iterations,
        0.5..1.0 => (0.5, 1.0),
        _ => (multiples.floor(), multiples.floor() + 1.0),
    };
    let nearest = match multiples < (lower * upper).sqrt() {
        true => lower,
        false => upper,
    };
    nearest * growing * JUST_BELOW
}

/// The iterations of the first samples, if they are the fewest.
fn kept(method: SamplingMethod, samples: f64) -> f64 {
    match method {
        SamplingMethod::Flat => samples,
        SamplingMethod::Linear => samples * (samples + 1.0) / 2.0,
    }
}

/// How many calls of 1, 2, 4 … iterations together have more than this many.
fn calls_for(iterations: f64) -> u64 {
    let enough = |calls: &u64| iterations_of(*calls) > iterations;
    (1..u64::from(u64::BITS)).find(enough).unwrap_or(1)
}

fn iterations_of(calls: u64) -> f64 {
    2_f64.powi(i32::try_from(calls).unwrap_or(i32::MAX)) - 1.0
}

/// How long reading the clock takes here, undisturbed.
pub(super) fn cost_of_clock() -> Duration {
    const READS: u32 = 20;
    let series = (0..50).map(|_| {
        let began = std::time::Instant::now();
        for _ in 0..READS {
            std::hint::black_box(std::time::Instant::now());
        }
        began.elapsed() / READS
    });
    series
        .min()
        .unwrap_or_default()
        .max(Duration::from_nanos(1))
}

#[cfg(test)]
mod tests;
