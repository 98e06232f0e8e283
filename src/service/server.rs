//! One side of a service, alive.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::discover::Failure;
use crate::load_generator::Address;
use crate::plan::{ListenPlace, Readiness};
use crate::process::{self, Child, GroupUsage, Tail};
use crate::scratch::Scratch;
use crate::units::Side;

use super::SliceEnd;
use super::fill::ServiceSide;
use super::process_end::ProcessEnd;
use super::readiness::{accepts, answers, sightings, watch};

/// How often a starting or ending process is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// How many ports are tried: another program may take one just before the service does.
const PORTS: usize = 3;

/// A service that takes requests. Dropping it ends it and everything it started.
#[derive(Debug)]
pub(super) struct Server {
    side: Side,
    child: Child,
    outputs: Outputs,
    pub(super) address: Address,
    /// How long it took until it took requests.
    pub(super) ready: Duration,
    /// The folder of its socket, if it has one.
    _folder: Option<tempfile::TempDir>,
}

/// A service that does not take requests.
#[derive(Debug)]
pub(super) struct NotReady {
    pub(super) failure: Failure,
    /// Where it was to listen.
    address: Address,
    /// How it ended; `None` if it had to be ended.
    pub(super) end: Option<ProcessEnd>,
}

/// What it says.
#[derive(Debug)]
struct Outputs {
    stdout: Option<Tail>,
    stderr: Option<Tail>,
    /// Told when the line comes that says that it is ready.
    line: Receiver<()>,
}

impl Outputs {
    fn of(child: &mut Child, ready: &Readiness) -> Outputs {
        let (seen, line) = sightings();
        let wanted = match ready {
            Readiness::Line(text) => text.as_str(),
            // No line ends with this.
            Readiness::Port | Readiness::Path(_) => "\n",
        };
        Outputs {
            stdout: child
                .stdout
                .take()
                .map(|out| Tail::of(watch(out, wanted, &seen))),
            stderr: child
                .stderr
                .take()
                .map(|err| Tail::of(watch(err, wanted, &seen))),
            line,
        }
    }

    /// Its last lines, once it is dead: what it wrote to stderr, or else to stdout.
    fn last_lines(&self) -> String {
        let of = |tail: &Option<Tail>| tail.as_ref().map_or_else(String::new, Tail::last_lines);
        match of(&self.stderr) {
            nothing if nothing.is_empty() => of(&self.stdout),
            lines => lines,
        }
    }
}

impl Server {
    /// Starts a side and waits until it takes requests.
    ///
    /// # Errors
    /// It does not, or the run is to stop.
    pub(super) fn start(of: ServiceSide<'_>, scratch: &Scratch) -> Result<Server, SliceEnd> {
        let started = Server::try_start(of, scratch)?;
        started.map_err(|not_ready| SliceEnd::Failed(not_ready.failure))
    }

    /// The same, where not getting ready is something to be looked at.
    ///
    /// # Errors
    /// It could not even be tried, or the run is to stop.
    pub(super) fn try_start(
        of: ServiceSide<'_>,
        scratch: &Scratch,
    ) -> Result<Result<Server, NotReady>, SliceEnd> {
        let mut tried = 1;
        loop {
            match Server::attempt(of, scratch)? {
                // It is dead, and yet something answers: another program has the port.
                Err(not_ready) if tried < PORTS && accepts(&not_ready.address) => tried += 1,
                other => return Ok(other),
            }
        }
    }

    fn attempt(
        of: ServiceSide<'_>,
        scratch: &Scratch,
    ) -> Result<Result<Server, NotReady>, SliceEnd> {
        let failed = |reason: String| {
            SliceEnd::Failed(Failure {
                side: of.side,
                reason,
                stderr_tail: String::new(),
            })
        };
        let (address, folder) =
            place(of).map_err(|error| failed(format!("found no place to listen: {error}")))?;
        let listen = match &address {
            Address::Tcp { port, .. } => port.to_string(),
            Address::Unix { path } => path.display().to_string(),
        };
        let mut command = of
            .command(&listen)
            .ok_or_else(|| failed("has no such program".to_owned()))?;
        let began = Instant::now();
        let started = scratch.spawn_benchmark(&mut command);
        process::check()?;
        let mut child =
            started.map_err(|error| failed(format!("could not be started: {error}")))?;
        let outputs = Outputs::of(&mut child, &of.service.ready);
        let mut server = Server {
            side: of.side,
            child,
            outputs,
            address,
            ready: Duration::ZERO,
            _folder: folder,
        };
        match server.wait_until_ready(of, began)? {
            None => Ok(Ok(server)),
            Some(reason) => {
                let (address, end) = (server.address.clone(), server.end());
                Ok(Err(NotReady {
                    failure: server.into_failure(reason),
                    address,
                    end,
                }))
            }
        }
    }

