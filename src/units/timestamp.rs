//! Points of time, as reports have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A second of the calendar: `2026-11-29T22:40:15Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// The last second of the year 9999: the latest time that RFC 3339 can express.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// Now.
    #[must_use]
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp(since.map_or(0, |since| since.as_secs()).min(LAST))
    }

    /// The time so many seconds after the beginning of 1970. A commit may claim any time; one that RFC 3339 cannot
    /// express becomes the nearest that it can.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Timestamp {
        Timestamp(u64::try_from(seconds).unwrap_or(0).min(LAST))
    }
}

impl Timestamp {
    /// Seconds after the beginning of 1970.
    #[must_use]
    pub fn as_unix(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The day: `2026-11-29`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = UNIX_EPOCH + Duration::from_secs(self.0);
        humantime::format_rfc3339_seconds(time).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)?;
        let since = time.duration_since(UNIX_EPOCH);
        Ok(Timestamp(since.map_or(0, |since| since.as_secs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written_and_no_commit_breaks_it() {
        let time = Timestamp::from_unix(1_795_992_015);
        assert_eq!(time.to_string(), "2026-11-29T22:40:15Z");
        let written = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&written).unwrap(), time);
        for strange in [i64::MIN, -1, i64::MAX] {
            assert!(Timestamp::from_unix(strange).to_string().ends_with('Z'));
        }
    }
}
