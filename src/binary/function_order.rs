//! Random orders of the functions of two executables, in which what they share has the same place in a page.
//!
//! Where a function lies decides how it meets the lines of the caches, the tables of the branch predictor and the
//! pages, and so how fast it is: by some per cent, in rare cases by half. A function that grew by one instruction moves
//! every function behind it, which makes routines faster and slower that the change does not touch. (Mytkowicz et al.,
//! "Producing wrong data without doing anything obviously wrong!", ASPLOS 2009; Curtsinger and Berger, "Stabilizer",
//! ASPLOS 2013, who draw layouts while a program runs.) In the orders here, what differs comes first; the rest
//! begins at a page, in the same random order on both sides.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::units::Paired;

use super::file::Binary;
use super::name::normalised;

/// Gaps are shorter than a page.
const PAGE: u64 = 4096;

/// What is ordered in two executables: the names of symbols. Functions that share a symbol, since several objects have a
/// copy, cannot be ordered among each other. As long as both sides have the same ones, they are left in the order in
/// which the linker finds them, which is the same on both sides.
#[derive(Debug)]
pub(crate) struct FunctionOrder {
    /// On both sides, and equally large.
    same: Vec<Paired<String>>,
    /// On both sides, with another size.
    resized: Vec<Paired<String>>,
    /// On one side.
    own: Paired<Vec<String>>,
}

/// The code of one side from its first function to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeLayout<'a> {
    /// The bytes before everything else.
    pub(crate) first_gap: u64,
    /// The symbols of what differs.
    pub(crate) differing: Vec<&'a str>,
    /// The bytes before the shared functions, from the beginning of a page.
    pub(crate) second_gap: u64,
    /// The symbols of what both sides have.
    pub(crate) shared: Vec<&'a str>,
    /// The bytes between the shared functions and what has no order.
    pub(crate) third_gap: u64,
}

/// A symbol and the sizes of all functions that have it, sorted.
#[derive(Debug)]
struct NamedCode {
    symbol: String,
    sizes: Vec<u64>,
}

impl FunctionOrder {
    /// Reads the symbol tables of both executables; `None` where one cannot be read.
    pub(crate) fn of(executables: Paired<&Path>) -> Option<FunctionOrder> {
        let functions = executables.map(functions);
        Some(FunctionOrder::between(functions.base?, functions.head?))
    }

    /// Pairs the functions of one name.
    fn between(
        base: BTreeMap<String, Vec<NamedCode>>,
        mut head: BTreeMap<String, Vec<NamedCode>>,
    ) -> FunctionOrder {
        let mut order = FunctionOrder {
            same: Vec::new(),
            resized: Vec::new(),
            own: Paired::new(Vec::new(), Vec::new()),
        };
        for (name, of_base) in base {
            order.pair_up(of_base, head.remove(&name).unwrap_or_default());
        }
        let symbols = head.into_values().flatten();
        order.own.head.extend(symbols.map(|one| one.symbol));
        order
    }

    /// Pairs those of equal sizes, in the order of their addresses, then the rest.
    fn pair_up(&mut self, base: Vec<NamedCode>, mut head: Vec<NamedCode>) {
        let mut left = Vec::new();
        for one in base {
            match head.iter().position(|other| other.sizes == one.sizes) {
                Some(at) => {
                    let other = head.remove(at).symbol;
                    if one.sizes.len() == 1 {
                        self.same.push(Paired::new(one.symbol, other));
                    }
                }
                None => left.push(one.symbol),
            }
        }
        let both = left.len().min(head.len());
        let of_head = head.split_off(both).into_iter().map(|one| one.symbol);
        self.own.head.extend(of_head);
        self.own.base.extend(left.split_off(both));
        let pairs = left.into_iter().zip(head);
        self.resized
            .extend(pairs.map(|(base, head)| Paired::new(base, head.symbol)));
    }

