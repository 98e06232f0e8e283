//! What a long load does to each side of a service.

use super::{PlotPoint, PlotUnits, TestDetail, TestPlot, TestSection, TestTable, rate};
use crate::report::words::{self, Naming, plural};
use crate::service::{MemoryGrowth, SoakBlock, SoakResult};
use crate::units::{Paired, Side, Unit};

pub(super) fn section(result: &SoakResult, naming: Naming) -> TestSection {
    let difference = match &result.difference {
        Some(difference) => format!(
            "head grows by {} more per request, with {} confidence between {} and {}",
            bytes(difference.bytes_per_request),
            words::confidence(difference.confidence),
            bytes(difference.lower),
            bytes(difference.upper)
        ),
        None => "there are too few blocks to tell whether memory grows".to_owned(),
    };
    TestSection {
        subject: naming.name(&result.key),
        what: format!(
            "{} at {} for each side in turns",
            plural(result.blocks.len(), "block", "blocks"),
            rate(result.rate)
        ),
        table: TestTable {
            headings: vec![
                "",
                "grows per request",
                "interval",
                "per hour",
                "memory at the end",
            ],
            rows: Side::BOTH.map(|side| row(result, side)).to_vec(),
        },
        remarks: vec![difference],
        detail: Some(blocks(result)),
        plot: Some(curve(result)),
    }
}

/// An amount with its sign: memory may shrink.
fn bytes(amount: f64) -> String {
    match amount < 0.0 {
        true => format!("-{}", Unit::Bytes.show(-amount)),
        false => Unit::Bytes.show(amount),
    }
}

fn row(result: &SoakResult, side: Side) -> Vec<String> {
    let growth = result.growth.get(side).as_ref();
    let show = |of: &dyn Fn(&MemoryGrowth) -> String| growth.map(of).unwrap_or_default();
    let end = result.blocks.last().map(|block| block.get(side).resident);
    vec![
        side.name().to_owned(),
        show(&|growth| bytes(growth.bytes_per_request)),
        show(&|growth| format!("{} … {}", bytes(growth.lower), bytes(growth.upper))),
        show(&|growth| bytes(3600.0 * result.rate * growth.bytes_per_request)),
        end.map_or_else(String::new, |end| Unit::Bytes.show(end as f64)),
    ]
}

/// Memory and latency of both sides, block by block.
fn blocks(result: &SoakResult) -> TestDetail {
    let rows = result.blocks.iter().enumerate().map(|(at, block)| {
        let memory = |block: &SoakBlock| Unit::Bytes.show(block.resident as f64);
        let latency = |block: &SoakBlock| {
            let latency = block.latency_ns;
            latency.map_or_else(String::new, |latency| Unit::Nanoseconds.show(latency))
        };
        let name = match at < result.warm_up_blocks {
            true => format!("{} (warm-up)", at + 1),
            false => (at + 1).to_string(),
        };
        vec![
            name,
            memory(&block.base),
            memory(&block.head),
            latency(&block.base),
            latency(&block.head),
        ]
    });
    TestDetail {
        title: format!("memory and {} of each block", result.percentile),
        table: TestTable {
            headings: vec![
                "",
                "memory, base",
                "memory, head",
                "latency, base",
                "latency, head",
            ],
            rows: rows.collect(),
        },
    }
}

/// The memory of both sides by the requests that they have had.
fn curve(result: &SoakResult) -> TestPlot {
    let of_side = |side: Side| {
        let blocks = result.blocks.iter().map(|block| block.get(side));
        let mut requests = 0;
        let points = blocks.map(|block| {
            requests += block.requests;
            PlotPoint {
                across: requests as f64,
                up: block.resident as f64,
            }
        });
        points.collect()
    };
    TestPlot {
        title: "memory by the number of requests".to_owned(),
        units: PlotUnits {
            across: Unit::Count,
            up: Unit::Bytes,
        },
        curves: Paired::from_fn(of_side),
    }
}
