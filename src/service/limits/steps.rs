//! Which limits are tried. Pure: it follows from what base needs, and from what can be limited.

use crate::plan::{LimitKind, LimitsSettings};
use crate::process::{CgroupTree, Controller};

use super::{LimitPressure, ServiceNeeds};

/// Where nobody says how many connections are too many: so many times as many as usual.
const TOO_MANY: usize = 4;

/// The generator opens no more.
const MOST_CONNECTIONS: usize = 10_000;

/// What address space is limited to, over the share: a page more of code or constants is no need of memory.
const ADDRESS_ROOM: f64 = 1.02;

/// A limit to be tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlannedStep {
    pub(super) pressure: LimitPressure,
    pub(super) limit: Option<f64>,
    /// The address space of each process, in bytes.
    pub(super) address_space: Option<u64>,
    /// The open files of each process.
    pub(super) files: Option<u64>,
    /// What a control group limits.
    pub(super) group: Option<(Controller, f64)>,
    /// How many connections there are; `None`: as many as usual.
    pub(super) connections: Option<usize>,
}

impl PlannedStep {
    fn of(pressure: LimitPressure, limit: Option<f64>) -> PlannedStep {
        PlannedStep {
            pressure,
            limit,
            address_space: None,
            files: None,
            group: None,
            connections: None,
        }
    }
}

/// The limits for a service of which base needs this much, with so many connections; and what cannot be limited.
pub(super) fn plan(
    base: &ServiceNeeds,
    settings: &LimitsSettings,
    tree: Option<&CgroupTree>,
    connections: usize,
) -> (Vec<PlannedStep>, Vec<LimitKind>) {
    let mut steps = Vec::new();
    let mut left_out = Vec::new();
    let wanted = LimitKind::ALL.into_iter();
    for kind in wanted.filter(|kind| settings.kinds.has(*kind)) {
        let own = match kind {
            LimitKind::Connections => connection_steps(base, settings, connections),
            kind => {
                let shares = LimitsSettings::SHARES.into_iter();
                let shares = shares.map(|percent| share(kind, percent, base, tree));
                shares.collect::<Option<_>>().unwrap_or_default()
            }
        };
        if own.is_empty() {
            left_out.push(kind);
        }
        // A share of few files may be as many of them as another one.
        for step in own {
            let is_new = |known: &PlannedStep| {
                (known.limit, known.group, known.connections)
                    != (step.limit, step.group, step.connections)
            };
            if steps.iter().all(is_new) {
                steps.push(step);
            }
        }
    }
    (steps, left_out)
}

/// A share of what base needs; `None` where that cannot be limited.
fn share(
    kind: LimitKind,
    percent: u8,
    base: &ServiceNeeds,
    tree: Option<&CgroupTree>,
) -> Option<PlannedStep> {
    let part = |need: f64| need * f64::from(percent) / 100.0;
    let whole = |need: u64| part(need as f64).floor().max(1.0);
    let grouped = |controller| {
        tree.filter(|tree| tree.limits(controller))
            .map(|_| controller)
    };
    let step = |pressure, limit, controller| PlannedStep {
        group: Some((controller, limit)),
        ..PlannedStep::of(pressure, Some(limit))
    };
    match kind {
        LimitKind::Memory => {
            let pressure = LimitPressure::Memory { percent };
            let limit = whole(base.memory);
            Some(match tree {
                Some(_) => step(pressure, limit, Controller::Memory),
                None => PlannedStep {
                    address_space: Some((limit * ADDRESS_ROOM) as u64),
                    ..PlannedStep::of(pressure, Some(limit * ADDRESS_ROOM))
                },
            })
        }
        LimitKind::Files => {
            let limit = whole(base.files);
            Some(PlannedStep {
                files: Some(limit as u64),
                ..PlannedStep::of(LimitPressure::Files { percent }, Some(limit))
            })
        }
        LimitKind::Tasks => {
            let controller = grouped(Controller::Tasks)?;
            let pressure = LimitPressure::Tasks { percent };
            Some(step(pressure, whole(base.tasks), controller))
        }
        LimitKind::Processor => {
            let controller = grouped(Controller::Processor)?;
            let pressure = LimitPressure::Processor { percent };
            Some(step(pressure, part(base.processors.max(0.01)), controller))
        }
        LimitKind::Connections => None,
    }
}

