//! What a change claims to gain, as `faster=^parse/`.

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::units::Metric;

/// A gain, and the benchmarks that must show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claim {
    metric: Metric,
    /// Known to be a regular expression.
    pattern: String,
}

impl Claim {
    /// What is claimed to be better on the head side.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    fn gain(&self) -> &'static str {
        self.metric.gain.unwrap_or(self.metric.id)
    }

    /// Whether the claim is about a benchmark, by its id: `--filter` matches ids in the same way.
    pub fn matcher(&self) -> impl Fn(&str) -> bool {
        let regex = Regex::new(&self.pattern);
        move |id| regex.as_ref().is_ok_and(|regex| regex.is_match(id))
    }
}

impl std::fmt::Display for Claim {
    /// As it was typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.gain(), self.pattern)
    }
}

impl std::str::FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Claim, String> {
        let gains = || {
            let words = Metric::ALL.into_iter().filter_map(|metric| metric.gain);
            let names: Vec<String> = words.map(|word| format!("`{word}`")).collect();
            names.join(", ")
        };
        let Some((name, pattern)) = text.split_once('=') else {
            return Err(format!(
                "a claim is a gain and a regular expression, for example `faster=^parse/`; gains are {}",
                gains()
            ));
        };
        let known = Metric::gained_by(name.trim());
        let known = known.and_then(|metric| Some((metric, metric.gain?)));
        let (metric, gain) =
            known.ok_or_else(|| format!("`{name}` is not a gain; gains are {}", gains()))?;
        if pattern.is_empty() {
            // An unset variable in a script must not become a claim about every benchmark.
            return Err(format!("which benchmarks? `{gain}=.*` means any of them",));
        }
        match Regex::new(pattern) {
            Ok(_) => Ok(Claim {
                metric,
                pattern: pattern.to_owned(),
            }),
            Err(error) => Err(format!(
                "{error}\nto mean the text itself, write `{gain}={}`",
                regex::escape(pattern)
            )),
        }
    }
}

impl TryFrom<String> for Claim {
    type Error = String;

    fn try_from(text: String) -> Result<Claim, String> {
        text.parse()
    }
}

impl From<Claim> for String {
    fn from(claim: Claim) -> String {
        claim.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_gain_and_a_regular_expression() {
        for word in ["faster", "fewer-allocations", "fewer-bytes", "lower-peak"] {
            let text = format!("{word}=^parse/.*=x$");
            let claim: Claim = text.parse().unwrap();
            assert_eq!(claim.metric().gain, Some(word));
            assert_eq!(claim.to_string(), text);
            assert!(claim.matcher()("parse/a=x") && !claim.matcher()("parse/a"));
            let json = serde_json::to_string(&claim).unwrap();
            assert_eq!(serde_json::from_str::<Claim>(&json).unwrap(), claim);
        }
    }

    #[test]
    fn what_is_no_claim_is_answered_with_what_can_be_typed() {
        for (text, told) in [
            ("parse", "`faster=^parse/`"),
            ("quicker=parse", "`faster`"),
            ("faster=", "`faster=.*`"),
            ("faster=sum(", r"`faster=sum\(`"),
        ] {
            let error = text.parse::<Claim>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert!(serde_json::from_str::<Claim>("\"slower=x\"").is_err());
    }
}
