//! From the samples of one round to one log ratio.

use super::location::{Weighted, robust_location};
use super::mean_ratio::{MeanRatios, Part};

/// The samples of one side in one round.
#[derive(Debug, Clone, Copy)]
pub struct TimedSamples<'a> {
    /// Iterations of each sample.
    pub iterations: &'a [u64],
    /// Nanoseconds of each sample, for all its iterations.
    pub times: &'a [f64],
    /// When each sample began, in nanoseconds of one clock for both sides; empty if unknown.
    pub starts: &'a [u64],
    /// How many nanoseconds of each sample's time the kernel kept it from its processor; empty where
    /// that is not known.
    pub preempted: &'a [u64],
}

/// What one round says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundEstimate {
    /// The estimate of ln(head ÷ base) of the typical iteration.
    pub ln_ratio: f64,
    /// The same of the arithmetic means.
    pub means: MeanRatios,
    /// How many comparisons it rests on.
    pub comparisons: usize,
}

/// The log ratio of a round whose sides took turns, from blocks adjacent in time.
///
/// The samples of both sides are laid on one time line and cut into blocks where the side changes; a block's value
/// is the logarithm of its time per iteration. Each block is compared with the level of the machine at that moment:
/// the mean of both sides' medians over the [`REACH`] blocks before it and the [`REACH`] after it. Since as many
/// lie before as after, a drift that is linear over that window cancels; since they are medians, a disturbance of
/// some of its blocks does not matter. The comparisons, weighted by the share of their side's iterations behind
/// them, are joined by [`robust_location`]. (They are not weighted by time: an interrupted block would count more
/// the longer it was interrupted. On two traces recorded under heavy load, this alone makes the spread about three
/// times smaller.)
///
/// Hypothesis: the logarithms of both sides share one disturbance that varies slowly against the window,
/// about ten milliseconds. The result is in natural logarithms. Valid for at least one block a side (two
/// blocks give their plain difference); `None` where a side has no sample, where the lengths differ,
/// or where starts are missing.
#[must_use]
pub fn paired_log_ratio(base: TimedSamples<'_>, head: TimedSamples<'_>) -> Option<RoundEstimate> {
    let blocks = blocks(base, head)?;
    let comparisons = comparisons(&blocks);
    let values: Vec<Weighted> = comparisons.iter().map(BlockComparison::weighted).collect();
    Some(RoundEstimate {
        ln_ratio: robust_location(&values)?,
        means: detrended_means(&blocks, &comparisons).or_else(|| means(base, head))?,
        comparisons: comparisons.len(),
    })
}

/// The log ratio of a round whose sides ran one after the other: the difference of both sides'
/// robust locations of the logarithm of the time per iteration, weighted by iterations.
///
/// Hypothesis: the machine is the same during both; whatever differs is noise of this round, which
/// only more rounds can average out. The result is in natural logarithms. Valid for at least one
/// sample a side; `None` otherwise or where the lengths differ.
#[must_use]
pub fn unpaired_log_ratio(base: TimedSamples<'_>, head: TimedSamples<'_>) -> Option<RoundEstimate> {
    let location = |side: TimedSamples<'_>| -> Option<f64> {
        let values: Vec<Weighted> = samples(side)?
            .map(|sample| Weighted {
                value: (sample.time / sample.iterations).ln(),
                // Not by time: an interrupted sample would count more the longer it was interrupted.
                weight: sample.iterations,
            })
            .collect();
        robust_location(&values)
    };
    Some(RoundEstimate {
        ln_ratio: location(head)? - location(base)?,
        means: means(base, head)?,
        comparisons: base.times.len().min(head.times.len()),
    })
}

/// The ratios of all samples: if the sides ran one after the other, these include whatever differs between the two
/// runs.
fn means(base: TimedSamples<'_>, head: TimedSamples<'_>) -> Option<MeanRatios> {
    let side = |side, sign| {
        samples(side).map(|samples| {
            samples.map(move |sample| Part {
                sign,
                measured: sample.time,
                undisturbed: sample.undisturbed,
                iterations: sample.iterations,
            })
        })
    };
    MeanRatios::of(side(base, -1.0)?.chain(side(head, 1.0)?))
}

