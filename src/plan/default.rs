//! What holds where nothing was said.

use super::Size;
use super::value::{Confidence, Share, Span};

/// A safety net, not a target: the time budget and the planned interim analyses end a benchmark
/// much sooner, unless its own settings make its rounds short.
pub(super) const ROUNDS: usize = 30;
/// Enough for a planted 1 % on compute-bound code on a shared two-core machine.
pub(super) const TIME: Span = Span::from_millis(2_000);
/// Caches and branch predictors need far less to warm up, and every round pays for it again.
pub(super) const WARM_UP: Span = Span::from_millis(50);
/// Short, so that the budget buys twenty rounds: the process is the unit of replication.
pub(super) const MEASUREMENT: Span = Span::from_millis(100);
/// 5 ms per sample at that measurement time: longer than a scheduler's hiccup, and 20 pairs are
/// enough for a robust location within a round. Criterion takes no less than 10.
pub(super) const SAMPLE_SIZE: usize = 20;
/// Three thousand samples.
pub(super) const PROFILE_TIME: Span = Span::from_millis(3_000);
/// Longer than any sensible set-up of a benchmark, shorter than a person's patience.
pub(super) const TIMEOUT: Span = Span::from_millis(60_000);
/// What code placement alone does to short routines; smaller differences are seldom caused by the
/// change.
pub(super) const THRESHOLD: Share = Share::from_fraction(0.01);
/// The convention.
pub(super) const CONFIDENCE: Confidence = Confidence::USUAL;
/// One more allocation in a hundred shows in no other number; one in a thousand is seldom worth a
/// vote.
pub(super) const ALLOCATION_THRESHOLD: Share = Share::from_fraction(0.01);
/// Counts are exact; what is less than a thousandth is seldom worth a look.
pub(super) const INSTRUCTION_THRESHOLD: Share = Share::from_fraction(0.001);
/// A dozen workspaces of ordinary size, both sides of each.
pub(super) const CACHE_SIZE: Size = Size::from_gigabytes(10);
