//! Loading one side: the order for the generator, and its process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::discover::Failure;
use crate::load_generator::{self, Address, LoadOrder, LoadOutcome, LoadShape, PlannedRequest};
use crate::plan::{RequestRate, Service, ServiceRequest};
use crate::process::{self, clean_env};
use crate::scratch::Scratch;

use super::ServiceError;

/// The program's name, beside this one.
const NAME: &str = "perfcheck-load";

/// How long a request may take before it counts as failed.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How one side is loaded for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceOrder {
    pub(super) shape: LoadShape,
    pub(super) seed: u64,
    /// How long requests are sent before they are counted.
    pub(super) warm_up: Duration,
    /// How long they are counted.
    pub(super) counted: Duration,
    /// How long a request may take before it counts as failed.
    pub(super) timeout: Duration,
    /// The length of the windows that tell how it went over time, if they are wanted.
    pub(super) window: Option<Duration>,
    /// How many connections there are, if not as many as the service asks for.
    pub(super) connections: Option<usize>,
}

impl SliceOrder {
    /// A load for so long, of which the first part is not counted in addition.
    pub(super) fn lasting(counted: Duration, shape: LoadShape, seed: u64) -> SliceOrder {
        SliceOrder {
            shape,
            seed,
            warm_up: counted.mul_f64(Service::DISCARDED),
            counted,
            timeout: TIMEOUT,
            window: None,
            connections: None,
        }
    }

    /// The order of this load.
    fn of(&self, order: LoadOrder) -> LoadOrder {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        LoadOrder {
            shape: self.shape,
            seed: self.seed,
            warm_up_ms: millis(self.warm_up),
            duration_ms: millis(self.counted).max(1),
            timeout_ms: millis(self.timeout).max(1),
            window_ms: self.window.map(|window| millis(window).max(1)),
            connections: self.connections.unwrap_or(order.connections),
            ..order
        }
    }
}

/// The load generator, and what it sends.
#[derive(Debug)]
pub(super) struct Generator {
    program: std::path::PathBuf,
    /// With the values of secrets: never written to a file or a report.
    order: LoadOrder,
    /// The variables that headers refer to, with their values; the longest value first.
    secrets: Vec<(String, String)>,
}

impl Generator {
    /// The generator beside `own_program`, with the requests of a service.
    ///
    /// # Errors
    /// It is not there, a header's variable is not set, or what is to be sent is no HTTP or too much.
    pub(super) fn of(service: &Service, own_program: &Path) -> Result<Generator, ServiceError> {
        let connections = service.connections;
        Generator::sending(service, &service.requests, connections, own_program)
    }

    /// The same with what its noisy neighbour sends; `None` where that sends nothing.
    ///
    /// # Errors
    /// As [`Generator::of`].
    pub(super) fn of_neighbour(
        service: &Service,
        own_program: &Path,
    ) -> Result<Option<Generator>, ServiceError> {
        let connections = service.settings.neighbour.connections;
        let requests = &service.neighbours;
        let generator = (!requests.is_empty())
            .then(|| Generator::sending(service, requests, connections, own_program));
        generator.transpose()
    }

    fn sending(
        service: &Service,
        requests: &[ServiceRequest],
        connections: usize,
        own_program: &Path,
    ) -> Result<Generator, ServiceError> {
        let program = own_program.with_file_name(NAME);
        if !program.is_file() {
            return Err(ServiceError::NoGenerator { path: program });
        }
        let requests = requests.iter().map(|one| planned(service, one));
        let shape = match service.rate {
            RequestRate::PerSecond(rate) => LoadShape::Open { rate },
            RequestRate::OfCapacity(_) => LoadShape::Closed,
        };
        let slice = SliceOrder::lasting(service.slice / Service::TURNS, shape, 0);
        let path = std::path::PathBuf::new();
        let order = slice.of(LoadOrder {
            address: Address::Unix { path },
            requests: requests.collect::<Result<_, _>>()?,
            seed: 0,
            shape,
            connections,
            warm_up_ms: 0,
            duration_ms: 1,
            most_requests: 1_000_000_000,
            timeout_ms: 1,
            window_ms: None,
        });
        let impossible = |source| ServiceError::Impossible {
            service: service.name.clone(),
            source,
        };
        load_generator::check(&order).map_err(impossible)?;
        Ok(Generator {
            program,
            order,
            secrets: secrets(service),
        })
    }

    /// The failure without the values of variables, which a service may write to its output.
    pub(super) fn without_secrets(&self, failure: Failure) -> Failure {
        Failure {
            side: failure.side,
            reason: hide(failure.reason, &self.secrets),
            stderr_tail: hide(failure.stderr_tail, &self.secrets),
        }
    }

    /// Loads what listens at `address`; a reason where that was not possible.
    pub(super) fn load(
        &self,
        address: &Address,
        slice: &SliceOrder,
        scratch: &Scratch,
    ) -> Result<LoadOutcome, String> {
        let order = slice.of(LoadOrder {
            address: address.clone(),
            ..self.order.clone()
        });
        let order = serde_json::to_vec(&order).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        clean_env(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ended = scratch.spawn(&mut command).and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                // Whatever ends it early, its status tells.
                let _ = stdin.write_all(&order);
            }
            child.wait_with_output()
        });
        let output = ended.map_err(|error| format!("the load generator did not start: {error}"))?;
        if !output.status.success() {
            let said = process::last_lines(&output.stderr);
            let said = said.trim_start_matches("error: ");
            return Err(match said.is_empty() {
                true => format!("the load generator was ended ({})", output.status),
                false => said.to_owned(),
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            format!("the load generator's answer is not what it should be: {error}")
        })
    }
}

/// The variables that the headers of a service refer to, with their values; the longest value first.
fn secrets(service: &Service) -> Vec<(String, String)> {
    let requests = service.requests.iter().chain(&service.neighbours);
    let headers = requests.flat_map(|one| one.headers.values());
    let names = headers.filter_map(|value| value.strip_prefix('$'));
    let values = names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    let mut secrets: Vec<_> = values.filter(|(_, value)| !value.is_empty()).collect();
    secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    secrets
}

/// The text with the names of variables instead of their values.
fn hide(text: String, secrets: &[(String, String)]) -> String {
    secrets.iter().fold(text, |text, (name, value)| {
        text.replace(value, &format!("${name}"))
    })
}

/// A request with the values of its headers' variables.
fn planned(service: &Service, request: &ServiceRequest) -> Result<PlannedRequest, ServiceError> {
    let headers = request.headers.iter().map(|(header, value)| {
        let value = match value.strip_prefix('$') {
            None => value.clone(),
            Some(variable) => std::env::var(variable).map_err(|_| ServiceError::NoVariable {
                service: service.name.clone(),
                header: header.clone(),
                variable: variable.to_owned(),
            })?,
        };
        Ok((header.clone(), value))
    });
    Ok(PlannedRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        headers: headers.collect::<Result<_, ServiceError>>()?,
        body: request.body.clone(),
        weight: request.weight,
        status: request.status,
        contains: request.contains.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_names_of_variables_instead_of_their_values() {
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let secrets = [of("LONG", "abcdef"), of("SHORT", "abc")];
        let said = "got `abcdef` and abc".to_owned();
        assert_eq!(hide(said, &secrets), "got `$LONG` and $SHORT");
    }
}
