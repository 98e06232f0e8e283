//! Which read of the clock is this? The chain of return addresses on the stack tells.
//!
//! A chain is found once by unwinding, then remembered as a pattern: at which distances from the
//! stack pointer its return addresses lie. A later read is the same one exactly if all those words
//! are there again: given a return address, the distance to the next one is fixed by the code, so
//! each verified word vouches for the place of the next. No unwinding happens in the steady state.

use core::ffi::{c_int, c_void};

use crate::shared::Shared;
use crate::sys;

/// The most frames between the clock and `Bencher::iter`; async executors need the most.
const DEPTH: usize = 24;
/// Patterns remembered for one benchmark.
const PATTERNS: usize = 64;
/// The most bytes of stack that a chain may span.
const REACH: usize = 1 << 16;
/// The most unwindings per benchmark. A benchmark that reads the clock itself costs no more than this.
const UNWINDINGS: u32 = 256;
/// The same for all that comes before its first sample: the set-up of a process may read the clock in many places.
const UNWINDINGS_BEFORE: u32 = 4096;

/// What a read is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// The first of a sample.
    Entry,
    /// A later one of a sample.
    Within,
    /// None of Criterion's.
    Foreign,
}

/// The place in Criterion's code that a read comes from, identified by its whole chain: the code that an executor
/// runs may be inlined into the executor, and then all its reads come through the same call in Criterion. It is the
/// number of the first pattern with that chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(usize);

/// What is known of a place.
#[derive(Clone, Copy)]
struct Habit {
    /// Whether another read has ever followed in the same call.
    followed: bool,
    /// How many calls ended with it.
    ended: u32,
}

#[derive(Clone, Copy)]
struct Pattern {
    length: usize,
    distances: [u32; DEPTH],
    addresses: [usize; DEPTH],
    read: Read,
    range: u32,
    place: Place,
    habit: Habit,
    /// The pattern that came after this one last time.
    successor: usize,
}

/// The patterns of the current benchmark.
pub(crate) struct Chains {
    patterns: [Pattern; PATTERNS],
    count: usize,
    last: usize,
    unwindings: u32,
    /// Whether a sample has begun.
    sampled: bool,
}

/// The stack of the main thread and where the executable is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pub(crate) stack_low: usize,
    pub(crate) stack_high: usize,
    pub(crate) bias: usize,
}

impl Process {
    /// Whether `sp` lies on the main thread's stack.
    pub(crate) fn holds(&self, sp: usize) -> bool {
        (self.stack_low..self.stack_high).contains(&sp)
    }
}

