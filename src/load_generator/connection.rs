//! One connection: it sends a request, reads the whole answer, and checks it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use rustix::io::Errno;

use super::outcome::RequestErrorKind;
use super::sequence::Prepared;
use super::transport::{Destination, WholeBody};

/// As much of an answer's body is searched for what it must contain.
const SEARCHED: usize = 1 << 20;

/// Statuses by which a server refuses what is too much for it.
const TOO_MUCH: [u16; 2] = [429, 503];

/// A connection that is opened when it is needed, and opened again when the server has closed it.
#[derive(Debug)]
pub(super) struct LoadConnection {
    destination: Destination,
    sender: Option<SendRequest<WholeBody>>,
}

/// Why a request failed.
#[derive(Debug)]
pub(super) struct RequestFailure {
    pub(super) kind: RequestErrorKind,
    pub(super) words: String,
    /// What this machine refuses the generator, if it is that.
    pub(super) refused: Option<io::Error>,
}

impl RequestFailure {
    pub(super) fn new(kind: RequestErrorKind, words: impl ToString) -> RequestFailure {
        RequestFailure {
            kind,
            words: words.to_string(),
            refused: None,
        }
    }

    fn of(error: &hyper::Error) -> RequestFailure {
        let kind = match error.is_parse() {
            true => RequestErrorKind::Protocol,
            false => RequestErrorKind::Closed,
        };
        let source = std::error::Error::source(error);
        let words = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        RequestFailure::new(kind, words)
    }
}

impl LoadConnection {
    pub(super) fn to(destination: Destination) -> LoadConnection {
        LoadConnection {
            destination,
            sender: None,
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// Nothing was answered, or something else than was expected.
    pub(super) async fn exchange(&mut self, prepared: &Prepared) -> Result<(), RequestFailure> {
        let request = prepared.request();
        let answered = self.send(request).await;
        let mut answer = match answered {
            Ok(answer) => answer,
            Err(failure) => {
                self.sender = None;
                return Err(failure);
            }
        };
        let planned = &prepared.planned;
        let status = answer.status().as_u16();
        let wanted = planned.contains.as_deref();
        let body = read(answer.body_mut(), wanted.is_some()).await;
        let body = body.map_err(|error| {
            self.sender = None;
            RequestFailure::of(&error)
        })?;
        if status != planned.status {
            let words = format!("{planned}: status {status} instead of {}", planned.status);
            let kind = match TOO_MUCH.contains(&status) {
                true => RequestErrorKind::Refused,
                false => RequestErrorKind::Status,
            };
            return Err(RequestFailure::new(kind, words));
        }
        match wanted {
            Some(wanted) if !contains(&body, wanted.as_bytes()) => {
                let words = format!("{planned}: the body does not contain `{wanted}`");
                Err(RequestFailure::new(RequestErrorKind::Body, words))
            }
            _ => Ok(()),
        }
    }

    /// What is left of an exchange that was given up is not to be read as the answer to the next one.
    pub(super) fn abandon(&mut self) {
        self.sender = None;
    }

    async fn send(
        &mut self,
        request: Request<WholeBody>,
    ) -> Result<Response<Incoming>, RequestFailure> {
        let mut sender = match self.sender.take() {
            Some(sender) => match still_open(sender).await {
                Some(sender) => sender,
                None => self.open().await?,
            },
            None => self.open().await?,
        };
        let sent = sender.send_request(request).await;
        self.sender = Some(sender);
        sent.map_err(|error| RequestFailure::of(&error))
    }

    async fn open(&self) -> Result<SendRequest<WholeBody>, RequestFailure> {
        let stream = self.destination.connect().await;
        let stream = stream.map_err(|error| {
            let failure = RequestFailure::new(RequestErrorKind::Connect, &error);
            let refused = is_of_generator(&error).then_some(error);
            RequestFailure { refused, ..failure }
        })?;
        let opened = http1::handshake(stream).await;
        let (sender, driver) = opened.map_err(|error| RequestFailure::of(&error))?;
        // It ends with the connection, whose error the exchange reports.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(sender)
    }
}

/// Whether the generator lacks what a connection needs, descriptors or ports, whatever the server does.
fn is_of_generator(error: &io::Error) -> bool {
    let of_generator = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL];
    Errno::from_io_error(error).is_some_and(|number| of_generator.contains(&number))
}

/// The connection, unless the server has closed it.
async fn still_open(mut sender: SendRequest<WholeBody>) -> Option<SendRequest<WholeBody>> {
    sender.ready().await.ok().map(|()| sender)
}

/// Reads a body to its end; keeps its beginning if it is `wanted`.
async fn read(body: &mut Incoming, wanted: bool) -> Result<Vec<u8>, hyper::Error> {
    let mut kept = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame?;
        if let Some(data) = frame.data_ref().filter(|_| wanted)
            && kept.len() < SEARCHED
        {
            kept.extend_from_slice(data);
        }
    }
    Ok(kept)
}

fn contains(body: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || body.windows(wanted.len()).any(|part| part == wanted)
}
