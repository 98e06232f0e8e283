//! By how much the memory of a side grows. Pure: it sees blocks.

use serde::{Deserialize, Serialize};

use crate::plan::SoakSettings;
use crate::stats::{Estimate, block_growth};
use crate::units::{Paired, Side};

use super::SoakBlock;

/// The confidence of the intervals of one side, and of the difference, that a section shows.
const CONFIDENCE: f64 = 0.95;

/// Growth of memory in bytes per request, with an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MemoryGrowth {
    /// The estimate.
    pub bytes_per_request: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The confidence level of the interval.
    pub confidence: f64,
}

impl MemoryGrowth {
    /// From the growth of each block; `None` for fewer than two.
    pub(super) fn of(blocks: &[f64]) -> Option<MemoryGrowth> {
        let estimate = Estimate::of(blocks)?;
        let interval = estimate.interval(1.0 - CONFIDENCE);
        Some(MemoryGrowth {
            bytes_per_request: estimate.ln_ratio,
            lower: interval.lower,
            upper: interval.upper,
            confidence: CONFIDENCE,
        })
    }
}

/// The growth of a side in each block that counts, in bytes per request.
pub(super) fn of_blocks(blocks: &[Paired<SoakBlock>], side: Side) -> Vec<f64> {
    let blocks = blocks.iter().map(|block| block.get(side));
    let counted: Vec<&SoakBlock> = blocks.skip(SoakSettings::WARM_UP - 1).collect();
    let levels: Vec<f64> = counted.iter().map(|block| block.resident as f64).collect();
    let work = counted.iter().skip(1).map(|block| block.requests as f64);
    block_growth(&levels, &work.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A side that holds so much more after each block, on top of what it takes to warm up.
    fn blocks(growth: Paired<u64>) -> Vec<Paired<SoakBlock>> {
        let warm = |index: u64| 50_000_000 * index.min(SoakSettings::WARM_UP as u64);
        let all = 0..(SoakSettings::WARM_UP + SoakSettings::BLOCKS) as u64;
        all.map(|index| {
            growth.map(|growth| SoakBlock {
                requests: 5000,
                resident: warm(index + 1) + growth * index,
                latency_ns: None,
            })
        })
        .collect()
    }

    #[test]
    fn growth_is_what_each_request_leaves_behind_once_the_service_is_warm() {
        let blocks = blocks(Paired::new(0, 1_000_000));
        let base = of_blocks(&blocks, Side::Base);
        assert_eq!(base, [0.0; SoakSettings::BLOCKS]);
        let head = MemoryGrowth::of(&of_blocks(&blocks, Side::Head)).unwrap();
        assert!((head.bytes_per_request - 200.0).abs() < 1e-9, "{head:?}");
        assert!(head.lower <= 200.0 && head.upper >= 200.0, "{head:?}");
        assert_eq!(MemoryGrowth::of(&[1.0]), None);
        assert!(of_blocks(&blocks[..2], Side::Head).is_empty());
    }
}
