//! The samples of a benchmark of libtest: each region that it times is one.

use super::State;
use crate::chain::Place;
use crate::heap;
use crate::layout;
use crate::libtest::{LONG_NS, Step};
use crate::sys::Timespec;

impl State {
    /// An answer to a read other than `now`, like [`State::answer`].
    pub(super) fn follow_libtest(
        &mut self,
        mode: u64,
        now: Timespec,
        place: Place,
        clock: &impl Fn() -> Timespec,
    ) -> Option<Timespec> {
        match self.course.next(place) {
            Step::Opens => Some(self.open_sample(mode, clock)),
            Step::SingleCloses => {
                let closed = self.close_sample(now, clock);
                Some(self.tell_of_single(place).unwrap_or(closed))
            }
            Step::Closes => Some(self.close_sample(now, clock)),
            Step::LoopBegins => {
                self.loop_began = now.as_nanos();
                None
            }
            Step::LoopEnds => {
                let calls = self.shared.get(layout::LOG_COUNT);
                if self.is_enough(calls, clock) {
                    self.stand_still();
                }
                let long = self.loop_began.wrapping_add(LONG_NS);
                Some(Timespec::from_nanos(long.max(now.as_nanos())))
            }
            Step::Stray => {
                // More than the log can hold: discard all of it.
                self.shared.set(layout::LOG_COUNT, u64::MAX);
                self.shared.set(layout::SHOWN_PLACE, 0);
                None
            }
        }
    }

    fn open_sample(&mut self, mode: u64, clock: &impl Fn() -> Timespec) -> Timespec {
        let start = self.enter_sample(mode, clock);
        self.record_start(start.as_nanos());
        heap::open();
        let opened = clock();
        self.sample.start = opened.as_nanos();
        self.sample.opened = opened.as_nanos();
        opened
    }

    fn close_sample(&mut self, now: Timespec, clock: &impl Fn() -> Timespec) -> Timespec {
        heap::close();
        let closed = self.lengthen(now, clock);
        let end = closed.as_nanos();
        self.sample.timed = end.wrapping_sub(self.sample.opened);
        self.sample.regions = 1;
        if core::mem::take(&mut self.sample.foreign) > 0 {
            self.shared
                .set(layout::FOREIGN_WITHIN, self.sample.index + 1);
        }
        self.record_retained();
        self.record_preempted(now);
        self.record_end(end);
        closed
    }

    /// The answer to the read that ends libtest's single iteration, from which libtest plans the iterations of a
    /// sample; `None` leaves the true time. The log records the answer. An earlier process has shown that it is
    /// this read.
    fn tell_of_single(&mut self, place: Place) -> Option<Timespec> {
        let mark = self.chains.mark(&self.shared, &self.process, place);
        self.shared.set(layout::SHOWN_PLACE, mark);
        let asked = self.shared.get(layout::WARM_UP_CALLS) > 0;
        if !asked || self.shared.get(layout::WARM_UP_PLACE) != mark {
            return None;
        }
        let told = self.shared.get(layout::WARM_UP_TOLD_NS);
        // A benchmark that calls `iter` more than once gets the same answer each time, or only in its last call.
        self.shared.set(layout::WARM_UP_ENDED, 1);
        if self.sample.recorded {
            self.shared
                .set_in_record(self.sample.index, layout::RECORD_TIMED, told);
        }
        Some(Timespec::from_nanos(self.sample.opened.wrapping_add(told)))
    }
}
