//! How far one side of a round has come.

use crate::discover::Failure;
use crate::load_generator::{NotUsable, Percentile};

use super::search::{Bracket, RateSearch};
use super::step_plan::StepPlan;
use super::{BreakReason, RampUpEnd, RampUpStep};

/// So many steps in a row may show nothing of a side, since something else disturbed the load generator.
const MOST_UNUSABLE: usize = 3;

/// How far one side has come.
pub(super) struct Climb {
    pub(super) search: RateSearch,
    pub(super) steps: Vec<RampUpStep>,
    /// Why steps in a row showed nothing of the side.
    pub(super) unusable: Vec<NotUsable>,
    pub(super) death: Option<Failure>,
}

impl Climb {
    pub(super) fn by(search: RateSearch) -> Climb {
        Climb {
            search,
            steps: Vec::new(),
            unusable: Vec::new(),
            death: None,
        }
    }

    /// The rate of the next step; `None` where none follows.
    pub(super) fn next_rate(&self, plan: StepPlan) -> Option<f64> {
        let next = self.search.next_rate()?;
        (self.gave_out().is_none() && plan.length(next).is_some()).then_some(next)
    }

    /// Why the search is over before it has found anything: the generator gave out several times in a row.
    fn gave_out(&self) -> Option<NotUsable> {
        let last = self.unusable.last().copied();
        last.filter(|_| self.unusable.len() >= MOST_UNUSABLE)
    }

    pub(super) fn end(&self, plan: StepPlan, death: Option<Failure>) -> RampUpEnd {
        if let Some(because) = self.gave_out() {
            return RampUpEnd::Generator { because };
        }
        match self.search.bracket() {
            Bracket::Between { held, broken } => {
                let at_end = self.steps.iter().filter(|step| step.rate == broken);
                let mut because: Vec<BreakReason> = at_end
                    .flat_map(|step| step.broken.iter().copied())
                    .collect();
                because.sort();
                because.dedup();
                RampUpEnd::Broke {
                    held,
                    broken,
                    because,
                    death,
                }
            }
            Bracket::Above { held } => RampUpEnd::Unbroken { held },
            Bracket::Open => {
                let next = self.search.next_rate();
                match next.filter(|rate| plan.length(*rate).is_none()) {
                    Some(rate) => RampUpEnd::TooSlow { rate },
                    None => RampUpEnd::Unclear,
                }
            }
        }
    }
}

/// The step in which a side died.
pub(super) fn died(rate: f64, percentile: Percentile) -> RampUpStep {
    RampUpStep {
        rate,
        achieved: 0.0,
        percentile,
        latency_ns: None,
        errors: 1.0,
        broken: vec![BreakReason::Died],
    }
}
