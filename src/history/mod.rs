//! What runs measured, kept for later, and the trend that it shows.
//!
//! A run leaves one small immutable file: for each benchmark ln(head ÷ base) with its error, and no absolute series
//! ([`RunRecord`]). The files lie in a [`HistoryStore`]: on a reference of the user's repository that no clone fetches by
//! default, or in a folder. A file's name is the digest of its content, so that what two machines recorded unites
//! without conflict. [`Trends`] makes one trend of them for each benchmark. What other tools measured is absolute, and stays
//! apart ([`ImportedTrends`]).

mod absolute;
mod action_export;
mod backfill;
mod backfill_text;
mod bencher_export;
mod benchmark_runs;
mod changes;
mod commits;
mod error;
mod exchange;
mod export;
mod files;
mod folder;
mod import_action;
mod import_criterion;
mod imported;
mod imported_data;
mod imported_page;
mod imported_text;
mod imported_trends;
mod parallel;
mod present_names;
mod record;
mod reference;
mod standing;
mod store;
mod trend_data;
mod trend_frame;
mod trend_page;
mod trend_text;
mod trends;

pub(crate) use action_export::data_js;
pub(crate) use backfill::{Backfill, CommitRange, Neighbours, usual_duration};
pub(crate) use backfill_text::{
    BackfillOutlook, CUT, backfill_text, left_out, named, summary, tally,
};
pub(crate) use bencher_export::bencher_lines;
pub(crate) use commits::{CommitOrder, commit_of};
pub(crate) use error::HistoryError;
pub(crate) use exchange::RemoteHistory;
pub(crate) use export::{csv, json_lines};
pub(crate) use files::{Acceptance, RefusedFile, StoredFile, UnbuildableCommit};
pub(crate) use import_action::action_data;
pub(crate) use import_criterion::{CriterionRequest, criterion_data};
pub(crate) use imported::{ImportRefusal, ImportedData, ImportedRun};
pub(crate) use imported_text::imported_text;
pub(crate) use imported_trends::{ImportedTrends, shown_imports};
pub(crate) use parallel::in_parallel;
pub(crate) use record::RunRecord;
pub(crate) use standing::{FreshRun, HeadKind, RecordedHistory};
pub(crate) use store::{HistoryStore, StoreContents};
pub(crate) use trend_data::{json as trend_json, trend_csv};
pub(crate) use trend_page::page as trend_page;
pub(crate) use trend_text::text as trend_text;
pub(crate) use trends::{TrendRequest, Trends};

/// The reference of the user's repository that keeps a history.
pub(crate) const REFERENCE: &str = "refs/perfcheck/history";

/// The first digits of a commit's id, as people write them.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(9).collect()
}
