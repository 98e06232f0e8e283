//! All tests of one service, one after the other.

use std::path::Path;

use crate::discover::Failure;
use crate::measure::Measured;
use crate::plan::{LoadTest, RestartMode, Service};
use crate::process::{self, Interrupted};
use crate::scratch::Scratch;
use crate::units::EventSink;

use super::answers::wrong_answers;
use super::generator::Generator;
use super::limits::LimitSteps;
use super::neighbour::NeighbourRounds;
use super::ramp_up::RampUpRounds;
use super::rounds::ComparedRounds;
use super::row_kind::RowKind;
use super::soak::SoakBlocks;
use super::spike::SpikeRounds;
use super::stage::{LoadStage, RowTest, ServiceLoad};
use super::{ServiceError, ServiceRun, SliceEnd};

/// A service that fails this share of its requests is not compared: what it does quickly is something else.
const MOST_ERRORS: f64 = 0.01;

/// Whether the services can be loaded at all, as far as that can be said before anything is built.
///
/// # Errors
/// The load generator is not there, a header's variable is not set, or what is to be sent is no HTTP or too much.
pub fn check(services: &[Service], own_program: &Path) -> Result<(), ServiceError> {
    services.iter().try_for_each(|one| {
        Generator::of(one, own_program)?;
        Generator::of_neighbour(one, own_program).map(drop)
    })
}

/// Tests a service in every way that it asks for; rounds of the plain comparison end when `is_settled` says that every row
/// is.
///
/// # Errors
/// Nothing can be measured, for a reason outside of the service. What goes wrong with it is in the result.
pub fn run(
    load: ServiceLoad<'_>,
    mut is_settled: impl FnMut(&[Measured]) -> bool,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<ServiceRun, ServiceError> {
    let mut stage = LoadStage::of(load, scratch, events)?;
    let mut run = ServiceRun {
        key: load.key.clone(),
        rows: Vec::new(),
        rounds: Vec::new(),
        beside: Vec::new(),
        tests: Vec::new(),
        ended: None,
    };
    let mut failure: Option<Failure> = None;
    for test in &load.service.tests {
        // What fails under a plain load is not loaded in other ways.
        let goes_on = failure.is_none() && run.ended.is_none();
        let mut rows = Vec::new();
        if goes_on {
            let found = match row_test(*test) {
                None => compare(&mut stage, &mut is_settled, &mut run),
                Some(test) => measure(test, &mut stage, &mut run),
            };
            (failure, run.ended) = found.ended;
            failure = failure.map(|failure| stage.generator.without_secrets(failure));
            rows = found.rows;
        }
        if let Some(failure) = &failure {
            fail(&mut rows, *test, load, failure);
        }
        run.rows.extend(rows);
    }
    annotate(&mut run.rows, &stage);
    Ok(run)
}

/// What a test came to.
struct TestEnd {
    rows: Vec<Measured>,
    /// A failure, or what ended the run.
    ended: (Option<Failure>, Option<Interrupted>),
}

/// The test with a row of its own, which the plain comparison is not.
fn row_test(test: LoadTest) -> Option<Box<dyn RowTest>> {
    match test {
        LoadTest::Compare => None,
        LoadTest::RampUp => Some(Box::new(RampUpRounds::default())),
        LoadTest::Spike => Some(Box::new(SpikeRounds::default())),
        LoadTest::Soak => Some(Box::new(SoakBlocks::default())),
        LoadTest::NoisyNeighbour => Some(Box::new(NeighbourRounds::default())),
        LoadTest::Limits => Some(Box::new(LimitSteps::default())),
    }
}

fn compare(
    stage: &mut LoadStage<'_>,
    is_settled: &mut impl FnMut(&[Measured]) -> bool,
    run: &mut ServiceRun,
) -> TestEnd {
    let mut compared = ComparedRounds::default();
    let ended = compared.measure(stage, is_settled);
    let ended = consequence(ended, || wrong_answers(&compared.rounds, MOST_ERRORS));
    let rows = compared.rows(stage);
    run.rounds = compared.rounds;
    TestEnd { rows, ended }
}

fn measure(mut test: Box<dyn RowTest>, stage: &mut LoadStage<'_>, run: &mut ServiceRun) -> TestEnd {
    let ended = consequence(test.measure(stage), || test.wrong_answers(MOST_ERRORS));
    run.beside.extend(test.beside(stage));
    run.tests.extend(test.result(stage));
    TestEnd {
        rows: vec![test.row(stage)],
        ended,
    }
}

/// What follows from how a test ended: a failure, or that the run is over.
fn consequence(
    ended: Result<(), SliceEnd>,
    wrong: impl FnOnce() -> Option<Failure>,
) -> (Option<Failure>, Option<Interrupted>) {
    // Whatever fails in a run that is to stop is a consequence; wrong answers before that are not.
    let (failure, ended) = match (ended, process::interrupted()) {
        (Ok(()), None) => (None, None),
        (_, Some(interrupted)) | (Err(SliceEnd::Interrupted(interrupted)), None) => {
            (None, Some(interrupted))
        }
        (Err(SliceEnd::Failed(failure) | SliceEnd::Died(failure)), None) => (Some(failure), None),
    };
    (failure.or_else(wrong), ended)
}

/// Every row of the test has failed, also those without a round.
fn fail(rows: &mut Vec<Measured>, test: LoadTest, load: ServiceLoad<'_>, failure: &Failure) {
    for kind in RowKind::of_test(test) {
        let key = kind.key(load.key);
        if !rows.iter().any(|row| row.key == key) {
            rows.push(Measured {
                key,
                rounds: Vec::new(),
                failure: None,
                notes: Vec::new(),
                remarks: Vec::new(),
            });
        }
    }
    for row in rows {
        row.failure = Some(failure.clone());
    }
}

/// What the reader should know of every row, and of the data.
fn annotate(rows: &mut [Measured], stage: &LoadStage<'_>) {
    let service = stage.load.service;
    let compares = |row: &Measured| {
        let kind = RowKind::of(&row.key);
        kind.is_some_and(|kind| kind.test() == LoadTest::Compare)
    };
    for row in &mut *rows {
        row.notes.extend(stage.notes.iter().cloned());
        if service.restart == RestartMode::Never && compares(row) {
            let note = "one pair of processes: its own luck is not in the interval";
            row.notes.push(note.to_owned());
        }
    }
    if let Some(first) = rows.first_mut() {
        let data = service.data.iter();
        let data = data.map(|(name, value)| format!("{name}: {value}"));
        first.notes.extend(data);
    }
}
