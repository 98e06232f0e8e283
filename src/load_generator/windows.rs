//! How a load goes over time: the latencies of the requests that were due in each of many short windows.

use std::time::Duration;

use super::outcome::LoadWindow;

/// The requests of each window.
#[derive(Debug, Default)]
pub(super) struct WindowTally(Vec<WindowTimes>);

#[derive(Debug, Default)]
struct WindowTimes {
    /// In seconds. Percentiles need no more digits.
    answered: Vec<f32>,
    failed: u64,
}

impl WindowTally {
    /// Counts a request that was due in a window.
    pub(super) fn add(&mut self, window: usize, latency: Duration, is_answered: bool) {
        if self.0.len() <= window {
            self.0.resize_with(window + 1, WindowTimes::default);
        }
        let times = &mut self.0[window];
        match is_answered {
            true => times.answered.push(latency.as_secs_f32()),
            false => times.failed += 1,
        }
    }

    /// What the windows show. A request that failed is as slow as `timeout`.
    pub(super) fn windows(&self, timeout: Duration) -> Vec<LoadWindow> {
        self.0.iter().map(|times| times.window(timeout)).collect()
    }
}

impl WindowTimes {
    fn window(&self, timeout: Duration) -> LoadWindow {
        let mut sorted = self.answered.clone();
        sorted.sort_by(f32::total_cmp);
        let counted = sorted.len() as u64 + self.failed;
        let at = |quantile: f64| {
            let rank = (quantile * counted as f64).ceil().max(1.0) as usize;
            let time = sorted.get(rank - 1).copied();
            let seconds = time.map_or(timeout.as_secs_f64(), f64::from);
            (counted > 0).then_some(1e9 * seconds)
        };
        LoadWindow {
            counted,
            failed: self.failed,
            p50: at(0.5),
            p95: at(0.95),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_percentiles_of_its_own_requests_and_failures_are_slow() {
        let mut tally = WindowTally::default();
        for millis in 1..=100 {
            tally.add(0, Duration::from_millis(millis), true);
        }
        tally.add(2, Duration::from_millis(1), true);
        tally.add(2, Duration::from_millis(1), false);
        let [first, second, third] = tally.windows(Duration::from_secs(2))[..] else {
            panic!("three windows");
        };
        assert!((first.p95.unwrap() - 95e6).abs() < 10.0, "{first:?}");
        assert_eq!((second.counted, second.p95), (0, None));
        assert_eq!((third.counted, third.failed), (2, 1));
        assert_eq!(third.p95, Some(2e9));
        assert!((third.p50.unwrap() - 1e6).abs() < 1.0);
    }
}
