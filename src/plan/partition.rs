//! One part of the benchmarks, so that several machines share the work.

use serde::{Deserialize, Serialize};

/// A stable part of all benchmarks, typed as `hash:2/4`: the second of four.
///
/// Which part a benchmark belongs to follows from its name alone, so that it stays there when others
/// come and go, and every machine of a matrix knows its share without asking the others. Both sides
/// of a benchmark are in one part, and so on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    part: u32,
    of: u32,
}

impl Partition {
    /// Which part, from 1.
    #[must_use]
    pub const fn part(self) -> u32 {
        self.part
    }

    /// Of how many parts.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Another part of the same partition; `None` if it has no such part.
    #[must_use]
    pub fn sibling(self, part: u32) -> Option<Partition> {
        (1..=self.of)
            .contains(&part)
            .then_some(Partition { part, ..self })
    }

    /// Whether a benchmark is in this part.
    #[must_use]
    pub fn holds(self, package: &str, target: &str, id: &str) -> bool {
        let names = [package, target, id].map(str::as_bytes);
        // A byte that no UTF-8 text has keeps `a`, `bc` and `ab`, `c` apart.
        let hash = mix(fnv1a(names.join(&0xFF_u8)));
        // The high half of the product: each part gets an equal share, without the bias of a remainder.
        let part = (u128::from(hash) * u128::from(self.of)) >> 64;
        part == u128::from(self.part - 1)
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo). It must never change, or shards would measure other benchmarks.
fn fnv1a(bytes: Vec<u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of MurmurHash3 (Appleby): the high bits of FNV hardly move for short names that
/// differ at their ends, as benchmarks of one group do.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.of)
    }
}

impl std::str::FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .strip_prefix("hash:")
            .and_then(|rest| rest.split_once('/'))
            .and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Partition { part, of }),
            Some((_, of)) if of > 0 => Err(format!(
                "the parts of {of} are `hash:1/{of}` to `hash:{of}/{of}`"
            )),
            _ => Err("write `hash:1/4` for the first of four parts".to_owned()),
        }
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> String {
        partition.to_string()
    }
}

impl TryFrom<String> for Partition {
    type Error = String;

    fn try_from(text: String) -> Result<Partition, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(of: u32) -> Vec<Partition> {
        let first = Partition { part: 1, of };
        (1..=of).filter_map(|part| first.sibling(part)).collect()
    }

    #[test]
    fn every_benchmark_is_in_one_part_and_the_parts_are_about_as_large() {
        for of in [1, 2, 3, 4, 7] {
            let mut sizes = vec![0; of as usize];
            for i in 0..4000 {
                let id = format!("parse/{i}");
                let holding: Vec<Partition> = parts(of)
                    .into_iter()
                    .filter(|part| part.holds("codec", "parse", &id))
                    .collect();
                assert_eq!(holding.len(), 1, "{id}");
                sizes[holding[0].part() as usize - 1] += 1;
            }
            let fair = 4000 / of;
            let even = sizes.iter().all(|size| fair.abs_diff(*size) < fair / 5 + 1);
            assert!(even, "{sizes:?}");
        }
    }

    #[test]
    fn a_benchmark_stays_in_its_part_from_version_to_version() {
        let part = |package, target, id| {
            let holds = |part: &Partition| part.holds(package, target, id);
            parts(4).into_iter().find(holds).unwrap().part()
        };
        assert_eq!(part("codec", "parse", "small"), 4);
        assert_eq!(part("codec", "parse", "large/1024"), 3);
        assert_eq!(part("shop", "prices", "größe"), 1);
        // Where a name ends and the next begins counts.
        assert_ne!(part("a", "bc", "d"), part("ab", "c", "d"));
    }

    #[test]
    fn a_part_is_typed_with_its_kind_and_lies_within_the_whole() {
        let third: Partition = "hash:3/4".parse().unwrap();
        assert_eq!((third.part(), third.of()), (3, 4));
        assert_eq!(third.to_string(), "hash:3/4");
        for wrong in [
            "hash:0/4",
            "hash:5/4",
            "hash:0/0",
            "1/4",
            "count:1/4",
            "hash:1",
            "hash:a/b",
        ] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
    }
}
