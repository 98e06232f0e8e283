//! A thread that calls something at regular intervals.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Calls something again and again until it is dropped.
pub(super) struct Ticker {
    /// Its end is heard.
    _alive: Sender<()>,
}

impl Ticker {
    pub(super) fn start(every: Duration, tick: impl Fn() + Send + 'static) -> Ticker {
        let (alive, ended) = mpsc::channel();
        // It ends with the program if not before.
        thread::spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                tick();
            }
        });
        Ticker { _alive: alive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_calls_until_it_is_dropped() {
        let (calls, called) = mpsc::channel();
        let ticker = Ticker::start(Duration::from_millis(1), move || {
            let _ = calls.send(());
        });
        called.recv().unwrap();
        called.recv().unwrap();
        drop(ticker);
        // The thread's end of the channel goes with it.
        while called.recv().is_ok() {}
    }
}
