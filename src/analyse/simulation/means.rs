//! `unchanged` includes the mean: heads that are slow in some iterations only, and machines that are slow now and
//! then.

use super::recorded::Trace;
use super::*;
use crate::analyse::round::figures;

/// Samples a side in a round, as by default.
const SAMPLES: usize = 20;

/// How long the iterations of a side take, as a multiple of the typical one.
type Iterations = fn(&mut Noise, usize) -> f64;

fn alike(_: &mut Noise, _: usize) -> f64 {
    1.0
}

fn every_third_twice(_: &mut Noise, i: usize) -> f64 {
    if i % 3 == 2 { 2.0 } else { 1.0 }
}

fn every_fifth_five_times(_: &mut Noise, i: usize) -> f64 {
    if i % 5 == 4 { 5.0 } else { 1.0 }
}

fn one_in_fifty_twenty_times(noise: &mut Noise, _: usize) -> f64 {
    if noise.uniform() < 0.02 { 20.0 } else { 1.0 }
}

/// A round of samples that take turns. Samples differ by 0.3 %, processes by 0.25 %, as measured of sorting.
fn sampled(noise: &mut Noise, index: usize, per_sample: usize, sides: [Iterations; 2]) -> Round {
    let mut side = |start: u64, each: Iterations| {
        let level = 0.0025 / std::f64::consts::SQRT_2 * noise.gaussian();
        // A process begins at a random point in the sequence of its iterations.
        let first = (noise.uniform() * 15.0) as usize;
        let times = (0..SAMPLES).map(|sample| {
            let iterations = (0..per_sample).map(|i| first + sample * per_sample + i);
            let work: f64 = iterations.map(|i| each(noise, i)).sum();
            1e5 * work * (level + 0.003 * noise.gaussian()).exp()
        });
        Samples {
            times: times.collect(),
            iterations: vec![per_sample as u64; SAMPLES],
            starts: (0..SAMPLES as u64)
                .map(|i| start + 20_000_000 * i)
                .collect(),
            preempted: vec![0; SAMPLES],
        }
    };
    let [base, head] = sides;
    Round {
        index,
        first: Side::Base,
        pairing: Pairing::Sample,
        samples: Paired::new(side(0, base), side(10_000_000, head)),
    }
}

/// Measures and judges one benchmark as a run does.
fn judged(mut next: impl FnMut(usize) -> Round) -> Comparison {
    let found = discovery(
        Identity::Different(String::new()),
        &[("b", Presence::Common)],
    );
    let rule = Settling::plan(&thresholds(), &sampling(), 1);
    let mut so_far = measured("b", Vec::new());
    while rule.settle(&so_far).is_none() {
        so_far.rounds.push(next(so_far.rounds.len()));
    }
    compare(&found, vec![so_far], &thresholds(), &sampling()).remove(0)
}

fn says(comparison: &Comparison, start: &str) -> bool {
    comparison
        .notes
        .iter()
        .any(|note| note.text.starts_with(start))
}

/// What `unchanged` meant before it included the mean.
fn typical_is_unchanged(comparison: &Comparison) -> bool {
    let change = comparison.estimate().unwrap();
    let margin = thresholds().practical.ln();
    change.lower.ln() > -margin && change.upper.ln() < margin
}

#[test]
fn a_head_that_is_slow_in_some_iterations_is_not_called_unchanged() {
    let trials = 40;
    let cases: [(Iterations, usize, f64); 3] = [
        (every_third_twice, 1, 1.0 / 3.0),
        (every_fifth_five_times, 1, 0.8),
        (one_in_fifty_twenty_times, 5, 0.38),
    ];
    for (case, (head, per_sample, rise)) in cases.into_iter().enumerate() {
        let mut noise = Noise::seeded(91);
        let all: Vec<Comparison> = (0..trials)
            .map(|_| judged(|index| sampled(&mut noise, index, per_sample, [alike, head])))
            .collect();
        let count = |meant: &dyn Fn(&Comparison) -> bool| all.iter().filter(|c| meant(c)).count();
        let unchanged = count(&|c| c.verdict == Verdict::Unchanged);
        assert!(20 * unchanged <= trials, "case {case}: {unchanged}");
        // The robust ratio does not see it, so the mean must.
        let typical = count(&typical_is_unchanged);
        assert!(10 * typical >= 9 * trials, "case {case}: {typical}");
        let told = count(&|c| c.verdict == Verdict::Inconclusive && says(c, "the mean rose by "));
        assert!(10 * told >= 9 * trials, "case {case}: {told}");
        let ratios = all.iter().map(|c| {
            c.metrics
                .get(Metric::MEAN)
                .unwrap()
                .estimate
                .unwrap()
                .ratio
                .ln()
        });
        let mean = (ratios.sum::<f64>() / trials as f64).exp() - 1.0;
        // The mean of logarithms lies below the logarithm of the mean.
        assert!(
            (0.75 * rise..1.1 * rise).contains(&mean),
            "case {case}: {mean}"
        );
    }
}

