//! Rounds on a disturbed machine, from their samples to intervals, false alarms and power.

use std::sync::LazyLock;

use super::*;

/// Which side goes first in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As in `measure::order`: rounds come in pairs, a coin decides the first one, and the second is
    /// the reverse.
    Drawn,
    /// Base first in every round, as it should not be done.
    BaseFirst,
}

/// The order of a benchmark's rounds, round by round.
pub(super) struct Firsts {
    order: Order,
    drawn: usize,
    sign: f64,
}

impl Firsts {
    pub(super) fn of(order: Order) -> Firsts {
        Firsts {
            order,
            drawn: 0,
            sign: 1.0,
        }
    }

    /// The sign that what favours the first side has in the next round's log ratio: +1 where base is
    /// first.
    pub(super) fn next_sign(&mut self, noise: &mut Noise) -> f64 {
        if self.order == Order::Drawn {
            let is_reverse = self.drawn % 2 == 1;
            self.sign = if is_reverse {
                -self.sign
            } else if noise.uniform() < 0.5 {
                -1.0
            } else {
                1.0
            };
            self.drawn += 1;
        }
        self.sign
    }
}

/// What a disturbance does to rounds of identical code.
///
/// The estimators see a round's samples once. They are equivariant: a process that is slower as a whole
/// and a planted change add to the log ratio, and it turns its sign with the order of the sides (a test
/// below). So any number of benchmarks can be drawn from these errors: an error, with the sign of the
/// order, and the levels of two processes on top. Since the coins of the order are fair, such rounds
/// are symmetric about the planted change, whichever errors were seen: the truth is known.
pub(crate) struct Disturbed {
    pub(crate) disturbance: Disturbance,
    pub(crate) turns: Turns,
    /// Log ratios of rounds in which base went first.
    errors: Vec<f64>,
}

/// How many rounds of each disturbance the estimators see.
const ROUNDS_SEEN: usize = 250;

/// Blocks a side in a round: 50 ms, half of the usual, so that the disturbance counts for more.
const BLOCKS: usize = 50;

impl Disturbed {
    /// Every disturbance, with the sides taking turns and with one after the other.
    pub(crate) fn all() -> &'static [Disturbed] {
        static ALL: LazyLock<Vec<Disturbed>> = LazyLock::new(|| {
            let both = |disturbance| {
                [Turns::Blocks, Turns::WholeRuns].map(|turns| Disturbed::new(disturbance, turns))
            };
            Disturbance::ALL.into_iter().flat_map(both).collect()
        });
        &ALL
    }

    fn new(disturbance: Disturbance, turns: Turns) -> Disturbed {
        let mut noise = Noise::seeded(61);
        let errors = (0..ROUNDS_SEEN)
            .map(|_| {
                let (base, head) = noise.samples(disturbance, turns, BLOCKS, 0.0);
                ln_ratio(turns, &base, &head)
            })
            .collect();
        Disturbed {
            disturbance,
            turns,
            errors,
        }
    }

    fn of(disturbance: Disturbance, turns: Turns) -> &'static Disturbed {
        let wanted = |d: &&Disturbed| (d.disturbance, d.turns) == (disturbance, turns);
        Disturbed::all().iter().find(wanted).unwrap()
    }

    /// A benchmark's rounds.
    pub(crate) fn rounds(&self, order: Order) -> DisturbedRounds<'_> {
        DisturbedRounds {
            errors: &self.errors,
            firsts: Firsts::of(order),
        }
    }
}

/// One benchmark's rounds on a disturbed machine.
pub(crate) struct DisturbedRounds<'a> {
    errors: &'a [f64],
    firsts: Firsts,
}

impl DisturbedRounds<'_> {
    /// The log ratio of the next round, whose processes have levels of this shape and spread, and a true
    /// `change` between them.
    pub(crate) fn draw(
        &mut self,
        noise: &mut Noise,
        shape: Shape,
        change: f64,
        spread: f64,
    ) -> f64 {
        let error = self.errors[(noise.uniform() * self.errors.len() as f64) as usize];
        self.firsts.next_sign(noise) * error + noise.round(shape, change, spread)
    }
}

/// How far processes of identical code differ, as measured: sorting, and a routine of 25 ns that
/// allocates.
const LEVELS: [(Shape, f64); 2] = [(Shape::Gaussian, 0.0025), (Shape::Skewed, 0.028)];

/// Every disturbance with every level of the processes.
fn cases() -> impl Iterator<Item = (&'static Disturbed, Shape, f64)> {
    Disturbed::all()
        .iter()
        .flat_map(|disturbed| LEVELS.map(|(shape, spread)| (disturbed, shape, spread)))
}

/// How many of `trials` benchmarks, measured sequentially for at most 30 rounds, end as `meant`.
fn count_sequentially(
    (disturbed, shape, spread): (&Disturbed, Shape, f64),
    change: f64,
    alpha: f64,
    trials: usize,
    meant: impl Fn(&Ended) -> bool,
) -> usize {
    let looks = Looks::plan(30);
    let mut noise = Noise::seeded(63);
    (0..trials)
        .filter(|_| {
            let mut rounds = disturbed.rounds(Order::Drawn);
            let next_round = || rounds.draw(&mut noise, shape, change, spread);
            meant(&sequentially(&looks, usize::MAX, alpha, next_round))
        })
        .count()
}

