//! Generating load: every connection has a task that claims the next request, sends it when it is due, and counts it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::connection::{LoadConnection, RequestFailure};
use super::outcome::{GeneratorUse, LoadOutcome, NotUsable, Percentile, RequestErrorKind};
use super::pace::{FineTimer, ProcessorUse};
use super::sequence::{Prepared, Sequence};
use super::tally::Tally;
use super::transport::Destination;
use super::windows::WindowTally;
use super::{LoadError, LoadOrder, LoadShape};

/// A generator that uses more than this share of its one processor may be what is measured.
const MOST_OF_PROCESSOR: f64 = 0.9;

/// How often the generator looks at its own lag, at most.
const LAG_STEP: Duration = Duration::from_micros(200);

/// Whether an order can be carried out, as far as that can be said before anything listens.
///
/// # Errors
/// A number is beyond its bounds, or a request is no HTTP.
pub fn check(order: &LoadOrder) -> Result<(), LoadError> {
    order.check()?;
    Sequence::of(order).map(drop)
}

/// Generates the load of `order`. Hosts other than this machine have to be in `allowed`.
///
/// # Errors
/// The order cannot be carried out, or nothing answers at its address. What goes wrong later is in the outcome.
pub fn run(order: &LoadOrder, allowed: &[String]) -> Result<LoadOutcome, LoadError> {
    order.check()?;
    let destination = Destination::of(&order.address, allowed)?;
    let sequence = Sequence::of(order)?;
    let system = |what| move |source| LoadError::System { what, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("start its runtime"))?;
    runtime.block_on(async {
        let nobody = |source| LoadError::NothingThere {
            address: order.address.to_string(),
            source,
        };
        let connected = tokio::time::timeout(order.timeout(), destination.connect()).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        drop(connected.map_err(nobody)?);
        let course = generate(order, destination, sequence);
        course.await.map_err(system("go on"))
    })
}

async fn generate(
    order: &LoadOrder,
    destination: Destination,
    sequence: Sequence,
) -> io::Result<LoadOutcome> {
    let tally = Tally::none().ok_or(io::ErrorKind::InvalidInput)?;
    let course = Arc::new(LoadCourse::of(order, sequence, tally));
    let mut workers = JoinSet::new();
    for _ in 0..order.connections {
        let connection = LoadConnection::to(destination.clone());
        workers.spawn(Arc::clone(&course).work(connection, FineTimer::new()?));
    }
    let pacer = tokio::spawn(Arc::clone(&course).watch_lag(FineTimer::new()?));
    FineTimer::new()?.until(course.counted_from).await?;
    let before = (Instant::now(), ProcessorUse::now());
    // Waiting for the last answers takes no processor, and is not counted.
    let in_time = tokio::time::timeout_at(course.end.into(), all_of(&mut workers)).await;
    let wall = before.0.elapsed();
    let used = ProcessorUse::now().since(before.1);
    match in_time {
        Ok(ended) => ended?,
        Err(_) => all_of(&mut workers).await?,
    }
    pacer.abort();
    // It was cancelled, or had ended.
    if let Ok(paced) = pacer.await {
        paced?;
    }
    Ok(course.outcome(wall, used))
}

