//! Noise of known truth. Shared by the tests and by `benches/estimators.rs`.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How the level of a process is drawn, as a natural logarithm with a spread of about 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Gaussian.
    Gaussian,
    /// Student's t with 3 degrees of freedom, scaled to variance 1.
    HeavyTailed,
    /// Two modes, equally likely, with little spread around them: heap or stack placement.
    Bimodal,
    /// Two modes of which one is rare.
    RareMode,
    /// Exponential: nothing is faster than undisturbed.
    Skewed,
}

impl Shape {
    pub(crate) const ALL: [Shape; 5] = [
        Shape::Gaussian,
        Shape::HeavyTailed,
        Shape::Bimodal,
        Shape::RareMode,
        Shape::Skewed,
    ];
}

/// A seeded source of noise.
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    pub(crate) fn seeded(seed: u64) -> Noise {
        Noise(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Standard Gaussian, by Box and Muller.
    pub(crate) fn gaussian(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// One process's level.
    pub(crate) fn level(&mut self, shape: Shape) -> f64 {
        match shape {
            Shape::Gaussian => self.gaussian(),
            Shape::HeavyTailed => {
                let chi: f64 = (0..3).map(|_| self.gaussian().powi(2)).sum();
                self.gaussian() / chi.sqrt()
            }
            Shape::Bimodal => {
                let mode = if self.uniform() < 0.5 { -1.0 } else { 1.0 };
                mode + 0.02 * self.gaussian()
            }
            Shape::RareMode => {
                let mode = if self.uniform() < 0.05 { 4.0 } else { 0.0 };
                mode + 0.1 * self.gaussian()
            }
            Shape::Skewed => -(1.0 - self.uniform()).ln(),
        }
    }

    /// The log ratio of one round: two processes drawn alike, and a true `change` between them.
    pub(crate) fn round(&mut self, shape: Shape, change: f64, spread: f64) -> f64 {
        change + spread * (self.level(shape) - self.level(shape)) / std::f64::consts::SQRT_2
    }

    /// The log ratios of `n` rounds.
    pub(crate) fn rounds(&mut self, shape: Shape, n: usize, change: f64, spread: f64) -> Vec<f64> {
        (0..n).map(|_| self.round(shape, change, spread)).collect()
    }
}

/// What disturbs the samples of one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// White noise of 1 % a sample and nothing else.
    White,
    /// A machine that slows down by 10 % over the round.
    Drift,
    /// A wandering disturbance shared by both sides: autoregressive, 3 %, over some 20 blocks.
    Autocorrelated,
    /// One sample in ten is interrupted, by 5 to 50 %.
    Interrupted,
    /// A neighbour takes a third of the round, which then is 30 % slower.
    Neighbour,
    /// Samples jump between two speeds 4 % apart, each side on its own.
    TwoSpeeds,
}

impl Disturbance {
    pub(crate) const ALL: [Disturbance; 6] = [
        Disturbance::White,
        Disturbance::Drift,
        Disturbance::Autocorrelated,
        Disturbance::Interrupted,
        Disturbance::Neighbour,
        Disturbance::TwoSpeeds,
    ];
}

/// One side's samples of a simulated round.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedSide {
    pub(crate) iterations: Vec<u64>,
    pub(crate) times: Vec<f64>,
    pub(crate) starts: Vec<u64>,
    /// Empty: nobody asked the kernel.
    pub(crate) preempted: Vec<u64>,
}

/// How the sides of a simulated round take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turns {
    /// Block by block, as the probe does.
    Blocks,
    /// Base first, then head.
    WholeRuns,
}

impl Noise {
    /// A round of `blocks` blocks a side, two samples of about 0.5 ms each, with a true log ratio of
    /// `change`.
    pub(crate) fn samples(
        &mut self,
        disturbance: Disturbance,
        turns: Turns,
        blocks: usize,
        change: f64,
    ) -> (SimulatedSide, SimulatedSide) {
        let mut sides = (SimulatedSide::default(), SimulatedSide::default());
        let mut wander = 0.0;
        let mut now = 5_000_000.0;
        for turn in 0..2 * blocks {
            let progress = turn as f64 / (2 * blocks) as f64;
            wander = 0.95 * wander + 0.03 * (1.0f64 - 0.95 * 0.95).sqrt() * self.gaussian();
            let is_head = match turns {
                Turns::Blocks => turn % 2 == 1,
                Turns::WholeRuns => turn >= blocks,
            };
            for _ in 0..2 {
                let shared = match disturbance {
                    Disturbance::Drift => 0.10 * progress,
                    Disturbance::Autocorrelated => wander,
                    Disturbance::Neighbour if (0.3..0.63).contains(&progress) => 0.26,
                    _ => 0.0,
                };
                let own = match disturbance {
                    Disturbance::Interrupted if self.uniform() < 0.1 => {
                        (1.05 + 0.45 * self.uniform()).ln()
                    }
                    Disturbance::TwoSpeeds if self.uniform() < 0.5 => 0.04,
                    _ => 0.0,
                };
                let effect = if is_head { change } else { 0.0 };
                let level = shared + own + effect + 0.01 * self.gaussian();
                let time = 500_000.0 * level.exp();
                let side = if is_head { &mut sides.1 } else { &mut sides.0 };
                side.iterations.push(1000);
                side.times.push(time);
                side.starts.push(now as u64);
                now += time;
            }
        }
        sides
    }
}
