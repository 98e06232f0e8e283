//! Why no load is generated.

use std::net::IpAddr;
use std::path::PathBuf;

/// Why no load is generated.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The order is not JSON, or lacks something.
    #[error("the order cannot be understood")]
    Unreadable(#[from] serde_json::Error),
    /// A number of the order is beyond what the generator does.
    #[error("the order asks for {asked}, {bound}")]
    OutOfBounds {
        /// What it asks for: `0 connections`.
        asked: String,
        /// What is possible: `at least 1`.
        bound: &'static str,
    },
    /// A request is no HTTP.
    #[error("the request `{request}` is not HTTP")]
    NotHttp {
        /// Method and path.
        request: String,
        /// What is wrong.
        source: hyper::http::Error,
    },
    /// The host has no address.
    #[error("the host `{host}` has no address")]
    NoAddress {
        /// The host.
        host: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The host is another machine, and nobody said that it may be loaded.
    #[error("the host `{host}` is not this machine ({address})")]
    ForeignHost {
        /// As it was typed.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// Nothing listens.
    #[error("nothing answers at {address}")]
    NothingThere {
        /// Where.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system refuses something that the generator needs.
    #[error("the generator cannot {what}")]
    System {
        /// What it cannot do.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the order cannot be read.
    #[error("the order cannot be read from {path}")]
    NoOrder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl LoadError {
    /// What the user can try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            LoadError::ForeignHost { host, .. } => Some(format!(
                "if the machine is yours to load: `--i-may-load {host}`"
            )),
            LoadError::NothingThere { .. } => {
                Some("start the server first, and check its port".to_owned())
            }
            _ => None,
        }
    }
}