/// Waits for the end of all workers.
async fn all_of(workers: &mut JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(ended) = workers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

/// One load under way.
#[derive(Debug)]
struct LoadCourse {
    shape: LoadShape,
    began: Instant,
    /// What is sent (closed: answered) earlier is not counted.
    counted_from: Instant,
    end: Instant,
    most_requests: u64,
    timeout: Duration,
    /// How long each window is, where they are wanted.
    window: Option<Duration>,
    state: Mutex<LoadState>,
}

#[derive(Debug)]
struct LoadState {
    sequence: Sequence,
    claimed: u64,
    tally: Tally,
    windows: WindowTally,
    /// Answers as expected that came while requests were counted.
    completed: u64,
    last_answer: Option<Instant>,
}

/// A request that a connection is to send.
#[derive(Debug)]
struct DueRequest {
    request: Arc<Prepared>,
    /// When, in an open loop.
    due: Option<Instant>,
}

impl LoadCourse {
    fn of(order: &LoadOrder, sequence: Sequence, tally: Tally) -> LoadCourse {
        let began = Instant::now();
        let counted_from = began + order.warm_up();
        LoadCourse {
            shape: order.shape,
            began,
            counted_from,
            end: counted_from + order.duration(),
            most_requests: order.most_requests,
            timeout: order.timeout(),
            window: order
                .window_ms
                .map(|window| Duration::from_millis(window.max(1))),
            state: Mutex::new(LoadState {
                sequence,
                claimed: 0,
                tally,
                windows: WindowTally::default(),
                completed: 0,
                last_answer: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, LoadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request; `None` when the load is over.
    fn claim(&self) -> Option<DueRequest> {
        let mut state = self.state();
        if state.claimed >= self.most_requests {
            return None;
        }
        let due = self.shape.due(state.claimed).map(|due| self.began + due);
        if due.unwrap_or_else(Instant::now) >= self.end {
            return None;
        }
        state.claimed += 1;
        let request = state.sequence.draw();
        Some(DueRequest { request, due })
    }

    /// The life of one connection.
    async fn work(
        self: Arc<Self>,
        mut connection: LoadConnection,
        pace: FineTimer,
    ) -> io::Result<()> {
        while let Some(claim) = self.claim() {
            if let Some(due) = claim.due {
                pace.until(due).await?;
            }
            let sent = Instant::now();
            let answer = if sent > self.end + self.timeout {
                let words = "it was still waiting for a connection when the load ended";
                Err(RequestFailure::new(RequestErrorKind::Timeout, words))
            } else {
                self.exchange(&mut connection, &claim.request).await
            };
            if let Err(RequestFailure {
                refused: Some(refused),
                ..
            }) = answer
            {
                return Err(refused);
            }
            self.count(claim.due, sent, answer);
        }
        Ok(())
    }

    /// Wakes as often as requests are due, whether or not a connection is free: how late it wakes is the generator's own lag.
    /// What a busy connection adds to a latency is the server's. It wakes between two requests, since sending one is no
    /// lag.
    async fn watch_lag(self: Arc<Self>, pace: FineTimer) -> io::Result<()> {
        let Some(rate) = self.shape.highest() else {
            return Ok(());
        };
        let requests = (LAG_STEP.as_secs_f64() * rate).ceil().max(1.0);
        for tick in 0u64.. {
            let due = self.began + Duration::from_secs_f64((tick as f64 * requests + 0.5) / rate);
            if due >= self.end {
                break;
            }
            pace.until(due).await?;
            if due >= self.counted_from {
                self.state().tally.add_lag(due.elapsed());
            }
        }
        Ok(())
    }

    async fn exchange(
        &self,
        connection: &mut LoadConnection,
        request: &Prepared,
    ) -> Result<(), RequestFailure> {
        match tokio::time::timeout(self.timeout, connection.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                connection.abandon();
                let words = format!("{}: none after {:?}", request.planned, self.timeout);
                Err(RequestFailure::new(RequestErrorKind::Timeout, words))
            }
        }
    }

    fn count(&self, due: Option<Instant>, sent: Instant, answer: Result<(), RequestFailure>) {
        let now = Instant::now();
        let counts_at = match (due, &answer) {
            (Some(due), _) => due,
            (None, Ok(())) => now,
            // A server that hangs is charged for it, although the failure comes after the end.
            (None, Err(_)) => sent.max(self.counted_from).min(now),
        };
        let counts = |at: Instant| at >= self.counted_from && at < self.end;
        let mut state = self.state();
        state.completed += u64::from(answer.is_ok() && counts(now));
        if !counts(counts_at) {
            return;
        }
        state.last_answer = Some(now);
        let latency = now - due.unwrap_or(sent);
        if let Some(window) = self.window {
            let at = counts_at - self.counted_from;
            let at = (at.as_secs_f64() / window.as_secs_f64()) as usize;
            state.windows.add(at, latency, answer.is_ok());
        }
        state.tally.add(latency, answer);
    }

    fn outcome(&self, wall: Duration, processor: ProcessorUse) -> LoadOutcome {
        let state = self.state();
        let whole = self.end - self.counted_from;
        let seconds = match state.last_answer {
            // The number of requests ended it, not the time.
            Some(last) if state.claimed >= self.most_requests && last < self.end => {
                last - self.counted_from
            }
            _ => whole,
        };
        let latency = state.tally.latency(self.timeout);
        let lag = state.tally.lag();
        let busy = processor.used + processor.waited;
        let share = busy.as_secs_f64() / wall.as_secs_f64().max(f64::MIN_POSITIVE);
        let mut outcome = LoadOutcome {
            answered: state.tally.answered(),
            completed: state.completed,
            sent: state.claimed,
            seconds: seconds.as_secs_f64(),
            latency,
            errors: state.tally.errors(),
            windows: state.windows.windows(self.timeout),
            generator: GeneratorUse {
                processor_seconds: processor.used.as_secs_f64(),
                lag,
            },
            not_usable: None,
        };
        let is_late = latency.is_some() && outcome.latency_at(Percentile::P99).is_none();
        outcome.not_usable = match lag.filter(|_| is_late) {
            _ if share > MOST_OF_PROCESSOR => Some(NotUsable::Saturated { share }),
            Some(lag) => Some(NotUsable::Lagged { p99_ns: lag.p99 }),
            None => None,
        };
        outcome
    }
}
