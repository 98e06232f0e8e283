//! The plan of a history that is filled backwards.

use super::{
    BackfillArgs, Environment, HistoryPlace, Plan, PlanError, RangeSpec, config, manifest,
};

/// What a backfill does: the range, and how each pair of its commits is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct BackfillPlan {
    /// The commit before the range.
    pub base: String,
    /// The last commit of the range.
    pub head: String,
    /// Where runs are kept.
    pub place: HistoryPlace,
    /// How a pair of commits is compared; its range is that of the whole.
    pub each: Plan,
}

impl BackfillPlan {
    /// The plan of `cargo perfcheck history backfill`: nothing is written but the history, and nothing is judged.
    ///
    /// # Errors
    /// As [`Plan::resolve`], or the range is no range of commits.
    pub fn resolve(
        args: &BackfillArgs,
        environment: &Environment,
    ) -> Result<BackfillPlan, PlanError> {
        let range = RangeSpec::parse(Some(&args.range));
        let (RangeSpec::Between { base, head } | RangeSpec::SinceMergeBase { base, head }) =
            range.clone()
        else {
            return Err(PlanError::OutOfRange {
                setting: "the range".to_owned(),
                value: format!("`{}`", args.range),
                why: "a backfill needs its first and its last commit",
                instead: match args.range.as_str() {
                    "HEAD" => "cargo perfcheck history backfill HEAD~10..HEAD".to_owned(),
                    first => format!("cargo perfcheck history backfill {first}..HEAD"),
                },
            });
        };
        let mut options = args.options.clone();
        options.sampling.no_profile = true;
        let named = options.selection.manifest_path.as_deref();
        let manifest_path = manifest::find(named, &environment.cwd)?;
        let mut each = Plan::of(&options, range, manifest_path, environment)?;
        let place = each.history.clone();
        each.record = None;
        each.outputs.clear();
        each.plots = None;
        each.artifacts = None;
        each.actions = None;
        each.claims.clear();
        each.budgets = config::Budgets::default();
        Ok(BackfillPlan {
            base,
            head,
            place,
            each,
        })
    }
}