impl Chains {
    pub(crate) const EMPTY: Chains = Chains {
        patterns: [Pattern::EMPTY; PATTERNS],
        count: 0,
        last: 0,
        unwindings: 0,
        sampled: false,
    };

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.forget_patterns();
        self.unwindings = 0;
        self.sampled = false;
    }

    fn forget_patterns(&mut self) {
        self.count = 0;
        self.last = 0;
    }

    /// Recognises the read whose caller will return to `ra` with the stack at `sp`; `sp` is on the
    /// main stack.
    pub(crate) fn recognise(
        &mut self,
        shared: &Shared,
        process: &Process,
        sp: usize,
        ra: usize,
    ) -> (Read, Place) {
        if let Some(index) = self.remembered(process, sp, ra) {
            self.patterns[self.last].successor = index;
            self.last = index;
            return (self.patterns[index].read, self.patterns[index].place);
        }
        if self.count >= PATTERNS && !self.sampled {
            // None of them is of a sample: what comes again is found again.
            self.forget_patterns();
        }
        let most = match self.sampled {
            true => UNWINDINGS,
            false => UNWINDINGS_BEFORE,
        };
        if self.unwindings >= most || self.count >= PATTERNS {
            return (Read::Foreign, Place(0));
        }
        self.unwindings += 1;
        let found = self.learn(shared, process, sp, ra);
        if found.0 != Read::Foreign && !self.sampled {
            self.sampled = true;
            self.unwindings = 0;
        }
        found
    }

    fn remembered(&self, process: &Process, sp: usize, ra: usize) -> Option<usize> {
        if self.count == 0 {
            return None;
        }
        let expected = self.patterns[self.last].successor;
        if expected < self.count && self.patterns[expected].matches(process, sp, ra) {
            return Some(expected);
        }
        (0..self.count).find(|&index| self.patterns[index].matches(process, sp, ra))
    }

    /// Another read has followed one from this place in the same call.
    pub(crate) fn was_followed(&mut self, place: Place) {
        self.patterns[place.0].habit.followed = true;
    }

    /// A call has ended with a read from this place.
    pub(crate) fn ended(&mut self, place: Place) {
        let habit = &mut self.patterns[place.0].habit;
        habit.ended = habit.ended.saturating_add(1);
    }

    /// How many calls have ended with a read from this place; 0 if a call ever continued after one.
    pub(crate) fn ends(&self, place: Place) -> u32 {
        let habit = self.patterns[place.0].habit;
        if habit.followed { 0 } else { habit.ended }
    }

    /// Whether a call has ever continued after a read from this place.
    pub(crate) fn is_followed(&self, place: Place) -> bool {
        self.patterns[place.0].habit.followed
    }

    /// A number for the place that is the same in every process of the executable, also where that was linked with
    /// its functions in another order, and never 0: how large the function of the harness is that reads the clock,
    /// where in it, and how that differs from the first read that it made.
    pub(crate) fn mark(&self, shared: &Shared, process: &Process, place: Place) -> u64 {
        let pattern = &self.patterns[place.0];
        let outermost = pattern.addresses[pattern.length.saturating_sub(1)];
        let address = outermost.wrapping_sub(process.bias) as u64;
        let (start, end) = shared.range(pattern.range);
        let (depth, distance) = self.fork(pattern);
        let words = [
            end.wrapping_sub(start),
            address.wrapping_sub(start),
            depth as u64,
            distance as u64,
        ];
        // FNV-1a, a word at a time.
        let hash = words.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
            (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3)
        });
        hash.max(1)
    }

    /// How many frames, from the outermost one, this pattern has in common with the first one of the harness, and how
    /// far apart the two are in the next frame. Its callers are the same, so that frame is of one function, and the
    /// distance does not depend on where that lies. (In asynchronous benchmarks all reads have one outermost frame.)
    fn fork(&self, pattern: &Pattern) -> (usize, usize) {
        let mut known = self.patterns[..self.count].iter();
        let Some(first) = known.find(|known| known.read != Read::Foreign) else {
            return (0, 0);
        };
        let pairs = pattern
            .outermost_first()
            .zip(first.outermost_first())
            .enumerate();
        let mut differing = pairs.filter(|(_, (own, other))| own != other);
        match differing.next() {
            // The outermost one may be of another function; where in it was said.
            Some((0, _)) | None => (0, 0),
            Some((depth, (own, other))) => (depth, own.wrapping_sub(other)),
        }
    }

    fn learn(&mut self, shared: &Shared, process: &Process, sp: usize, ra: usize) -> (Read, Place) {
        let Some(walk) = Walk::from(shared, process, sp, ra) else {
            return (Read::Foreign, Place(0));
        };
        let mut pattern = walk.pattern;
        pattern.read = match walk.range {
            None => Read::Foreign,
            Some(range) => {
                pattern.range = range;
                self.classify(&pattern)
            }
        };
        let known = &self.patterns[..self.count];
        let same = known.iter().position(|p| p.same_addresses(&pattern));
        pattern.place = Place(same.unwrap_or(self.count));
        self.patterns[self.count] = pattern;
        if self.count > 0 {
            self.patterns[self.last].successor = self.count;
        }
        self.last = self.count;
        self.count += 1;
        (pattern.read, pattern.place)
    }

    /// The first read ever seen of a function is its entry. A frame that aligns the stack can make
    /// one read appear at several distances: then the addresses are the same, and so is the read.
    fn classify(&self, new: &Pattern) -> Read {
        let known = &self.patterns[..self.count];
        if let Some(same) = known.iter().find(|p| p.same_addresses(new)) {
            return same.read;
        }
        let fresh = !known
            .iter()
            .any(|p| p.read != Read::Foreign && p.range == new.range);
        if fresh { Read::Entry } else { Read::Within }
    }
}

