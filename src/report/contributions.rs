//! How much a function contributes to a change, in the words that all renderers share: by time, or by instructions where
//! those rank the functions.

use super::causes::{estimate, signed};
use crate::attribute::{Attribution, Contributor, Explanation, NanosEstimate, Ranking, Unresolved};
use crate::units::{Metric, Paired};

/// By how much functions contribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContributionScale<'a> {
    /// The change of time.
    change: Option<&'a NanosEstimate>,
    ranking: Option<Ranking>,
}

impl<'a> ContributionScale<'a> {
    pub(super) fn of(
        explanation: &Explanation,
        change: Option<&'a NanosEstimate>,
    ) -> ContributionScale<'a> {
        ContributionScale {
            change,
            ranking: explanation.ranking,
        }
    }

    /// The instructions of an iteration on each side, where they rank the functions.
    fn instructions(self) -> Option<Paired<f64>> {
        match self.ranking {
            Some(Ranking::Instructions { instructions, .. }) => Some(instructions),
            _ => None,
        }
    }

    /// `+12.31 ns ± 0.40 ns`, or `+1,204 instructions`.
    pub(super) fn amount(self, contributor: &Contributor) -> String {
        match self.instructions().and(contributor.instructions) {
            Some(own) => more_instructions(own.head - own.base),
            None => estimate(&contributor.change),
        }
    }

    /// Which part of the change a contribution is; `None` if the change itself may be zero.
    fn fraction(self, contributor: &Contributor) -> Option<f64> {
        match (self.instructions(), contributor.instructions) {
            (Some(all), Some(own)) => {
                let more = all.head - all.base;
                (more.abs() >= 1.0).then(|| (own.head - own.base) / more)
            }
            _ => self.fraction_of_time(contributor.change.ns),
        }
    }

    fn fraction_of_time(self, ns: f64) -> Option<f64> {
        let change = self.change.filter(|change| change.is_certain())?;
        Some(ns / change.ns)
    }

    /// `97 %`: which part of the change a contribution is; a dash if the change itself may be zero.
    pub(super) fn part(self, contributor: &Contributor) -> String {
        percent(self.fraction(contributor))
    }

    /// Whether a contribution is larger than this part of the change.
    pub(super) fn is_noticeable(self, contributor: &Contributor, least: f64) -> bool {
        match (self.instructions(), contributor.instructions) {
            (Some(all), Some(own)) => {
                (own.head - own.base).abs() > least * (all.head - all.base).abs()
            }
            _ => {
                let all = self.change.map_or(0.0, |change| change.ns);
                contributor.change.ns.abs() > least * all.abs()
            }
        }
    }

    /// How much of the change is not explained by the contributors, if it is worth a line.
    pub(super) fn unexplained(self, explanation: &Explanation) -> Option<String> {
        if let Some(all) = self.instructions() {
            let listed = explanation
                .contributors
                .iter()
                .filter_map(|c| c.instructions);
            let listed: f64 = listed.map(|own| own.head - own.base).sum();
            let (more, rest) = (all.head - all.base, all.head - all.base - listed);
            return (rest.abs() > 0.02 * more.abs() && rest.abs() >= 1.0)
                .then(|| format!("{} in other functions", more_instructions(rest)));
        }
        let total = self.change?;
        let rest = explanation.unexplained_ns;
        (rest.abs() > 0.02 * total.ns.abs()).then(|| {
            let part = match self.fraction_of_time(rest) {
                Some(fraction) => format!(" ({})", percent(Some(fraction))),
                None => String::new(),
            };
            format!(
                "{}{part} in functions too small to tell apart",
                signed(rest)
            )
        })
    }
}

fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(
        || "–".to_owned(),
        |fraction| format!("{:.0} %", fraction * 100.0),
    )
}

/// `+1,204 instructions`.
fn more_instructions(more: f64) -> String {
    let sign = if more < 0.0 { "-" } else { "+" };
    let amount = Metric::INSTRUCTIONS.unit.show(more.abs());
    let noun = match amount.as_str() {
        "1" => "instruction",
        _ => "instructions",
    };
    format!("{sign}{amount} {noun}")
}

/// `120,321 and 124,002 instructions per iteration`.
fn both(instructions: Paired<f64>) -> String {
    let [base, head] =
        [instructions.base, instructions.head].map(|side| Metric::INSTRUCTIONS.unit.show(side));
    format!("{base} and {head} instructions per iteration")
}