#[test]
fn a_round_takes_levels_and_changes_on_top_and_turns_its_sign_with_the_order() {
    for disturbed in Disturbed::all() {
        let (disturbance, turns) = (disturbed.disturbance, disturbed.turns);
        let seen = |change| Noise::seeded(62).samples(disturbance, turns, BLOCKS, change);
        let (base, head) = seen(0.0);
        let error = ln_ratio(turns, &base, &head);
        // The same moments with head first.
        let turned = ln_ratio(turns, &head, &base);
        assert!((turned + error).abs() < 1e-8, "{disturbance:?} {turns:?}");
        let (base, head) = seen(0.03);
        let moved = ln_ratio(turns, &base, &head) - error;
        assert!((moved - 0.03).abs() < 1e-8, "{disturbance:?} {turns:?}");
    }
}

#[test]
fn intervals_cover_the_truth_on_a_disturbed_machine() {
    const SIZES: [usize; 3] = [6, 13, 30];
    const ALPHAS: [f64; 2] = [0.05, 0.01];
    let (trials, truth) = (3000, 0.01);
    for (disturbed, shape, spread) in cases() {
        let mut noise = Noise::seeded(64);
        let mut missed = [[0; ALPHAS.len()]; SIZES.len()];
        for _ in 0..trials {
            let mut draws = disturbed.rounds(Order::Drawn);
            let rounds: Vec<f64> = (0..30)
                .map(|_| draws.draw(&mut noise, shape, truth, spread))
                .collect();
            for (n, missed) in SIZES.into_iter().zip(&mut missed) {
                let estimate = Estimate::of(&rounds[..n]).unwrap();
                for (alpha, missed) in ALPHAS.into_iter().zip(missed) {
                    *missed += usize::from(!Ended { estimate, alpha }.covers(truth));
                }
            }
        }
        let (disturbance, turns) = (disturbed.disturbance, disturbed.turns);
        let limits = ALPHAS.map(|alpha| at_most(trials, alpha));
        assert!(
            missed
                .iter()
                .all(|m| m[0] <= limits[0] && m[1] <= limits[1]),
            "{disturbance:?} {turns:?} {shape:?}: {missed:?} of {trials}"
        );
    }
}

#[test]
fn looking_often_at_a_disturbed_machine_does_not_raise_false_alarms() {
    let trials = 3000;
    for case in cases() {
        for alpha in [0.05, 0.01] {
            let alarms = count_sequentially(case, 0.0, alpha, trials, Ended::found);
            let (
                Disturbed {
                    disturbance, turns, ..
                },
                shape,
                _,
            ) = case;
            assert!(
                alarms <= at_most(trials, alpha),
                "{disturbance:?} {turns:?} {shape:?} {alpha}: {alarms}"
            );
        }
    }
}

#[test]
fn intervals_of_changes_found_on_a_disturbed_machine_cover_them() {
    let trials = 2000;
    for case in cases() {
        let (
            Disturbed {
                disturbance, turns, ..
            },
            shape,
            spread,
        ) = case;
        for alpha in [0.05, 0.01] {
            // About as large as the noise: measuring stops where the noise favours the change.
            let change = spread.max(0.004);
            let missed = count_sequentially(case, change, alpha, trials, |e| !e.covers(change));
            assert!(
                missed <= at_most(trials, alpha),
                "{disturbance:?} {turns:?} {shape:?} {alpha}: {missed}"
            );
        }
    }
}

#[test]
fn planted_changes_are_found_on_a_disturbed_machine() {
    let (trials, alpha) = (400, 0.01);
    for disturbance in Disturbance::ALL {
        let found = |turns, (shape, spread), change| {
            let case = (Disturbed::of(disturbance, turns), shape, spread);
            count_sequentially(case, change, alpha, trials, Ended::found)
        };
        let [steady, restless] = LEVELS;
        let enough = trials * 95 / 100;
        let quiet = found(Turns::Blocks, steady, 0.01);
        assert!(quiet >= enough, "{disturbance:?}: 1 %, {quiet} of {trials}");
        let loud = found(Turns::Blocks, restless, 0.04);
        assert!(loud >= enough, "{disturbance:?}: 4 %, {loud} of {trials}");
        let whole = found(Turns::WholeRuns, steady, 0.06);
        assert!(whole >= enough, "{disturbance:?}: 6 %, {whole} of {trials}");
        // This is what pairing is for: one run after the other hides the change in the machine's drift.
        if [Disturbance::Drift, Disturbance::Autocorrelated].contains(&disturbance) {
            let hidden = found(Turns::WholeRuns, steady, 0.01);
            assert!(hidden < trials / 3, "{disturbance:?}: {hidden} of {trials}");
        }
    }
}

#[test]
fn a_side_that_always_went_first_would_be_accused_of_the_drift() {
    let looks = Looks::plan(30);
    let (shape, spread) = LEVELS[0];
    let accused = |turns, order| {
        let mut noise = Noise::seeded(65);
        let alarms = (0..200).filter(|_| {
            let mut rounds = Disturbed::of(Disturbance::Drift, turns).rounds(order);
            let next_round = || rounds.draw(&mut noise, shape, 0.0, spread);
            sequentially(&looks, usize::MAX, 0.01, next_round).found()
        });
        alarms.count()
    };
    assert_eq!(accused(Turns::WholeRuns, Order::BaseFirst), 200);
    assert!(accused(Turns::WholeRuns, Order::Drawn) <= at_most(200, 0.01));
    assert!(accused(Turns::Blocks, Order::BaseFirst) <= at_most(200, 0.01));
}
