//! A sample, followed through its reads: entry, then timed regions (an opening and a closing read
//! each), then one more read, with which Criterion determines the time of the whole call.

#[path = "libtest_sample.rs"]
mod libtest_sample;

use core::sync::atomic::{AtomicBool, Ordering};

use crate::chain::{Chains, Place, Process, Read};
use crate::heap;
use crate::layout;
use crate::libtest::Course;
use crate::preempted::Usage;
use crate::shared::Shared;
use crate::sys::{self, Timespec};
use crate::turn::Turns;
use crate::warm_up::WarmUp;

/// Below this, a loop that waits by reading the clock overshoots; debts are collected until then.
const SPIN_NS: i64 = 200;
/// With more timed regions than this, asking the kernel between them would take longer than it is worth.
const REGIONS_ASKED: u64 = 64;
/// In this many untouched calls a place has to be the last one before a read from there gets another answer.
const PROOFS: u32 = 2;
/// The inverse of the unit of [`layout::INJECT_PPM`].
const MILLION: i64 = 1_000_000;

/// Everything the probe knows. It lies in memory that is wiped in a forked child.
pub(crate) struct State {
    /// 1 while attached; 0 in a child, because the kernel has wiped it.
    pub(crate) attached: u64,
    pub(crate) shared: Shared,
    pub(crate) process: Process,
    pub(crate) turns: Turns,
    pub(crate) chains: Chains,
    /// Set while we work: a signal handler that reads the clock meanwhile gets a plain answer.
    busy: AtomicBool,
    generation: u64,
    sample: Sample,
    warm_up: WarmUp,
    /// The time of the timed regions of all calls before the sample.
    timed: u64,
    course: Course,
    /// When the loop of libtest began, according to the answer that it got.
    loop_began: u64,
    /// Injected time that is due, in millionths of a nanosecond.
    debt: i64,
}

/// The sample under way.
#[derive(Clone, Copy)]
struct Sample {
    index: u64,
    recorded: bool,
    /// Reads so far; 0 if no sample is in progress.
    reads: u64,
    /// The answer to the first read.
    start: u64,
    /// What the kernel knew when it began; for paired samples only.
    usage: Option<Usage>,
    opened: u64,
    timed: u64,
    regions: u64,
    /// Unrecognised reads since the last recognised one.
    foreign: u64,
    /// Where the last read came from, and its answer.
    last: Option<(Place, u64)>,
}

impl Sample {
    const NONE: Sample = Sample {
        index: 0,
        recorded: false,
        reads: 0,
        start: 0,
        usage: None,
        opened: 0,
        timed: 0,
        regions: 0,
        foreign: 0,
        last: None,
    };
}

impl State {
    pub(crate) fn new(shared: Shared, process: Process, turns: Turns) -> Self {
        State {
            attached: 1,
            shared,
            process,
            turns,
            chains: Chains::EMPTY,
            busy: AtomicBool::new(false),
            generation: 0,
            sample: Sample::NONE,
            warm_up: WarmUp::NEW,
            timed: 0,
            course: Course::NEW,
            loop_began: 0,
            debt: 0,
        }
    }

