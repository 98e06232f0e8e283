//! Ordinary Criterion benchmarks of different kinds, whose work is lengthened by an exact share.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};

/// The variable that plants a change, in ten-thousandths, five digits so that both sides' environments
/// have equal length.
pub(crate) const PLANT: &str = "PERFCHECK_ACCURACY_PLANT";

/// The benchmarks.
pub(crate) const NAMES: [&str; 7] = [
    "compute",
    "branchy",
    "memory",
    "tiny",
    "allocating",
    "batched",
    "threads",
];

/// Runs as Criterion's own `main` would.
pub(crate) fn run() {
    let planted = std::env::var(PLANT)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut criterion = Criterion::default().configure_from_args();
    small(&mut criterion, planted);
    large(&mut criterion, planted);
    criterion.final_summary();
}

/// `units` of work, more by the planted share; the code is the same whatever the share.
fn lengthened(units: u64, planted: u64) -> u64 {
    units + units * planted / 10_000
}

/// Repeats whole calls, so that their mean work grows by the planted share.
///
/// The repeated calls come in a row, so that the branch predictor is wrong twice in a period rather than
/// at each of them: with 1 % spread evenly, that alone made a dozen nanoseconds 2 % longer.
struct Repeats {
    /// How many calls of a period do their work once.
    single: u64,
    /// Works of a period.
    all: u64,
    at: u64,
}

impl Repeats {
    /// Calls per period; for every planted share, this gives a whole number of repeats.
    const CALLS: u64 = 2_000;

    fn new(planted: u64) -> Repeats {
        let repeated = Repeats::CALLS * planted / 10_000;
        Repeats {
            single: Repeats::CALLS - repeated,
            all: Repeats::CALLS + repeated,
            at: 0,
        }
    }

    /// After each work: whether this call does it once more.
    fn again(&mut self) -> bool {
        self.at += 1;
        if self.at == self.all {
            self.at = 0;
            return false;
        }
        self.at > self.single && (self.at - self.single) % 2 == 1
    }
}

/// Routines of tens of nanoseconds: too short to lengthen each call.
fn small(criterion: &mut Criterion, planted: u64) {
    let mut repeats = Repeats::new(planted);
    criterion.bench_function("tiny", |bencher| {
        bencher.iter(|| {
            loop {
                // The compiler would evaluate the call if the numbers were constants.
                black_box(spin(black_box(12), black_box(1)));
                if !repeats.again() {
                    break;
                }
            }
        });
    });
    let mut repeats = Repeats::new(planted);
    criterion.bench_function("allocating", |bencher| {
        bencher.iter(|| {
            loop {
                drop(black_box(vec![1u8; black_box(100)]));
                if !repeats.again() {
                    break;
                }
            }
        });
    });
}

/// Routines of microseconds and more.
fn large(criterion: &mut Criterion, planted: u64) {
    criterion.bench_function("compute", |bencher| {
        let units = lengthened(10_000, planted);
        bencher.iter(|| spin(black_box(units), 3));
    });
    criterion.bench_function("branchy", |bencher| {
        let units = lengthened(10_000, planted);
        bencher.iter(|| branch(black_box(units)));
    });
    criterion.bench_function("memory", |bencher| {
        let ring = ring(1 << 22);
        let units = lengthened(10_000, planted);
        let mut at = 0;
        bencher.iter(|| {
            for _ in 0..black_box(units) {
                at = ring[at as usize];
            }
            at
        });
    });
    criterion.bench_function("batched", |bencher| {
        let units = lengthened(10_000, planted) as usize;
        bencher.iter_batched(
            || vec![7u64; units],
            |values| {
                values
                    .iter()
                    .fold(0u64, |sum, v| black_box(sum.rotate_left(5) ^ v))
            },
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("threads", |bencher| {
        let units = lengthened(1_000_000, planted);
        bencher.iter(|| {
            std::thread::scope(|scope| {
                let other = scope.spawn(|| spin(black_box(units), 4));
                let own = spin(black_box(units), 5);
                own ^ other.join().unwrap_or(0)
            })
        });
    });
}

/// A chain of dependent arithmetic, one unit about a nanosecond.
fn spin(units: u64, seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..units {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// Branches that no predictor learns.
fn branch(units: u64) -> u64 {
    let (mut x, mut odd) = (9u64, 0u64);
    for _ in 0..units {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        if black_box(x) & 1 == 0 {
            odd = odd.wrapping_mul(3).wrapping_add(1);
        } else {
            odd ^= x;
        }
    }
    odd
}

/// A cycle through `length` places in random order (Sattolo's shuffle): each step waits for memory.
fn ring(length: u32) -> Vec<u32> {
    let mut ring: Vec<u32> = (0..length).collect();
    let mut x = 88_172_645_463_325_252u64;
    for i in (1..length as usize).rev() {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ring.swap(i, (x % i as u64) as usize);
    }
    ring
}