/// The ratios for sides that took turns: each block counts as a multiple of the machine's level around it, which
/// both sides share, so a drift cancels as it does in the robust ratio. `None` if a side has no block with others
/// before and after it.
fn detrended_means(blocks: &[Block], comparisons: &[BlockComparison]) -> Option<MeanRatios> {
    MeanRatios::of(comparisons.iter().map(|comparison| {
        let block = &blocks[comparison.at];
        // The level between the sides is half a difference away from either.
        let above_level = block.sign * comparison.value / 2.0;
        let measured = comparison.share * above_level.exp();
        Part {
            sign: block.sign,
            measured,
            undisturbed: measured * block.undisturbed,
            iterations: comparison.share,
        }
    }))
}

/// A side's sample that can be used.
struct Usable {
    index: usize,
    iterations: f64,
    time: f64,
    /// The time without the part that the kernel took.
    undisturbed: f64,
}

/// A smaller share of a sample does not count as preemption: the two clocks do not agree more closely.
const PREEMPTED: f64 = 0.001;

fn samples(side: TimedSamples<'_>) -> Option<impl Iterator<Item = Usable> + '_> {
    let undisturbed = move |index: usize, time: f64| {
        let preempted = side.preempted.get(index).map_or(0.0, |p| *p as f64);
        let left = time - preempted;
        let counts = preempted > PREEMPTED * time && left > 0.0;
        if counts { left } else { time }
    };
    (side.iterations.len() == side.times.len()).then(|| {
        side.iterations
            .iter()
            .zip(side.times)
            .enumerate()
            .filter(|(_, (n, t))| **n > 0 && t.is_finite() && **t > 0.0)
            .map(move |(index, (n, t))| Usable {
                index,
                iterations: *n as f64,
                time: *t,
                undisturbed: undisturbed(index, *t),
            })
    })
}

/// A sample on the time line of both sides. `sign` is −1 for base and +1 for head.
#[derive(Clone, Copy)]
struct Sample {
    sign: f64,
    start: f64,
    iterations: f64,
    time: f64,
    undisturbed: f64,
}

/// Consecutive samples of one side.
struct Block {
    sign: f64,
    /// The logarithm of the time per iteration.
    level: f64,
    /// Its share of its side's iterations.
    share: f64,
    /// The share of its time that is left without what the kernel took.
    undisturbed: f64,
}

/// A block against the machine's level around it.
struct BlockComparison {
    /// Which block.
    at: usize,
    /// The estimate of the log ratio that follows from it.
    value: f64,
    /// The block's share of its side's iterations.
    share: f64,
}

impl BlockComparison {
    fn weighted(&self) -> Weighted {
        Weighted {
            value: self.value,
            weight: self.share,
        }
    }
}

/// Blocks on either side that say how fast the machine was around a block. A wider window is more
/// robust against interruptions, a narrower one against fast drift; `docs/statistics.md` has the
/// simulation.
const REACH: usize = 5;

fn blocks(base: TimedSamples<'_>, head: TimedSamples<'_>) -> Option<Vec<Block>> {
    let origin = *base.starts.iter().chain(head.starts).min()?;
    let mut line = Vec::with_capacity(base.times.len() + head.times.len());
    for (side, sign) in [(base, -1.0), (head, 1.0)] {
        if side.starts.len() != side.times.len() {
            return None;
        }
        line.extend(samples(side)?.map(|sample| Sample {
            sign,
            start: (side.starts[sample.index] - origin) as f64,
            iterations: sample.iterations,
            time: sample.time,
            undisturbed: sample.undisturbed,
        }));
    }
    line.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut runs: Vec<&[Sample]> = line.chunk_by(|a, b| a.sign == b.sign).collect();
    if runs.len() < 2 {
        return None;
    }
    trim_ends(&mut runs);
    let total = [-1.0, 1.0].map(|sign| {
        let side = line.iter().filter(|s| s.sign == sign);
        side.map(|s| s.iterations).sum::<f64>()
    });
    Some(runs.into_iter().map(|run| block(run, total)).collect())
}

/// A side that is alone at the end (or the start) may run far longer than a turn; only its samples
/// near the other side belong to the same moment.
fn trim_ends(runs: &mut [&[Sample]]) {
    let work = |run: &[Sample]| run.iter().map(|s| s.time).sum::<f64>();
    let inner = runs.len().saturating_sub(2).max(1);
    let turn = if runs.len() > 2 {
        runs[1..runs.len() - 1].iter().map(|r| work(r)).sum::<f64>() / inner as f64
    } else {
        runs.iter().map(|r| work(r)).fold(f64::INFINITY, f64::min)
    };
    let enough = |samples: &mut dyn Iterator<Item = &Sample>| {
        let mut sum = 0.0;
        samples
            .take_while(|s| {
                let short = sum < turn;
                sum += s.time;
                short
            })
            .count()
    };
    let last = runs.len() - 1;
    let keep = enough(&mut runs[0].iter().rev());
    runs[0] = &runs[0][runs[0].len() - keep..];
    let keep = enough(&mut runs[last].iter());
    runs[last] = &runs[last][..keep];
}

/// `total` holds the iterations of base and of head.
fn block(run: &[Sample], [base, head]: [f64; 2]) -> Block {
    let work: f64 = run.iter().map(|s| s.time).sum();
    let undisturbed: f64 = run.iter().map(|s| s.undisturbed).sum();
    let iterations: f64 = run.iter().map(|s| s.iterations).sum();
    Block {
        sign: run[0].sign,
        level: (work / iterations).ln(),
        share: iterations / if run[0].sign < 0.0 { base } else { head },
        undisturbed: undisturbed / work,
    }
}

/// Every block against the machine's level around it, as a difference head − base.
fn comparisons(blocks: &[Block]) -> Vec<BlockComparison> {
    if let [a, b] = blocks {
        return vec![BlockComparison {
            at: 1,
            value: b.sign * (b.level - a.level),
            share: 1.0,
        }];
    }
    (1..blocks.len() - 1)
        .map(|at| {
            let reach = REACH.min(at).min(blocks.len() - 1 - at);
            let window = &blocks[at - reach..=at + reach];
            let same = middle(window, |b| b.sign == blocks[at].sign);
            let other = middle(window, |b| b.sign != blocks[at].sign);
            BlockComparison {
                at,
                // The level between the sides is half a difference away from either.
                value: blocks[at].sign * (2.0 * blocks[at].level - same - other),
                share: blocks[at].share,
            }
        })
        .collect()
}

/// The median level of the blocks that are `meant`; there is always one.
fn middle(window: &[Block], meant: impl Fn(&Block) -> bool) -> f64 {
    let mut levels = [0.0; 2 * REACH + 1];
    let mut n = 0;
    for block in window.iter().filter(|b| meant(b)) {
        levels[n] = block.level;
        n += 1;
    }
    levels[..n].sort_by(f64::total_cmp);
    (levels[n / 2] + levels[(n - 1) / 2]) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One side's samples, owned.
    #[derive(Clone, Default)]
    struct Side {
        iterations: Vec<u64>,
        times: Vec<f64>,
        starts: Vec<u64>,
    }

    impl Side {
        fn timed(&self) -> TimedSamples<'_> {
            TimedSamples {
                iterations: &self.iterations,
                times: &self.times,
                starts: &self.starts,
                preempted: &[],
            }
        }
    }

    /// Alternating blocks of `per_block` samples of 100 iterations; `ns` gives the time per
    /// iteration from (is head, start).
    fn alternate(blocks: usize, per_block: usize, ns: impl Fn(bool, f64) -> f64) -> (Side, Side) {
        let (mut base, mut head) = (Side::default(), Side::default());
        let mut now = 1_000_000.0;
        for block in 0..blocks {
            let is_head = block % 2 == 1;
            let side = if is_head { &mut head } else { &mut base };
            for _ in 0..per_block {
                let time = 100.0 * ns(is_head, now);
                side.iterations.push(100);
                side.times.push(time);
                side.starts.push(now as u64);
                now += time;
            }
        }
        (base, head)
    }

    #[test]
    fn a_planted_change_is_found_exactly_where_there_is_no_noise() {
        let (base, head) = alternate(20, 3, |is_head, _| if is_head { 1010.0 } else { 1000.0 });
        let round = paired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!((round.ln_ratio - 1.01f64.ln()).abs() < 1e-12);
        assert_eq!(round.comparisons, 18);
        let round = unpaired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!((round.ln_ratio - 1.01f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_drift_of_half_the_speed_cancels() {
        // From 1000 ns to about 2000 ns over the round, on both sides alike.
        let (base, head) = alternate(60, 1, |_, now| 1000.0 * (now / 9e6).exp());
        let paired = paired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!(paired.ln_ratio.abs() < 1e-4, "{}", paired.ln_ratio);
    }

    #[test]
    fn a_burst_that_hits_some_blocks_does_not_move_the_ratio() {
        let (base, head) = alternate(61, 2, |is_head, now| {
            let level = if is_head { 1020.0 } else { 1000.0 };
            let wobble = 1.0 + 0.001 * (now / 3.3e4).sin();
            let burst = if (4e6..5.5e6).contains(&now) {
                3.0
            } else {
                1.0
            };
            level * wobble * burst
        });
        let round = paired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!(
            (round.ln_ratio - 1.02f64.ln()).abs() < 5e-4,
            "{}",
            round.ln_ratio
        );
    }

    #[test]
    fn a_side_alone_at_the_end_is_heard_only_near_the_other() {
        let (base, mut head) = alternate(10, 2, |_, _| 1000.0);
        let mut now = *head.starts.last().unwrap() + 100_000;
        for _ in 0..500 {
            head.iterations.push(100);
            head.times.push(150_000.0);
            head.starts.push(now);
            now += 150_000;
        }
        let round = paired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!(round.ln_ratio.abs() < 0.01, "{}", round.ln_ratio);
    }

    #[test]
    fn one_block_a_side_gives_their_difference() {
        let (base, head) = alternate(2, 4, |is_head, _| if is_head { 1100.0 } else { 1000.0 });
        let round = paired_log_ratio(base.timed(), head.timed()).unwrap();
        assert!((round.ln_ratio - 1.1f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn nothing_can_be_said_without_samples_or_starts() {
        let (base, mut head) = alternate(6, 1, |_, _| 1000.0);
        let empty = Side::default();
        assert!(paired_log_ratio(base.timed(), empty.timed()).is_none());
        assert!(unpaired_log_ratio(empty.timed(), head.timed()).is_none());
        head.starts.clear();
        assert!(paired_log_ratio(base.timed(), head.timed()).is_none());
        assert!(unpaired_log_ratio(base.timed(), head.timed()).is_some());
    }

    proptest! {
        #[test]
        fn swapping_the_sides_negates_and_scaling_one_shifts(
            times in prop::collection::vec(900.0..1100.0f64, 4..60),
            scale in 0.2..5.0f64,
        ) {
            let mut next = times.iter().copied().cycle();
            let drawn: Vec<f64> = (0..times.len()).map(|_| next.next().unwrap()).collect();
            let index = std::cell::Cell::new(0);
            let (base, head) = alternate(times.len(), 1, |_, _| {
                let i = index.get();
                index.set(i + 1);
                drawn[i]
            });
            let mut scaled = head.clone();
            scaled.times.iter_mut().for_each(|t| *t *= scale);
            for estimate in [
                paired_log_ratio as fn(TimedSamples<'_>, TimedSamples<'_>) -> Option<RoundEstimate>,
                unpaired_log_ratio,
            ] {
                let forth = estimate(base.timed(), head.timed()).unwrap().ln_ratio;
                let back = estimate(head.timed(), base.timed()).unwrap().ln_ratio;
                prop_assert!((forth + back).abs() < 1e-6);
            }
            // Only by benchmark: by sample, longer samples also change where the middles lie.
            let forth = unpaired_log_ratio(base.timed(), head.timed()).unwrap().ln_ratio;
            let moved = unpaired_log_ratio(base.timed(), scaled.timed()).unwrap().ln_ratio;
            prop_assert!((moved - forth - scale.ln()).abs() < 1e-6);
        }
    }
}
