//! Loading one side: the order for the generator, and its process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::load_generator::{Address, LoadOrder, LoadOutcome, LoadShape, PlannedRequest};
use crate::plan::{Service, ServiceRequest};
use crate::process::{self, clean_env};
use crate::scratch::Scratch;

use super::ServiceError;

/// The program's name, beside this one.
const NAME: &str = "perfcheck-load";

/// How long a request may take before it counts as failed.
const TIMEOUT_MS: u64 = 10_000;

/// The load generator, and what it sends.
#[derive(Debug)]
pub(super) struct Generator {
    program: std::path::PathBuf,
    /// With the values of secrets: never written to a file or a report.
    order: LoadOrder,
}

impl Generator {
    /// The generator beside `own_program`, with the requests of a service.
    ///
    /// # Errors
    /// It is not there, or a header's variable is not set.
    pub(super) fn of(service: &Service, own_program: &Path) -> Result<Generator, ServiceError> {
        let program = own_program.with_file_name(NAME);
        if !program.is_file() {
            return Err(ServiceError::NoGenerator { path: program });
        }
        let requests = service.requests.iter().map(|one| planned(service, one));
        let slice = (service.slice / Service::TURNS).as_millis();
        let slice = u64::try_from(slice).unwrap_or(u64::MAX).max(1);
        let path = std::path::PathBuf::new();
        Ok(Generator {
            program,
            order: LoadOrder {
                address: Address::Unix { path },
                requests: requests.collect::<Result<_, _>>()?,
                seed: 0,
                shape: LoadShape::Closed,
                connections: service.connections,
                warm_up_ms: (slice as f64 * Service::DISCARDED) as u64,
                duration_ms: slice,
                most_requests: 1_000_000_000,
                timeout_ms: TIMEOUT_MS,
            },
        })
    }

    /// Loads what listens at `address`; a reason where that was not possible.
    pub(super) fn load(
        &self,
        address: &Address,
        shape: LoadShape,
        seed: u64,
        scratch: &Scratch,
    ) -> Result<LoadOutcome, String> {
        let order = LoadOrder {
            address: address.clone(),
            shape,
            seed,
            ..self.order.clone()
        };
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
