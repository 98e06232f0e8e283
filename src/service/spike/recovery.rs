//! When a side is as before. Pure: it sees windows of latencies.

use crate::load_generator::{LoadWindow, Percentile};
use crate::stats::percentile;

use super::SpikeEnd;

/// So much slower than before still is as before.
const NEARLY: f64 = 1.1;

/// Of the windows before the spike, so many may be slower than what counts as before.
const USUAL: f64 = 0.9;

/// Fewer requests than this in a window have no percentile.
const FEWEST: u64 = 20;

/// Of so many windows, the first and half of the others have to be as before.
const SUSTAINED: usize = 3;

/// Where in the windows of a load its spike lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpikePlace {
    /// How many windows come before it.
    pub(super) before: usize,
    /// How many it takes.
    pub(super) lasting: usize,
}

/// What the windows of a load show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recovery {
    /// The typical latency before, in nanoseconds.
    pub(super) before: f64,
    /// How many requests failed, from the beginning of the spike until the side was as before, or the end.
    pub(super) lost: u64,
    /// How many there were in that time.
    pub(super) of: u64,
    pub(super) end: SpikeEnd,
}

/// The percentile that windows of so many requests support; `None` where they support none. The highest is the 95th.
pub(super) fn of_windows(requests: f64) -> Option<Percentile> {
    let requests = requests as u64;
    (requests >= FEWEST).then(|| match Percentile::supported(requests) {
        Percentile::P99 | Percentile::P95 => Percentile::P95,
        Percentile::P50 => Percentile::P50,
    })
}

/// What a window shows.
pub(super) fn latency(window: &LoadWindow, which: Percentile) -> Option<f64> {
    match which {
        Percentile::P50 => window.p50,
        Percentile::P95 | Percentile::P99 => window.p95,
    }
}

/// When the side was as before: the first window after the spike whose latency exceeds the typical one before by no more than
/// a tenth, or by no more than one window in ten did then, with most of the next ones alike.
///
/// `None` without windows before the spike.
pub(super) fn recovery(
    windows: &[LoadWindow],
    place: SpikePlace,
    which: Percentile,
) -> Option<Recovery> {
    let end = place.before + place.lasting;
    let earlier = windows.get(..place.before)?.iter();
    let mut earlier: Vec<f64> = earlier
        .filter_map(|window| latency(window, which))
        .collect();
    if earlier.is_empty() {
        return None;
    }
    earlier.sort_by(f64::total_cmp);
    let before = percentile(&earlier, 0.5);
    let limit = (NEARLY * before).max(percentile(&earlier, USUAL));
    let usual_failures = share_of_failures(windows.get(..place.before)?);
    let is_usual = |window: &LoadWindow| {
        let failures = window.failed as f64;
        latency(window, which).is_some_and(|latency| latency <= limit)
            && failures <= (usual_failures * window.counted as f64).ceil()
    };
    let after = windows.get(end..).unwrap_or_default();
    let mut spans = after.windows(SUSTAINED);
    let back = spans.position(|span| {
        let usual = span.iter().filter(|window| is_usual(window)).count();
        is_usual(&span[0]) && 2 * usual > SUSTAINED
    });
    let until = back.map_or(windows.len(), |back| end + back);
    let disturbed = windows.get(place.before..until).unwrap_or_default();
    Some(Recovery {
        before,
        lost: disturbed.iter().map(|window| window.failed).sum(),
        of: disturbed.iter().map(|window| window.counted).sum(),
        end: match back {
            Some(windows) => SpikeEnd::Recovered { windows },
            None => SpikeEnd::NotRecovered {
                windows: after.len(),
            },
        },
    })
}

