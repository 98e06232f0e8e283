//! The progress of a benchmark of Rust's built-in harness (libtest's `#[bench]`), followed by counting its clock
//! reads.
//!
//! libtest has one function that times a benchmark. It times one iteration, takes from it how many iterations n
//! fill a millisecond, and then times 50 samples of n and 50 samples of 5n iterations, until they have converged
//! or three seconds have passed. It reports the last 50. So the reads come in a fixed order:
//!
//! | reads | what |
//! |---|---|
//! | 2 | the single iteration, from which n follows |
//! | 1 | the loop begins |
//! | 100 | 50 samples of n iterations |
//! | 100 | 50 samples of 5n iterations |
//! | 1 | the loop ends: has it taken long enough? |
//!
//! The compiler usually inlines all of it into the benchmark's function, so no symbol distinguishes these reads;
//! but each kind of read comes from its own place. If the places do not follow the table (a benchmark that reads
//! the clock itself, another libtest), nothing more is logged. No read has been answered with another time then:
//! the read that ends the loop is the first one that may be, and the whole table has been seen by that point.

use crate::chain::Place;

/// Samples of each kind.
const SAMPLES: u32 = 50;
/// The first read after the single iteration.
const LOOP_BEGINS: u32 = 2;
const FIRST_OF_FIVE: u32 = LOOP_BEGINS + 1 + 2 * SAMPLES;
const LOOP_ENDS: u32 = FIRST_OF_FIVE + 2 * SAMPLES;

/// The answer to the last read of the loop: longer than libtest lets any benchmark run.
pub(crate) const LONG_NS: u64 = 4_000_000_000;

/// What a read is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A region begins that is timed.
    Opens,
    /// The single iteration ends.
    SingleCloses,
    /// A sample ends.
    Closes,
    LoopBegins,
    LoopEnds,
    /// It does not belong here.
    Stray,
}

/// The kinds of reads, each of which comes from its own place.
#[derive(Clone, Copy)]
enum Kind {
    SingleOpens,
    SingleCloses,
    LoopBegins,
    Opens,
    Closes,
    OpensFive,
    ClosesFive,
    LoopEnds,
}

const KINDS: usize = Kind::LoopEnds as usize + 1;

/// How far the function that times has got.
pub(crate) struct Course {
    reads: u32,
    places: [Option<Place>; KINDS],
    lost: bool,
}

impl Course {
    pub(crate) const NEW: Course = Course {
        reads: 0,
        places: [None; KINDS],
        lost: false,
    };

    /// Takes the next read. After an unexpected one, nothing is known any more.
    pub(crate) fn next(&mut self, place: Place) -> Step {
        if self.lost {
            return Step::Stray;
        }
        if self.reads > LOOP_ENDS {
            // The function has ended, and the benchmark has called it again.
            *self = Course::NEW;
        }
        let kind = kind_of(self.reads);
        let known = self.places[kind as usize].get_or_insert(place);
        if *known != place || !self.is_plausible(kind, place) {
            self.lost = true;
            return Step::Stray;
        }
        self.reads += 1;
        match kind {
            Kind::SingleOpens | Kind::Opens | Kind::OpensFive => Step::Opens,
            Kind::SingleCloses => Step::SingleCloses,
            Kind::Closes | Kind::ClosesFive => Step::Closes,
            Kind::LoopBegins => Step::LoopBegins,
            Kind::LoopEnds => Step::LoopEnds,
        }
    }

    /// Samples may share their places, since the function that takes one need not be inlined; the reads around them
    /// do not.
    fn is_plausible(&self, kind: Kind, place: Place) -> bool {
        let is_at = |other: Kind| self.places[other as usize] == Some(place);
        match kind {
            Kind::SingleOpens => true,
            Kind::SingleCloses => !is_at(Kind::SingleOpens),
            Kind::LoopBegins => !is_at(Kind::SingleOpens) && !is_at(Kind::SingleCloses),
            Kind::Opens | Kind::OpensFive => {
                !is_at(Kind::SingleCloses) && !is_at(Kind::LoopBegins) && !is_at(Kind::Closes)
            }
            Kind::Closes | Kind::ClosesFive => {
                !is_at(Kind::SingleOpens)
                    && !is_at(Kind::LoopBegins)
                    && !is_at(Kind::Opens)
                    && !is_at(Kind::OpensFive)
            }
            Kind::LoopEnds => {
                let others = &self.places[..Kind::LoopEnds as usize];
                others.iter().all(|other| *other != Some(place))
            }
        }
    }
}

fn kind_of(read: u32) -> Kind {
    match read {
        0 => Kind::SingleOpens,
        1 => Kind::SingleCloses,
        LOOP_BEGINS => Kind::LoopBegins,
        LOOP_ENDS => Kind::LoopEnds,
        // After the loop's first read, which has an even number, odd ones open a region.
        _ => match (read >= FIRST_OF_FIVE, read % 2) {
            (false, 1) => Kind::Opens,
            (false, _) => Kind::Closes,
            (true, 1) => Kind::OpensFive,
            (true, _) => Kind::ClosesFive,
        },
    }
}
