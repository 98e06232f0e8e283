//! Which request comes next.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::http::{self, Request};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::transport::WholeBody;
use super::{LoadError, LoadOrder, PlannedRequest};

/// A request that is ready to be sent many times.
#[derive(Debug)]
pub(super) struct Prepared {
    request: Request<()>,
    body: Bytes,
    pub(super) planned: PlannedRequest,
}

/// The seeded sequence of requests.
#[derive(Debug)]
pub(super) struct Sequence {
    prepared: Vec<Arc<Prepared>>,
    weights: u64,
    random: ChaCha8Rng,
}

impl Sequence {
    /// The sequence of an order.
    ///
    /// # Errors
    /// A request is no HTTP.
    pub(super) fn of(order: &LoadOrder) -> Result<Sequence, LoadError> {
        let authority = order.address.authority();
        let prepared = order.requests.iter().map(|planned| {
            let prepared = Prepared::of(planned, &authority).map(Arc::new);
            prepared.map_err(|source| LoadError::NotHttp {
                request: planned.to_string(),
                source,
            })
        });
        Ok(Sequence {
            prepared: prepared.collect::<Result<_, _>>()?,
            weights: order.requests.iter().map(|r| u64::from(r.weight)).sum(),
            random: ChaCha8Rng::seed_from_u64(order.seed),
        })
    }

    /// The next request.
    pub(super) fn draw(&mut self) -> Arc<Prepared> {
        let mut at = self.random.random_range(0..self.weights);
        let drawn = self.prepared.iter().find(|one| {
            let weight = u64::from(one.planned.weight);
            let is_drawn = at < weight;
            at = at.saturating_sub(weight);
            is_drawn
        });
        // The weights add up to more than what was drawn, so there is one.
        Arc::clone(drawn.unwrap_or(&self.prepared[0]))
    }
}

impl Prepared {
    fn of(planned: &PlannedRequest, authority: &str) -> Result<Prepared, http::Error> {
        let mut request = Request::builder()
            .method(&*planned.method)
            .uri(&*planned.path);
        for (name, value) in &planned.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(())?;
        if !request.headers().contains_key(HOST) {
            let host = http::HeaderValue::from_str(authority)?;
            request.headers_mut().insert(HOST, host);
        }
        Ok(Prepared {
            request,
            body: Bytes::from(planned.body.clone()),
            planned: planned.clone(),
        })
    }

    /// One more of it.
    pub(super) fn request(&self) -> Request<WholeBody> {
        self.request
            .clone()
            .map(|()| WholeBody::of(self.body.clone()))
    }
}
