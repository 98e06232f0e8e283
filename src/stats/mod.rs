//! Estimates, intervals and decisions from slices of numbers.
//!
//! Pure: no input or output, no clock, no global randomness. The scale is the natural logarithm of
//! head ÷ base throughout, so that swapping the sides changes the sign and nothing else. The choices,
//! with the simulations behind them, are explained in `docs/statistics.md`.
//!
//! | step | here |
//! |---|---|
//! | samples of one side → what the report shows of them | [`Summary`] |
//! | samples of one side, round by round → how sure that is by itself | [`SummaryErrors`] |
//! | samples of one round → one log ratio, and that of the means | [`paired_log_ratio`], [`unpaired_log_ratio`] |
//! | log ratios of the rounds → estimate, interval, p-values | [`Estimate`] |
//! | a few processes a side, too few for an interval → whether they lie apart | [`separation()`], [`p_separated`] |
//! | several looks at growing data, one error rate | [`Looks`] |
//! | many benchmarks, one error rate | [`step_up`] |
//! | log ratios of many pairs of commits → the level of each, its steps and drifts | [`trend`] |
//! | absolute numbers of commits, one after the other → where their level changes | [`series_steps()`] |
//! | levels of one process at the ends of blocks → growth of each block | [`block_growth()`] |
//! | successes of trials → how likely success is | [`binomial_bounds`] |

mod absolute_error;
mod binomial;
mod block_growth;
mod estimate;
mod location;
mod looks;
mod mean_ratio;
mod multiple_testing;
mod round_ratio;
mod separation;
mod series_steps;
mod summary;
pub mod trend;

pub use absolute_error::{SummaryErrors, one_sided_margin};
pub use binomial::{binomial_bounds, unseen_mode};
pub use block_growth::block_growth;
pub use estimate::{Estimate, Interval, believable};
pub use location::{Weighted, robust_location, weighted_median};
pub use looks::{Looks, Standing};
pub use mean_ratio::MeanRatios;
pub use multiple_testing::step_up;
pub use round_ratio::{RoundEstimate, TimedSamples, paired_log_ratio, unpaired_log_ratio};
pub use separation::{Separation, p_separated, separation};
pub use series_steps::{SeriesStep, series_steps};
pub use summary::{Summary, percentile};

#[cfg(test)]
pub(crate) mod simulation;
