//! Waiting for a moment, more exactly than the runtime's timers do, which count milliseconds.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A timer of the kernel.
#[derive(Debug)]
pub(super) struct FineTimer(AsyncFd<OwnedFd>);

impl FineTimer {
    /// A timer. It belongs to the runtime that it is made in.
    ///
    /// # Errors
    /// What the system says.
    #[expect(
        deprecated,
        reason = "sound for a descriptor that is owned and never replaced; its successor is unsafe"
    )]
    pub(super) fn new() -> io::Result<FineTimer> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(FineTimer(AsyncFd::new(timer)?))
    }

    /// Waits until `moment`.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn until(&self, moment: Instant) -> io::Result<()> {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let value = Itimerspec {
            it_interval: timespec(Duration::ZERO),
            it_value: timespec(left),
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &value)?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut expirations = [0; 8];
            match rustix::io::read(self.0.get_ref(), &mut expirations) {
                Ok(_) => {
                    ready.clear_ready();
                    return Ok(());
                }
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// How long the one thread of this process has run so far, and waited for a processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProcessorUse {
    pub(super) used: Duration,
    pub(super) waited: Duration,
}

impl ProcessorUse {
    pub(super) fn now() -> ProcessorUse {
        // The time on a processor, the time that the thread could have run but did not, and the number of its turns.
        let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = schedule.split_whitespace().nth(1);
        ProcessorUse {
            used: processor_time(),
            waited: Duration::from_nanos(waited.and_then(|time| time.parse().ok()).unwrap_or(0)),
        }
    }

    pub(super) fn since(self, earlier: ProcessorUse) -> ProcessorUse {
        ProcessorUse {
            used: self.used.saturating_sub(earlier.used),
            waited: self.waited.saturating_sub(earlier.waited),
        }
    }
}

/// The processor time of this process so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
