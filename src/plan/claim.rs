//! What a change claims to gain, as `faster=^parse/`.

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A gain, and the benchmarks that must show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claim {
    gain: Gain,
    /// Known to be a regular expression.
    pattern: String,
}

/// What is claimed to be better on the head side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// The time of an iteration.
    Faster,
    /// The number of allocations.
    FewerAllocations,
    /// The bytes asked for.
    FewerBytes,
    /// The bytes that are live at a time.
    LowerPeak,
}

impl Gain {
    const ALL: [Gain; 4] = [
        Gain::Faster,
        Gain::FewerAllocations,
        Gain::FewerBytes,
        Gain::LowerPeak,
    ];

    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Gain::Faster => "faster",
            Gain::FewerAllocations => "fewer-allocations",
            Gain::FewerBytes => "fewer-bytes",
            Gain::LowerPeak => "lower-peak",
        }
    }
}

impl Claim {
    /// What is claimed.
    #[must_use]
    pub fn gain(&self) -> Gain {
        self.gain
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
        write!(f, "{}={}", self.gain.name(), self.pattern)
    }
}

impl std::str::FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Claim, String> {
        let gains = || {
            let names: Vec<String> = Gain::ALL.map(|gain| format!("`{}`", gain.name())).into();
            names.join(", ")
        };
        let Some((name, pattern)) = text.split_once('=') else {
            return Err(format!(
                "a claim is a gain and a regular expression, for example `faster=^parse/`; gains are {}",
                gains()
            ));
        };
        let gain = Gain::ALL
            .into_iter()
            .find(|gain| gain.name() == name.trim());
        let gain = gain.ok_or_else(|| format!("`{name}` is no gain; gains are {}", gains()))?;
        if pattern.is_empty() {
            // A variable of a script that was not set must not claim everything.
            return Err(format!(
                "which benchmarks? `{0}=.*` means any of them",
                gain.name()
            ));
        }
        match Regex::new(pattern) {
            Ok(_) => Ok(Claim {
                gain,
                pattern: pattern.to_owned(),
            }),
            Err(error) => Err(format!(
                "{error}\nto mean the text itself, write `{}={}`",
                gain.name(),
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
        for gain in Gain::ALL {
            let text = format!("{}=^parse/.*=x$", gain.name());
            let claim: Claim = text.parse().unwrap();
            assert_eq!(claim.gain(), gain);
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