impl Pattern {
    const EMPTY: Pattern = Pattern {
        length: 0,
        distances: [0; DEPTH],
        addresses: [0; DEPTH],
        read: Read::Foreign,
        range: 0,
        place: Place(0),
        habit: Habit {
            followed: false,
            ended: 0,
        },
        successor: 0,
    };

    fn matches(&self, process: &Process, sp: usize, ra: usize) -> bool {
        let words = self.distances[..self.length]
            .iter()
            .zip(&self.addresses[..self.length]);
        let furthest = self.distances[self.length - 1] as usize;
        self.addresses[0] == ra
            && sp + furthest + 8 <= process.stack_high
            && words.skip(1).all(|(&distance, &address)| {
                // SAFETY: between `sp` and the top of the main stack, as checked above, and
                // aligned, since distances are multiples of a word and `sp` was aligned.
                unsafe { *((sp + distance as usize) as *const usize) == address }
            })
    }

    /// The addresses, the outermost frame's first.
    fn outermost_first(&self) -> impl Iterator<Item = usize> {
        self.addresses[..self.length].iter().rev().copied()
    }

    fn same_addresses(&self, other: &Pattern) -> bool {
        self.addresses[..self.length] == other.addresses[..other.length]
    }
}

/// A backtrace under way.
struct Walk<'a> {
    shared: &'a Shared,
    process: &'a Process,
    sp: usize,
    ra: usize,
    /// Where the stack of the previous frame began, 0 until the caller of the clock is reached.
    below: usize,
    pattern: Pattern,
    range: Option<u32>,
    broken: bool,
}

impl<'a> Walk<'a> {
    fn from(shared: &'a Shared, process: &'a Process, sp: usize, ra: usize) -> Option<Self> {
        let mut walk = Walk {
            shared,
            process,
            sp,
            ra,
            below: 0,
            pattern: Pattern::EMPTY,
            range: None,
            broken: false,
        };
        // SAFETY: the callback gets the pointer it expects, and does not keep it.
        unsafe { sys::_Unwind_Backtrace(frame, (&raw mut walk).cast()) };
        (!walk.broken && walk.pattern.length > 0).then_some(walk)
    }

    /// Adds a frame; `false` ends the walk.
    fn take(&mut self, ip: usize, stack: usize) -> bool {
        if ip == 0 {
            // Behind the outermost frame of the stack.
            return false;
        }
        if self.below == 0 {
            // Our own frames come first.
            if ip != self.ra {
                return true;
            }
            self.push(0, ip);
        } else {
            let Some(at) = self.find(ip, stack) else {
                self.broken = true;
                return false;
            };
            self.push((at - self.sp) as u32, ip);
        }
        self.below = stack.max(self.sp);
        let address = ip.wrapping_sub(self.process.bias).wrapping_sub(1);
        self.range = self.shared.range_of(address as u64);
        self.range.is_none() && self.pattern.length < DEPTH
    }

    fn push(&mut self, distance: u32, address: usize) {
        self.pattern.distances[self.pattern.length] = distance;
        self.pattern.addresses[self.pattern.length] = address;
        self.pattern.length += 1;
    }

    /// Where the frame below has stored its return address: the matching word nearest to the
    /// frame's end. (On x86-64 it is the last word; on aarch64 it may be any.)
    fn find(&self, ip: usize, end: usize) -> Option<usize> {
        let plausible = self.below.is_multiple_of(8)
            && end.is_multiple_of(8)
            && end > self.below
            && end <= self.process.stack_high
            && end - self.sp < REACH;
        if !plausible {
            return None;
        }
        (self.below..end).step_by(8).rev().find(|&at| {
            // SAFETY: an aligned word between `sp` and the top of the main stack.
            unsafe { *(at as *const usize) == ip }
        })
    }
}

extern "C" fn frame(context: *mut c_void, walk: *mut c_void) -> c_int {
    // SAFETY: `Walk::from` passes a walk that nothing else uses meanwhile, and the unwinder a
    // context that is valid during the call.
    let (walk, ip, stack) = unsafe {
        (
            &mut *walk.cast::<Walk>(),
            sys::_Unwind_GetIP(context),
            sys::_Unwind_GetCFA(context),
        )
    };
    if walk.take(ip, stack) {
        sys::URC_NO_REASON
    } else {
        sys::URC_NORMAL_STOP
    }
}
