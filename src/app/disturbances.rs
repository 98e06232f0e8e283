//! What else the machine did while it measured.

use crate::environment::{BusyWatch, Occupied, StealWatch};

/// The share of processor time taken by other tenants from which it is worth a warning.
const STEAL: f64 = 0.02;

/// Watches for disturbances from its creation on.
pub(super) struct Watch {
    before: Option<Occupied>,
    busy: BusyWatch,
    steal: StealWatch,
}

impl Watch {
    /// Begins to watch; `before` is what was seen just before, if it was checked.
    pub(super) fn begin(before: Option<Occupied>) -> Watch {
        Watch {
            before,
            busy: BusyWatch::begin(),
            steal: StealWatch::start(),
        }
    }

    /// What there was since.
    pub(super) fn finish(self) -> Disturbances {
        Disturbances {
            before: self.before,
            meanwhile: self.busy.finish(),
            steal: self.steal.share(),
        }
    }
}

/// What else went on while this machine measured, where the system says.
pub(super) struct Disturbances {
    /// How busy others kept the processors just before.
    before: Option<Occupied>,
    /// How busy they kept them on average from the beginning to the end.
    meanwhile: Option<Occupied>,
    /// The share of the wanted processor time that other tenants took.
    pub(super) steal: Option<f64>,
}

impl Disturbances {
    /// Those that are worth a warning, in words.
    pub(super) fn warnings(&self) -> Vec<String> {
        // A disturbance that began earlier and stayed appears once, with the figure for the whole measurement.
        let meanwhile = self
            .meanwhile
            .and_then(|busy| busy.complaint_of_measuring());
        let before = || {
            let busy = self.before?.complaint()?;
            Some(format!(
                "the machine was busy before measuring began: {busy}"
            ))
        };
        let steal = self.steal.filter(|steal| *steal > STEAL).map(|steal| {
            format!(
                "other tenants of the machine took {:.1} % of the processor time while measuring",
                steal * 100.0
            )
        });
        meanwhile.or_else(before).into_iter().chain(steal).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(before: Option<f64>, meanwhile: Option<f64>, steal: Option<f64>) -> Vec<String> {
        let occupied = |busy| Occupied {
            busy,
            processors: 2,
        };
        let disturbances = Disturbances {
            before: before.map(occupied),
            meanwhile: meanwhile.map(occupied),
            steal,
        };
        disturbances.warnings()
    }

    #[test]
    fn a_machine_with_nothing_else_to_do_and_one_that_does_not_say_give_no_warning() {
        assert_eq!(warnings(Some(0.1), Some(0.1), Some(0.01)), [""; 0]);
        assert_eq!(warnings(None, None, None), [""; 0]);
    }

    #[test]
    fn a_build_that_begins_while_measuring_is_told_with_its_figures() {
        let told = warnings(Some(0.0), Some(0.8), None);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("other programs kept 0.8 of 2 processors busy while measuring: ")
        );
    }

    #[test]
    fn what_was_busy_before_and_stays_so_is_told_once() {
        let told = warnings(Some(1.9), Some(0.8), None);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("0.8 of 2 processors busy while measuring"));
    }

    #[test]
    fn what_was_busy_only_before_is_told_and_so_is_theft() {
        assert_eq!(
            warnings(Some(1.9), Some(0.1), Some(0.25)),
            [
                "the machine was busy before measuring began: other programs kept 1.9 of 2 processors busy",
                "other tenants of the machine took 25.0 % of the processor time while measuring"
            ]
        );
        assert_eq!(warnings(Some(1.9), None, None).len(), 1);
    }
}
