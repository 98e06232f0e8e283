//! Imported series for the terminal.

use super::imported_trends::ImportedTrends;
use super::trend_text::{CHANGES, arrow, clipped, day, plain, table};
use crate::report::visible;
use crate::units::{Charset, plural};

/// What every reader should know of such a series.
pub(super) const KIND: &str = "Absolute numbers that other tools measured, each series on its own. A step is a change of the code, of the machine \
                    or of its load: nothing here tells which, and the trend of runs does not use them.";

/// A table of all series and their steps; nothing where there is none.
pub(crate) fn imported_text(imported: &ImportedTrends, charset: Charset) -> String {
    if imported.is_empty() {
        return String::new();
    }
    let count = plural(imported.series.len(), "imported series", "imported series");
    let mut out = format!(
        "{count} over {}\n{KIND}\n\n",
        plural(imported.commits.len(), "commit", "commits")
    );
    let mut rows = vec![["series", "now", "steps", "commits", ""].map(str::to_owned)];
    for one in &imported.series {
        rows.push([
            visible(&one.name.to_string()),
            one.points
                .last()
                .map_or("-".to_owned(), |last| one.shown(last.value)),
            one.steps.len().to_string(),
            one.points.len().to_string(),
            String::new(),
        ]);
    }
    out += &table(&rows);
    out += &steps_text(imported, charset);
    for note in &imported.notes {
        out += &format!("note: {}\n", visible(note));
    }
    plain(out, charset)
}

fn steps_text(imported: &ImportedTrends, charset: Charset) -> String {
    let steps = imported.steps();
    if steps.is_empty() {
        return "no step of an imported series\n\n".to_owned();
    }
    let more = steps.len().saturating_sub(CHANGES);
    let mut out = "steps of imported series, the newest first\n".to_owned();
    for step in steps.into_iter().take(CHANGES) {
        let commit = &imported.commits[step.to];
        out += &format!(
            "{} {}  {}\n  {}  {}  {} (after {})\n",
            arrow(charset, step.is_up()),
            step.size(),
            visible(&step.series.name.to_string()),
            imported.name(step.to),
            day(commit.date),
            clipped(&commit.subject),
            imported.name(step.from),
        );
    }
    if more > 0 {
        out += &format!("and {more} more: `--format html` shows all\n");
    }
    out + "\n"
}