    /// Whether [`State::answer`] is at work in a frame below a signal handler.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst)
    }

    /// An answer to a read other than `now`, which was read before anything else; `clock` reads
    /// again.
    ///
    /// Opening reads are read again after the work here, closing ones are not: either way the work
    /// lies outside the timed region.
    pub(crate) fn answer(
        &mut self,
        now: Timespec,
        clock: &impl Fn() -> Timespec,
        sp: usize,
        ra: usize,
    ) -> Option<Timespec> {
        let mode = self.shared.get(layout::MODE);
        if mode == layout::MODE_OFF {
            return None;
        }
        // An allocator that reads the clock itself (as mimalloc does) is not one of Criterion's functions.
        let _uncounted = heap::pause()?;
        self.busy.store(true, Ordering::SeqCst);
        self.follow_generation();
        let libtest = self.shared.get(layout::CLOCK_READS) == layout::CLOCK_READS_OF_LIBTEST;
        let answer = match self.chains.recognise(&self.shared, &self.process, sp, ra) {
            (Read::Foreign, _) => {
                self.shared.add(layout::FOREIGN_READS, 1);
                self.sample.foreign += 1;
                None
            }
            (_, place) if libtest => self.follow_libtest(mode, now, place, clock),
            (Read::Entry, place) => Some(self.enter(mode, place, clock)),
            (Read::Within, place) => self.within(now, place, clock),
        };
        self.busy.store(false, Ordering::SeqCst);
        answer
    }

    fn follow_generation(&mut self) {
        let generation = self.shared.get(layout::GENERATION);
        if generation != self.generation {
            self.generation = generation;
            self.chains.reset();
            self.turns.reset();
            heap::forget(&self.shared);
            self.debt = 0;
            self.sample = Sample::NONE;
            self.warm_up = WarmUp::NEW;
            self.timed = 0;
            self.course = Course::NEW;
        }
    }

    fn enter(&mut self, mode: u64, place: Place, clock: &impl Fn() -> Timespec) -> Timespec {
        self.end_call();
        let start = self.enter_sample(mode, clock);
        self.sample.start = start.as_nanos();
        self.sample.last = Some((place, self.sample.start));
        self.record_start(self.sample.start);
        start
    }

    /// A sample begins, once its turn has come.
    fn enter_sample(&mut self, mode: u64, clock: &impl Fn() -> Timespec) -> Timespec {
        self.timed = self.timed.saturating_add(self.sample.timed);
        let index = self.shared.get(layout::LOG_COUNT);
        if self.is_enough(index, clock) {
            self.stand_still();
        }
        self.sample = Sample {
            index,
            recorded: index < self.shared.get(layout::LOG_CAPACITY),
            reads: 1,
            ..Sample::NONE
        };
        self.shared.set(layout::LOG_COUNT, index + 1);
        if mode == layout::MODE_PAIRED {
            self.turns.take(&self.shared, || clock().as_nanos());
            self.sample.usage = Usage::now();
        }
        heap::begin_sample(&self.shared);
        let start = clock();
        self.warm_up.call_began(start.as_nanos());
        start
    }

    fn within(
        &mut self,
        now: Timespec,
        place: Place,
        clock: &impl Fn() -> Timespec,
    ) -> Option<Timespec> {
        if self.sample.reads == 0 {
            return None;
        }
        self.sample.reads += 1;
        if let Some((before, _)) = self.sample.last {
            self.chains.was_followed(before);
            self.warm_up.another_read(&self.shared);
            self.show(before, 0);
        }
        let foreign = core::mem::take(&mut self.sample.foreign);
        if self.sample.reads.is_multiple_of(2) {
            self.record_retained();
            self.record_preempted(now);
            // Unless another read follows, the call ends here.
            self.show(place, 1);
            let opened = clock();
            self.sample.opened = opened.as_nanos();
            let answer = self.tell_of_warm_up(place).unwrap_or(opened);
            self.sample.last = Some((place, answer.as_nanos()));
            heap::open();
            return Some(answer);
        }
        heap::close();
        let closed = self.lengthen(now, clock);
        let end = closed.as_nanos();
        self.sample.timed += end.wrapping_sub(self.sample.opened);
        self.sample.regions += 1;
        if foreign > 0 {
            self.shared
                .set(layout::FOREIGN_WITHIN, self.sample.index + 1);
        }
        self.sample.last = Some((place, end));
        self.record_end(end);
        Some(closed)
    }

    /// The answer to a read that may be the last of its call; `None` for the true time.
    fn tell_of_warm_up(&mut self, place: Place) -> Option<Timespec> {
        if !self.warm_up.is_open(&self.shared) || !self.is_last(place) {
            return None;
        }
        let (call, now) = (self.sample.index + 1, self.sample.opened);
        let told = self.warm_up.answer(&self.shared, call, now)?;
        Some(Timespec::from_nanos(self.sample.start.wrapping_add(told)))
    }

    /// Whether a read from this place is known to be the last of its call.
    fn is_last(&self, place: Place) -> bool {
        let known = self.shared.get(layout::WARM_UP_PLACE);
        self.chains.ends(place) >= PROOFS
            || (known == self.chains.mark(&self.shared, &self.process, place)
                && !self.chains.is_followed(place))
    }

    /// The call under way has ended, since another one begins.
    fn end_call(&mut self) {
        let Some((place, told)) = self.sample.last else {
            return;
        };
        self.chains.ended(place);
        self.show(place, 0);
        self.warm_up
            .call_ended(told.wrapping_sub(self.sample.start));
    }

    /// Tells the host whether the place is known to be the last of a call, if `more` calls end there in addition to
    /// those that have.
    fn show(&self, place: Place, more: u32) {
        let ends = self.chains.ends(place);
        let shown = match !self.chains.is_followed(place) && ends + more >= PROOFS {
            true => self.chains.mark(&self.shared, &self.process, place),
            false => 0,
        };
        self.shared.set(layout::SHOWN_PLACE, shown);
    }

    /// Whether `calls`, all calls of the benchmark so far, are as many as the host wants.
    fn is_enough(&self, calls: u64, clock: &impl Fn() -> Timespec) -> bool {
        if heap::has_enough(&self.shared) {
            return true;
        }
        let wanted = self.shared.get(layout::ENOUGH_CALLS);
        if wanted > 0 && calls >= wanted {
            return self.warm_up.lasted(&self.shared, clock().as_nanos());
        }
        let slow = self.shared.get(layout::ENOUGH_SLOW_NS);
        if slow > 0 && calls == 1 && self.sample.timed >= slow {
            return true;
        }
        let timed = self.shared.get(layout::ENOUGH_TIMED_NS);
        if timed > 0 && self.timed >= timed {
            return true;
        }
        let (samples, warm_up) = (
            self.shared.get(layout::ENOUGH_SAMPLES),
            self.shared.get(layout::WARM_UP_ENDED),
        );
        samples > 0 && warm_up > 0 && calls >= warm_up.saturating_add(samples)
    }

    /// Waits until the host ends the process. It must not end here: the host still asks the kernel about it.
    fn stand_still(&self) -> ! {
        heap::enough();
        self.shared.set(layout::PHASE, layout::PHASE_ENOUGH);
        loop {
            // SAFETY: it has no preconditions.
            unsafe { sys::pause() };
        }
    }

    /// Delays a closing read, so that the region becomes longer by the injected share.
    fn lengthen(&mut self, now: Timespec, clock: &impl Fn() -> Timespec) -> Timespec {
        let share = self.shared.get(layout::INJECT_PPM) as i64;
        if share == 0 {
            return now;
        }
        let region = now.as_nanos().wrapping_sub(self.sample.opened) as i64;
        self.debt = self.debt.saturating_add(region.saturating_mul(share));
        if self.debt < SPIN_NS * MILLION {
            return now;
        }
        let due = self.debt / MILLION;
        loop {
            let later = clock();
            let spent = later.as_nanos().wrapping_sub(now.as_nanos()) as i64;
            if spent >= due {
                // Losing the processor meanwhile is the machine's fault, and can happen to a plain
                // read as well; if it counted as paid, later regions would get too little.
                let paid = spent.min(due + SPIN_NS);
                self.debt -= paid.saturating_mul(MILLION);
                return later;
            }
        }
    }

    fn record_start(&self, start: u64) {
        if self.sample.recorded {
            self.shared
                .set_in_record(self.sample.index, layout::RECORD_START, start);
            self.shared
                .set_in_record(self.sample.index, layout::RECORD_PREEMPTED, 0);
        }
        self.record_end(start);
    }

    /// The sample's last read cannot be distinguished from one that opens a region, except that it comes last.
    fn record_retained(&self) {
        if self.sample.recorded {
            heap::record_retained(&self.shared, self.sample.index);
        }
    }

    /// As with retained bytes, the last read counts.
    fn record_preempted(&self, now: Timespec) {
        if let Some(usage) = self.sample.usage
            && self.sample.recorded
        {
            let span = now.as_nanos().wrapping_sub(self.sample.start);
            let preempted = match self.sample.regions {
                1..=REGIONS_ASKED => usage.preempted(span),
                _ => 0,
            };
            self.shared
                .set_in_record(self.sample.index, layout::RECORD_PREEMPTED, preempted);
        }
    }

    fn record_end(&self, end: u64) {
        if self.sample.recorded {
            let put = |word, value| self.shared.set_in_record(self.sample.index, word, value);
            put(layout::RECORD_END, end);
            put(layout::RECORD_TIMED, self.sample.timed);
            put(layout::RECORD_REGIONS, self.sample.regions);
            heap::record(&self.shared, self.sample.index);
        }
    }
}
