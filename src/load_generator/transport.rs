//! Sockets and bodies, as `hyper` wants them.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, LoadError};

/// How much is read at once.
const CHUNK: usize = 8 << 10;

/// Where a connection leads, resolved once.
#[derive(Debug, Clone)]
pub(super) enum Destination {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Destination {
    /// Where `address` is. A host that is not this machine has to be in `allowed`.
    ///
    /// # Errors
    /// The host has no address, or is another machine that is not allowed.
    pub(super) fn of(address: &Address, allowed: &[String]) -> Result<Destination, LoadError> {
        let (host, port) = match address {
            Address::Unix { path } => return Ok(Destination::Unix(path.clone())),
            Address::Tcp { host, port } => (host, *port),
        };
        let none = |source| LoadError::NoAddress {
            host: host.clone(),
            source,
        };
        let mut found = (host.as_str(), port).to_socket_addrs().map_err(none)?;
        let empty = || none(io::ErrorKind::NotFound.into());
        let socket = found.next().ok_or_else(empty)?;
        if !is_this_machine(socket.ip()) && !allowed.contains(host) {
            return Err(LoadError::ForeignHost {
                host: host.clone(),
                address: socket.ip(),
            });
        }
        Ok(Destination::Tcp(socket))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn connect(&self) -> io::Result<LoadStream> {
        match self {
            Destination::Tcp(socket) => {
                let stream = TcpStream::connect(socket).await?;
                // A small request must not wait for the next one.
                stream.set_nodelay(true)?;
                Ok(LoadStream::Tcp(stream))
            }
            Destination::Unix(path) => Ok(LoadStream::Unix(UnixStream::connect(path).await?)),
        }
    }
}

fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A connection's bytes.
#[derive(Debug)]
pub(super) enum LoadStream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for LoadStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut chunk = [0; CHUNK];
        let room = into.remaining().min(CHUNK);
        let mut read = ReadBuf::new(&mut chunk[..room]);
        let polled = match self.get_mut() {
            LoadStream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut read),
            LoadStream::Unix(stream) => Pin::new(stream).poll_read(cx, &mut read),
        };
        ready!(polled)?;
        into.put_slice(read.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for LoadStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            LoadStream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            LoadStream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            LoadStream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            LoadStream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            LoadStream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            LoadStream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A request's body in one piece.
#[derive(Debug)]
pub(super) struct WholeBody(Option<Bytes>);

impl WholeBody {
    pub(super) fn of(bytes: Bytes) -> WholeBody {
        WholeBody(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