/// By what the functions are ranked, where samples do not tell which one the change comes from.
pub(super) fn ranked(attribution: &Attribution) -> Option<String> {
    let explanation = attribution.explanation.as_ref()?;
    match explanation.ranking? {
        Ranking::Samples => None,
        Ranking::Instructions { why, instructions } => Some(format!(
            "ranked by counted instructions ({}), since {}",
            both(instructions),
            reason(why)
        )),
        Ranking::Unresolved {
            why,
            instructions: Some(instructions),
        } => Some(format!(
            "not certain: {}, and instructions ({}) do not explain the change: caches, branch prediction, or where code and \
             data lie may",
            reason(why),
            both(instructions)
        )),
        Ranking::Unresolved {
            why,
            instructions: None,
        } => Some(format!(
            "not certain: {}; `--profile-time 30s` takes more samples",
            reason(why)
        )),
    }
}

fn reason(why: Unresolved) -> &'static str {
    match why {
        Unresolved::Uncertain => "no function's samples differ by more than chance explains",
        Unresolved::Coarse => "samples tell only roughly how much the first function contributes",
        Unresolved::Rivalled => "by their samples, two functions may contribute most",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Origin;
    use crate::units::BenchmarkKey;

    fn nanos(ns: f64) -> NanosEstimate {
        NanosEstimate {
            ns,
            lower_ns: ns - 5.0,
            upper_ns: ns + 5.0,
        }
    }

    /// A change of 10 ns and of 1,200 instructions, 1,100 of which and perhaps 6 ns are in one function.
    fn attribution(ranking: Option<Ranking>) -> Attribution {
        let contributor = Contributor {
            function: "shop::price".to_owned(),
            formerly: None,
            origin: Origin::Workspace,
            location: Paired::new(None, None),
            share: Paired::new(0.5, 0.5),
            change: nanos(6.0),
            instructions: Some(Paired::new(100.0, 1200.0)),
            through: None,
            same_code: false,
            hunks: Vec::new(),
        };
        Attribution {
            key: BenchmarkKey::new("p", "t", "b"),
            sampling: Paired::new(None, None),
            time_ns: None,
            change: Some(nanos(10.0)),
            explanation: Some(Explanation {
                contributors: vec![contributor],
                ranking,
                unexplained_ns: 4.0,
                beside: Vec::new(),
                functions: Vec::new(),
            }),
            bottlenecks: Vec::new(),
            advice: Vec::new(),
            stacks: Paired::new(None, None),
            notes: Vec::new(),
        }
    }

    const BY_INSTRUCTIONS: Ranking = Ranking::Instructions {
        why: Unresolved::Coarse,
        instructions: Paired::new(8000.0, 9200.0),
    };

    /// Amount, part, and what is left.
    fn told(ranking: Option<Ranking>) -> [String; 3] {
        let attribution = attribution(ranking);
        let explanation = attribution.explanation.as_ref().unwrap();
        let scale = ContributionScale::of(explanation, attribution.change.as_ref());
        let first = &explanation.contributors[0];
        let rest = scale.unexplained(explanation).unwrap_or_default();
        [scale.amount(first), scale.part(first), rest]
    }

    #[test]
    fn what_ranks_the_functions_is_what_is_told_of_them() {
        let by_time = [
            "+6.000 ns ± 5.000 ns",
            "60 %",
            "+4.000 ns (40 %) in functions too small to tell apart",
        ];
        assert_eq!(told(None), by_time);
        assert_eq!(told(Some(Ranking::Samples)), by_time);
        let by_instructions = [
            "+1,100 instructions",
            "92 %",
            "+100 instructions in other functions",
        ];
        assert_eq!(told(Some(BY_INSTRUCTIONS)), by_instructions);
    }

    #[test]
    fn the_reader_is_told_where_samples_do_not_show_the_order() {
        let ranked = |ranking| ranked(&attribution(Some(ranking))).unwrap_or_default();
        assert_eq!(ranked(Ranking::Samples), "");
        assert_eq!(
            ranked(BY_INSTRUCTIONS),
            "ranked by counted instructions (8,000 and 9,200 instructions per iteration), since samples tell only roughly \
             how much the first function contributes"
        );
        let open = |instructions| Ranking::Unresolved {
            why: Unresolved::Uncertain,
            instructions,
        };
        let unknown = ranked(open(None));
        assert!(
            unknown.starts_with("not certain: no function's samples"),
            "{unknown}"
        );
        assert!(unknown.contains("--profile-time"), "{unknown}");
        let unexplained = ranked(open(Some(Paired::new(8000.0, 8001.0))));
        assert!(
            unexplained.contains("8,000 and 8,001 instructions"),
            "{unexplained}"
        );
    }
}