/// More connections than usual, alone and with no files for them.
fn connection_steps(
    base: &ServiceNeeds,
    settings: &LimitsSettings,
    connections: usize,
) -> Vec<PlannedStep> {
    let usual = TOO_MANY.saturating_mul(connections);
    let count = settings.connections.unwrap_or(usual).min(MOST_CONNECTIONS);
    let alone = PlannedStep {
        connections: Some(count),
        ..PlannedStep::of(LimitPressure::Connections { count }, None)
    };
    let limit = base.files as f64;
    let beyond = PlannedStep {
        connections: Some(count),
        files: Some(base.files),
        ..PlannedStep::of(LimitPressure::ConnectionsBeyondFiles { count }, Some(limit))
    };
    vec![alone, beyond]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plan::LimitKinds;

    const NEEDS: ServiceNeeds = ServiceNeeds {
        memory: 1_000_001,
        resident: 700_000,
        files: 12,
        tasks: 9,
        processors: 0.5,
        achieved: 500.0,
        latency_ns: Some(1e6),
    };

    #[test]
    fn without_control_groups_address_space_files_and_connections_are_limited() {
        let settings = LimitsSettings::default();
        let (steps, left_out) = plan(&NEEDS, &settings, None, 8);
        assert_eq!(left_out, [LimitKind::Tasks, LimitKind::Processor]);
        let spaces: Vec<_> = steps.iter().filter_map(|step| step.address_space).collect();
        assert_eq!(spaces, [1_020_001, 918_000, 816_000]);
        let files: Vec<_> = steps.iter().filter_map(|step| step.files).collect();
        assert_eq!(files, [12, 10, 9, 12]);
        let connections: Vec<_> = steps.iter().filter_map(|step| step.connections).collect();
        assert_eq!(connections, [32, 32]);
        assert!(steps.iter().all(|step| step.group.is_none()));
        assert!(steps.len() <= LimitsSettings::MOST_STEPS);
    }

    #[test]
    fn control_groups_limit_what_their_controllers_can() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("cgroup.subtree_control"), "memory cpu").unwrap();
        let trees = CgroupTree::candidates(root.path(), "0::/");
        let settings = LimitsSettings::default();
        let (steps, left_out) = plan(&NEEDS, &settings, trees.first(), 8);
        assert_eq!(left_out, [LimitKind::Tasks]);
        let groups: Vec<_> = steps.iter().filter_map(|step| step.group).collect();
        assert_eq!(groups[0], (Controller::Memory, 1_000_001.0));
        assert_eq!(groups[5], (Controller::Processor, 0.4));
        assert!(steps.iter().all(|step| step.address_space.is_none()));
        assert!(Path::new(root.path()).is_dir());
    }

    #[test]
    fn only_what_is_asked_for_is_limited_and_equal_limits_once() {
        let settings = LimitsSettings {
            kinds: LimitKinds::of(&[LimitKind::Files]),
            ..LimitsSettings::default()
        };
        let few = ServiceNeeds { files: 6, ..NEEDS };
        let (steps, left_out) = plan(&few, &settings, None, 8);
        let files: Vec<_> = steps.iter().filter_map(|step| step.files).collect();
        assert_eq!((files, left_out), (vec![6, 5, 4], vec![]));
        let fewer = ServiceNeeds { files: 2, ..NEEDS };
        assert_eq!(plan(&fewer, &settings, None, 8).0.len(), 2);
    }
}
