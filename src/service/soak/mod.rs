//! What a long load does to each side: whether its memory grows, and how its latency is. One pair of fresh processes is loaded in
//! turns at a high rate that both can serve. A turn is a block: it shows how much memory the side holds after it, and the
//! latency in it.

mod growth;

use serde::{Deserialize, Serialize};

use crate::discover::Failure;
use crate::load_generator::{LoadOutcome, LoadShape, NotUsable, Percentile};
use crate::measure::Measured;
use crate::plan::SoakSettings;
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::answers::failure_of_answers;
use super::generator::SliceOrder;
use super::row_kind::RowKind;
use super::rows::single_value;
use super::stage::{LoadStage, RowTest, ServerPair};
use super::{BesideRow, LoadTestResult, SliceEnd};
pub use growth::MemoryGrowth;

/// What a long load does to the sides of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoakResult {
    /// The row whose verdict follows from its latency.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// Requests per second.
    pub rate: f64,
    /// The percentile of the latency.
    pub percentile: Percentile,
    /// What each side shows in each block, in their order.
    pub blocks: Vec<Paired<SoakBlock>>,
    /// How many blocks at the beginning do not count, since the memory of a service grows while it warms up.
    pub warm_up_blocks: usize,
    /// By how much each side grows.
    pub growth: Paired<Option<MemoryGrowth>>,
    /// By how much more head grows.
    pub difference: Option<MemoryGrowth>,
}

/// What one side shows in a block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SoakBlock {
    /// How many requests were sent.
    pub requests: u64,
    /// Resident memory after it, in bytes.
    pub resident: u64,
    /// The percentile of the latency, in nanoseconds; `None` without an answer, or where it is the load generator's.
    pub latency_ns: Option<f64>,
}

/// The blocks of a soak so far.
#[derive(Debug, Default)]
pub(super) struct SoakBlocks {
    blocks: Vec<Paired<SoakBlock>>,
    /// What came of the requests of each block.
    outcomes: Paired<Vec<LoadOutcome>>,
    rate: f64,
    percentile: Option<Percentile>,
}

impl RowTest for SoakBlocks {
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd> {
        let row = RowKind::Soak.key(stage.load.key);
        let settings = stage.load.service.settings.soak;
        let capacity = stage.capacity_of_fresh()?.base;
        self.rate = settings.rate.per_second(capacity);
        let turn = settings.turn();
        let requests = self.rate * turn.as_secs_f64();
        self.percentile = Some(match Percentile::supported(requests as u64) {
            Percentile::P99 => Percentile::P95,
            lower => lower,
        });
        // Both have answered the same number of requests.
        let mut pair = stage.start(stage.first(0))?;
        for index in 0..SoakSettings::WARM_UP + SoakSettings::BLOCKS {
            stage.may_go_on()?;
            stage.round_begins(&row, index);
            let seed = stage.load.seed.wrapping_add(index as u64 + 1);
            let shape = LoadShape::Open { rate: self.rate };
            let order = SliceOrder {
                warm_up: turn / 20,
                ..SliceOrder::lasting(turn - turn / 20, shape, seed)
            };
            let block = self.block(stage, &mut pair, index, &order)?;
            self.blocks.push(block);
            stage.round_ends(&row, index);
        }
        stage.stop(pair);
        Ok(())
    }

    fn wrong_answers(&self, most: f64) -> Option<Failure> {
        let outcomes = |side| self.outcomes.get(side).iter();
        let mut sides = Side::BOTH.into_iter();
        sides.find_map(|side| failure_of_answers(side, outcomes(side), most))
    }

    /// The row: the latency under a long load.
    fn row(&self, stage: &LoadStage<'_>) -> Measured {
        let counted = self.blocks.iter().enumerate().skip(SoakSettings::WARM_UP);
        let rounds = counted.filter_map(|(index, block)| {
            let values = Paired::new(block.base.latency_ns?, block.head.latency_ns?);
            Some(single_value(index, stage.first(index), values))
        });
        let rounds: Vec<_> = rounds.collect();
        let percentile = self.percentile.unwrap_or(Percentile::P95);
        let all = self.blocks.len().saturating_sub(SoakSettings::WARM_UP);
        let lost = all - rounds.len();
        let mut notes = vec![format!(
            "{percentile} of the latency at {:.0} requests per second; one pair of processes: its own luck is not in the interval",
            self.rate
        )];
        if lost > 0 {
            let all = plural(all, "block", "blocks");
            notes.push(format!(
                "{lost} of {all} do not count, since the load generator was late itself or had no answer"
            ));
        }
        Measured {
            key: RowKind::Soak.key(stage.load.key),
            rounds,
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    }

    /// What stands beside the row: the growth of the memory, block by block, in bytes per 1000 requests.
    fn beside(&self, stage: &LoadStage<'_>) -> Vec<BesideRow> {
        let settings = &stage.load.service.settings.soak;
        let thousands_in_an_hour = 3600.0 * self.rate / 1000.0;
        let growth = Paired::from_fn(|side| growth::of_blocks(&self.blocks, side));
        let rounds = growth.base.iter().zip(&growth.head);
        let thousand = |bytes: &f64| Some(1000.0 * bytes);
        vec![BesideRow {
            row: RowKind::Soak,
            metric: Metric::MEMORY_GROWTH,
            rounds: rounds
                .map(|(base, head)| Paired::new(thousand(base), thousand(head)))
                .collect(),
            negligible: settings.growth.as_bytes() as f64 / thousands_in_an_hour.max(1e-9),
        }]
    }

    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult> {
        let percentile = self.percentile.filter(|_| !self.blocks.is_empty())?;
        let growth = Paired::from_fn(|side| growth::of_blocks(&self.blocks, side));
        let differences = growth.base.iter().zip(&growth.head);
        let differences: Vec<f64> = differences.map(|(base, head)| head - base).collect();
        Some(LoadTestResult::Soak(SoakResult {
            key: RowKind::Soak.key(stage.load.key),
            rate: self.rate,
            percentile,
            blocks: self.blocks.clone(),
            warm_up_blocks: SoakSettings::WARM_UP,
            growth: growth.map(|blocks| MemoryGrowth::of(&blocks)),
            difference: MemoryGrowth::of(&differences),
        }))
    }
}

impl SoakBlocks {
    fn block(
        &mut self,
        stage: &LoadStage<'_>,
        pair: &mut ServerPair,
        index: usize,
        order: &SliceOrder,
    ) -> Result<Paired<SoakBlock>, SliceEnd> {
        let first = stage.first(index);
        let nothing = SoakBlock {
            requests: 0,
            resident: 0,
            latency_ns: None,
        };
        let mut block = Paired::new(nothing, nothing);
        for side in [first, first.other()] {
            let slice = stage.slice(pair, side, order)?;
            *block.get_mut(side) = SoakBlock {
                requests: slice.outcome.sent,
                resident: slice.after.resident,
                latency_ns: self.latency(&slice.outcome),
            };
            self.outcomes.get_mut(side).push(slice.outcome);
        }
        Ok(block)
    }

    fn latency(&self, outcome: &LoadOutcome) -> Option<f64> {
        match outcome.not_usable {
            Some(NotUsable::Saturated { .. }) => None,
            _ => outcome.latency_at(self.percentile?),
        }
    }
}