#[test]
fn identical_code_that_is_slow_in_rare_iterations_is_not_said_to_have_changed() {
    let trials = 60;
    let mut noise = Noise::seeded(92);
    let moved = (0..trials)
        .filter(|_| {
            let both = [one_in_fifty_twenty_times as Iterations; 2];
            let comparison = judged(|index| sampled(&mut noise, index, 5, both));
            says(&comparison, "the mean rose") || says(&comparison, "the mean fell")
        })
        .count();
    assert!(moved <= at_most(trials, ERROR), "{moved} of {trials}");
}

/// How a machine disturbs samples: with this probability, for this many samples' time.
struct Machine {
    probability: f64,
    length: f64,
    /// Whether the kernel says so.
    is_told: bool,
}

/// How many of `trials` comparisons of identical code on such a machine are called unchanged, and how many would be
/// without the mean.
fn unchanged_on(machine: &Machine, trials: usize) -> [usize; 2] {
    let mut noise = Noise::seeded(93);
    let all: Vec<Comparison> = (0..trials)
        .map(|_| {
            judged(|index| {
                let mut round = sampled(&mut noise, index, 10, [alike, alike]);
                for side in Side::BOTH {
                    let samples = round.samples.get_mut(side);
                    for (time, preempted) in samples.times.iter_mut().zip(&mut samples.preempted) {
                        if noise.uniform() < machine.probability {
                            let taken = *time * machine.length * noise.uniform();
                            *time += taken;
                            *preempted = if machine.is_told { taken as u64 } else { 0 };
                        }
                    }
                }
                round
            })
        })
        .collect();
    let count = |meant: &dyn Fn(&Comparison) -> bool| all.iter().filter(|c| meant(c)).count();
    [
        count(&|c| c.verdict == Verdict::Unchanged),
        count(&typical_is_unchanged),
    ]
}

#[test]
fn what_the_kernel_takes_does_not_keep_identical_code_from_being_unchanged() {
    let trials = 30;
    let machine = |probability, is_told| Machine {
        probability,
        length: 4.0,
        is_told,
    };
    let [unchanged, typical] = unchanged_on(&machine(0.0, true), trials);
    assert!(unchanged * 10 >= typical * 9 && typical * 10 >= trials * 9);
    let [unchanged, typical] = unchanged_on(&machine(0.1, true), trials);
    assert!(unchanged * 10 >= typical * 9, "{unchanged} of {typical}");
    assert!(typical * 2 >= trials, "{typical}");
    // Time that the kernel does not report could equally be caused by the code.
    let [unchanged, typical] = unchanged_on(&machine(0.1, false), trials);
    assert!(unchanged * 10 <= typical, "{unchanged} of {typical}");
}

/// The standard deviation of a figure over the recorded rounds.
fn spread(trace: &Trace, of: fn(&crate::stats::MeanRatios) -> f64) -> f64 {
    let values: Vec<f64> = figures(trace.rounds())
        .iter()
        .map(|round| of(&round.means))
        .collect();
    let estimate = crate::stats::Estimate::of(&values).unwrap();
    estimate.std_error * (values.len() as f64).sqrt()
}

#[test]
fn what_the_kernel_took_is_most_of_the_spread_of_means_recorded_under_load() {
    for name in ["tiny", "allocating"] {
        let all = Trace::all();
        let trace = all.iter().find(|trace| trace.name == name).unwrap();
        let [measured, undisturbed] = [
            spread(trace, |m| m.measured),
            spread(trace, |m| m.undisturbed),
        ];
        assert!(
            4.0 * undisturbed < measured,
            "{name}: {measured}, {undisturbed}"
        );
    }
}

#[test]
fn recorded_identical_code_is_not_said_to_have_changed_its_mean() {
    let trials = 8;
    for trace in Trace::all() {
        let mut noise = Noise::seeded(94);
        for _ in 0..trials {
            let found = judged(|index| trace.exchanged_at_random(index, &mut noise));
            let moved = says(&found, "the mean rose") || says(&found, "the mean fell");
            assert!(!moved, "{}: {:?}", trace.name, found.notes);
        }
    }
}
