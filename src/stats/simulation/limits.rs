//! Where the statistics promise more than they keep: `docs/statistics.md` quotes these figures under
//! "What it cannot do". A test also fails if a figure has become better.

use super::disturbed::Firsts;
use super::*;

const TRIALS: usize = 10_000;

/// The share of [`TRIALS`] benchmarks without a change that are accused within 30 rounds at 99 %
/// confidence. `start` returns a function that draws one benchmark's rounds.
fn share_accused<D: FnMut(&mut Noise) -> f64>(seed: u64, start: impl Fn(&mut Noise) -> D) -> f64 {
    let looks = Looks::plan(30);
    let mut noise = Noise::seeded(seed);
    let alarms = (0..TRIALS).filter(|_| {
        let mut draw = start(&mut noise);
        sequentially(&looks, usize::MAX, 0.01, || draw(&mut noise)).found()
    });
    alarms.count() as f64 / TRIALS as f64
}

/// A value of variance 1 that keeps half of itself from round to round.
struct Persistent(f64);

impl Persistent {
    fn start(noise: &mut Noise) -> Persistent {
        Persistent(noise.gaussian())
    }

    fn next_value(&mut self, noise: &mut Noise) -> f64 {
        let kept = 0.5;
        let was = self.0;
        self.0 = kept * was + (1.0f64 - kept * kept).sqrt() * noise.gaussian();
        was
    }
}

#[test]
fn rounds_that_resemble_those_before_them_raise_false_alarms() {
    let share = share_accused(71, |noise| {
        let mut ratio = Persistent::start(noise);
        move |noise: &mut Noise| ratio.next_value(noise)
    });
    assert!((0.14..0.18).contains(&share), "{share}");
}

#[test]
fn what_favours_the_side_that_runs_first_may_persist() {
    let share = share_accused(72, |noise| {
        let mut favour = Persistent::start(noise);
        let mut firsts = Firsts::of(Order::Drawn);
        // It favours the first side on average, too.
        move |noise: &mut Noise| {
            firsts.next_sign(noise) * (1.0 + favour.next_value(noise)) + 0.5 * noise.gaussian()
        }
    });
    assert!(
        share * TRIALS as f64 <= at_most(TRIALS, 0.01) as f64,
        "{share}"
    );
}

/// A head that has two modes of equal likelihood around the level of a base that has none. (Where the
/// base has them, too, the code being the same, [`believable`] bounds how often few rounds agree.)
#[test]
fn a_head_that_alone_has_two_modes_is_accused_when_six_rounds_agree() {
    let share = share_accused(73, |_| {
        |noise: &mut Noise| {
            let mode = if noise.uniform() < 0.5 { -1.0 } else { 1.0 };
            mode + 0.02 * noise.gaussian()
        }
    });
    // All of six rounds agree with a probability of 2·2⁻⁶ = 3.1 %; later looks add to that.
    let trials = TRIALS as f64;
    let agree = 2.0 * 0.5f64.powi(6);
    let deviation = (agree * (1.0 - agree) / trials).sqrt();
    assert!(share > agree - 4.0 * deviation, "{share}");
    assert!(share < agree + 0.01 + 4.0 * deviation, "{share}");
}