    /// Draws a layout.
    pub(crate) fn draw(&self, random: &mut impl Rng) -> Paired<CodeLayout<'_>> {
        let mut same: Vec<&Paired<String>> = self.same.iter().collect();
        same.shuffle(random);
        let mut resized: Vec<&Paired<String>> = self.resized.iter().collect();
        resized.shuffle(random);
        let [first_gap, second_gap, third_gap] = [(); 3].map(|()| random.random_range(0..PAGE));
        let own = self.own.as_ref().map(|symbols| {
            let mut symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
            symbols.shuffle(random);
            symbols
        });
        Paired::from_fn(|side| {
            let resized = resized.iter().map(|pair| pair.get(side).as_str());
            CodeLayout {
                first_gap,
                differing: resized.chain(own.get(side).iter().copied()).collect(),
                second_gap,
                shared: same.iter().map(|pair| pair.get(side).as_str()).collect(),
                third_gap,
            }
        })
    }
}

/// The symbols of all functions, by their names without hashes, in the order of their first addresses.
fn functions(path: &Path) -> Option<BTreeMap<String, Vec<NamedCode>>> {
    Binary::look(path, |binary| {
        let symbols = binary.symbols();
        let mut symbols: Vec<_> = symbols.filter(|one| one.is_code && one.size > 0).collect();
        symbols.sort_by_key(|symbol| (symbol.address, symbol.name));
        let mut sizes: HashMap<&str, Vec<u64>> = HashMap::new();
        for symbol in &symbols {
            sizes.entry(symbol.name).or_default().push(symbol.size);
        }
        let mut functions: BTreeMap<String, Vec<NamedCode>> = BTreeMap::new();
        for symbol in symbols {
            if let Some(mut sizes) = sizes.remove(symbol.name) {
                sizes.sort_unstable();
                let of_name = functions.entry(normalised(symbol.name)).or_default();
                of_name.push(NamedCode {
                    symbol: symbol.name.to_owned(),
                    sizes,
                });
            }
        }
        functions
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn named(name: &str, functions: &[(&str, u64)]) -> (String, Vec<NamedCode>) {
        let function = |&(symbol, size): &(&str, u64)| NamedCode {
            symbol: symbol.to_owned(),
            sizes: vec![size],
        };
        (name.to_owned(), functions.iter().map(function).collect())
    }

    fn order() -> FunctionOrder {
        let shared = |side: &str| {
            let names = ('a'..='h').map(|name| format!("{side}-{name}"));
            let all = names.map(|symbol| named(&symbol[5..], &[(&symbol, 16)]));
            all.collect::<BTreeMap<_, _>>()
        };
        let (mut base, mut head) = (shared("base"), shared("head"));
        // Three instances on one side, two on the other, of which one has grown.
        base.extend([named(
            "x",
            &[("base-1", 16), ("base-2", 32), ("base-3", 48)],
        )]);
        head.extend([named("x", &[("head-1", 32), ("head-2", 64)])]);
        head.extend([named("new", &[("head-new", 16)])]);
        FunctionOrder::between(base, head)
    }

    #[test]
    fn what_both_sides_have_is_in_one_order_behind_what_differs() {
        let order = order();
        let mut orders = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let drawn = order.draw(&mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(drawn.base.differing, ["base-1", "base-3"]);
            assert_eq!(drawn.head.differing, ["head-2", "head-new"]);
            let names = |symbols: &[&str]| -> Vec<String> {
                symbols
                    .iter()
                    .map(|symbol| symbol[5..].to_owned())
                    .collect()
            };
            let (base, head) = (names(&drawn.base.shared), names(&drawn.head.shared));
            assert_eq!(base.len(), 9);
            for (of_base, of_head) in base.iter().zip(&head) {
                assert!(of_base == of_head || (of_base, of_head) == (&"2".into(), &"1".into()));
            }
            let gaps = |one: &CodeLayout<'_>| [one.first_gap, one.second_gap, one.third_gap];
            assert_eq!(gaps(&drawn.base), gaps(&drawn.head));
            assert!(gaps(&drawn.base).iter().all(|gap| *gap < PAGE));
            orders.insert((base, gaps(&drawn.base)));
        }
        assert_eq!(orders.len(), 20);
    }

    #[test]
    fn a_layout_follows_from_its_seed() {
        let order = order();
        let draw = |seed| order.draw(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