/// Which share of the requests failed.
fn share_of_failures(windows: &[LoadWindow]) -> f64 {
    let failed: u64 = windows.iter().map(|window| window.failed).sum();
    let counted: u64 = windows.iter().map(|window| window.counted).sum();
    failed as f64 / counted.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Noise;

    const PLACE: SpikePlace = SpikePlace {
        before: 20,
        lasting: 10,
    };

    /// Windows with these latencies in milliseconds.
    fn windows(latencies: impl IntoIterator<Item = f64>) -> Vec<LoadWindow> {
        let window = |millis: f64| LoadWindow {
            counted: 300,
            failed: 0,
            p50: Some(millis * 5e5),
            p95: Some(millis * 1e6),
        };
        latencies.into_iter().map(window).collect()
    }

    /// A load whose backlog is gone after so many windows.
    fn load(slow: usize, mut noise: impl FnMut() -> f64) -> Vec<LoadWindow> {
        let level = |at: usize| match at {
            at if at < PLACE.before => 2.0,
            at if at < PLACE.before + PLACE.lasting + slow => 200.0,
            _ => 2.0,
        };
        windows((0..80).map(|at| level(at) * noise()))
    }

    fn end(windows: &[LoadWindow]) -> SpikeEnd {
        recovery(windows, PLACE, Percentile::P95).unwrap().end
    }

    #[test]
    fn the_end_of_the_backlog_is_found_and_what_failed_until_then_is_lost() {
        for slow in [0, 1, 17] {
            let recovered = SpikeEnd::Recovered { windows: slow };
            assert_eq!(end(&load(slow, || 1.0)), recovered);
        }
        let mut failing = load(5, || 1.0);
        failing[25].failed = 30;
        failing[33].failed = 3;
        failing[60].failed = 7;
        let found = recovery(&failing, PLACE, Percentile::P95).unwrap();
        assert_eq!((found.lost, found.of), (33, 15 * 300));
    }

    #[test]
    fn what_stays_slow_has_not_recovered_even_if_a_window_was_fast() {
        let mut stays = load(50, || 1.0);
        stays[40] = stays[0];
        assert_eq!(end(&stays), SpikeEnd::NotRecovered { windows: 50 });
        // A fifth slower for good.
        let slower = windows((0..80).map(|at| if at < 20 { 2.0 } else { 2.4 }));
        assert_eq!(end(&slower), SpikeEnd::NotRecovered { windows: 50 });
        // It answers quickly that it cannot.
        let mut refusing = load(0, || 1.0);
        refusing[30..].iter_mut().for_each(|one| one.failed = 100);
        assert_eq!(end(&refusing), SpikeEnd::NotRecovered { windows: 50 });
    }

    #[test]
    fn who_always_fails_a_little_is_as_before_when_it_fails_no_more() {
        let mut failing = load(5, || 1.0);
        failing.iter_mut().for_each(|one| one.failed = 1);
        assert_eq!(end(&failing), SpikeEnd::Recovered { windows: 5 });
        failing[30..40].iter_mut().for_each(|one| one.failed = 2);
        assert_eq!(end(&failing), SpikeEnd::Recovered { windows: 10 });
    }

    #[test]
    fn noise_of_single_windows_makes_nobody_late() {
        let mut noise = Noise::seeded(3);
        for spread in [0.05, 0.2, 0.5] {
            let mut late = 0.0;
            for _ in 0..500 {
                let windows = load(7, || (spread * noise.gaussian()).exp());
                let SpikeEnd::Recovered { windows } = end(&windows) else {
                    panic!("{spread}");
                };
                assert!(windows >= 7);
                late += windows as f64 - 7.0;
            }
            assert!(late / 500.0 < 1.5, "{spread} {}", late / 500.0);
        }
    }

    #[test]
    fn windows_of_few_requests_have_a_median_or_nothing() {
        assert_eq!(of_windows(200.0), Some(Percentile::P95));
        assert_eq!(of_windows(5e4), Some(Percentile::P95));
        assert_eq!(of_windows(20.0), Some(Percentile::P50));
        assert_eq!(of_windows(19.9), None);
        assert_eq!(recovery(&[], PLACE, Percentile::P95), None);
    }
}
