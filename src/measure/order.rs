//! Which side goes first: at random, so that nothing periodic favours a side, and balanced, so that
//! luck does not either.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::units::{BenchmarkKey, Side};

/// The random order of a run, determined by its seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    seed: u64,
}

impl Order {
    pub(crate) fn new(seed: u64) -> Order {
        Order { seed }
    }

    /// The side that goes first in a round of a benchmark. Rounds come in pairs: a coin decides the
    /// first, and the second is the reverse, so that over any even number of rounds each side is
    /// first equally often.
    pub(crate) fn first(self, key: &BenchmarkKey, round: usize) -> Side {
        let block = round / 2;
        let mut random = self.stream(&[
            key.package.as_bytes(),
            key.target.as_bytes(),
            key.id.as_bytes(),
            &block.to_le_bytes(),
        ]);
        let side = if random.random::<bool>() {
            Side::Base
        } else {
            Side::Head
        };
        if round.is_multiple_of(2) {
            side
        } else {
            side.other()
        }
    }

    /// The order in which `count` targets have their turns in a round.
    pub(crate) fn of_targets(self, round: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut self.stream(&[b"targets", &round.to_le_bytes()]));
        order
    }

    /// The generator of the layouts of a target's executables in a round.
    pub(super) fn layouts(self, target: usize, round: usize) -> ChaCha8Rng {
        self.stream(&[b"layouts", &target.to_le_bytes(), &round.to_le_bytes()])
    }

    /// A generator for one purpose, named by `words`: what is drawn for a benchmark does not depend
    /// on the other benchmarks.
    fn stream(self, words: &[&[u8]]) -> ChaCha8Rng {
        // FNV-1a, 64 bits: stable across versions, unlike the standard library's hashes.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in words.iter().flat_map(|word| word.iter().chain(&[0xff])) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(hash);
        random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> BenchmarkKey {
        BenchmarkKey {
            package: "p".into(),
            target: "t".into(),
            id: id.into(),
        }
    }

    #[test]
    fn each_side_is_first_in_half_of_the_rounds_of_each_benchmark() {
        for seed in 0..50 {
            let order = Order::new(seed);
            let base = (0..20)
                .filter(|round| order.first(&key("a"), *round) == Side::Base)
                .count();
            assert_eq!(base, 10);
        }
    }

    #[test]
    fn the_order_follows_from_the_seed_and_nothing_else() {
        let draw = |seed, id| -> Vec<Side> {
            (0..40)
                .map(|round| Order::new(seed).first(&key(id), round))
                .collect()
        };
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(
            Order::new(1).of_targets(0, 20),
            Order::new(1).of_targets(1, 20)
        );
    }
}