    /// Waits until it takes requests; a reason if it will not.
    fn wait_until_ready(
        &mut self,
        of: ServiceSide<'_>,
        began: Instant,
    ) -> Result<Option<String>, SliceEnd> {
        let limit = of.service.start_within;
        loop {
            process::check()?;
            if let Some(ended) = self.has_ended() {
                return Ok(Some(format!("{ended} before it accepted requests")));
            }
            let is_ready = match &of.service.ready {
                Readiness::Port => accepts(&self.address),
                Readiness::Path(path) => answers(&self.address, path),
                Readiness::Line(_) => self.outputs.line.try_recv().is_ok(),
            };
            self.ready = began.elapsed();
            if is_ready {
                // What answered may be another program.
                let ended = self.has_ended();
                return Ok(ended.map(|ended| format!("{ended} before it accepted requests")));
            }
            if self.ready > limit {
                let limit = humantime::format_duration(limit);
                return Ok(Some(format!(
                    "accepted no requests within {limit} of its start"
                )));
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// How it ended, if it has, in words.
    pub(super) fn has_ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(status) => status.map(|status| ProcessEnd::of(status).to_string()),
            Err(error) => Some(format!("cannot be waited for ({error})")),
        }
    }

    /// How it ended, if it has and that can be told.
    pub(super) fn end(&mut self) -> Option<ProcessEnd> {
        self.child.try_wait().ok()?.map(ProcessEnd::of)
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    /// Whether something takes connections where it listens.
    pub(super) fn accepts(&self) -> bool {
        accepts(&self.address)
    }

    /// The id of its first process, which is that of its group.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, with its last words.
    pub(super) fn into_failure(mut self, reason: String) -> Failure {
        self.child.kill();
        let _ = self.child.wait();
        Failure {
            side: self.side,
            reason,
            stderr_tail: self.outputs.last_lines(),
        }
    }

    pub(super) fn pause(&self) {
        self.child.pause();
    }

    pub(super) fn resume(&self) {
        self.child.resume();
    }

    pub(super) fn usage(&self) -> GroupUsage {
        GroupUsage::of(self.child.id())
    }

    /// Asks it to end, and kills it if it does not; a note for the report if it took too long.
    pub(super) fn stop(mut self, within: Duration) -> Option<String> {
        self.child.terminate();
        let deadline = Instant::now() + within;
        while self.has_ended().is_none() {
            let is_late = Instant::now() >= deadline;
            if is_late || process::interrupted().is_some() {
                self.child.kill();
                let _ = self.child.wait();
                if !is_late {
                    return None;
                }
                let within = humantime::format_duration(within);
                return Some(format!(
                    "the {} side did not end within {within} of SIGTERM, and was killed",
                    self.side
                ));
            }
            std::thread::sleep(GLANCE);
        }
        None
    }
}

/// Where a side is to listen.
fn place(of: ServiceSide<'_>) -> std::io::Result<(Address, Option<tempfile::TempDir>)> {
    if of.service.place() == Some(ListenPlace::Socket) {
        // Paths of sockets have at most 107 bytes, and the run's folder may lie deep.
        let folder = tempfile::Builder::new().prefix("perfcheck-").tempdir()?;
        let path = folder.path().join(of.side.name());
        return Ok((Address::Unix { path }, Some(folder)));
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let host = Ipv4Addr::LOCALHOST.to_string();
    let port = free.local_addr()?.port();
    Ok((Address::Tcp { host, port }, None))
}
