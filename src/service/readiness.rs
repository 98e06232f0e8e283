//! Whether a service takes requests already.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::load_generator::Address;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(1);

/// A line longer than this is searched piece by piece.
const LONGEST_LINE: usize = 8 << 10;

/// A stream that says when a line of it contains a text, and is otherwise read by someone else.
#[derive(Debug)]
pub(super) struct WatchedOutput<R> {
    inner: R,
    wanted: Vec<u8>,
    line: Vec<u8>,
    seen: Sender<()>,
}

/// Watches a stream for `wanted`.
pub(super) fn watch<R: Read>(inner: R, wanted: &str, seen: &Sender<()>) -> WatchedOutput<R> {
    WatchedOutput {
        inner,
        wanted: wanted.as_bytes().to_vec(),
        line: Vec::new(),
        seen: seen.clone(),
    }
}

/// How the watched streams of one process say that they saw it.
pub(super) fn sightings() -> (Sender<()>, Receiver<()>) {
    channel()
}

impl<R: Read> Read for WatchedOutput<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        for byte in &into[..count] {
            if *byte == b'\n' || self.line.len() >= LONGEST_LINE {
                self.line.clear();
            } else {
                self.line.push(*byte);
                if self.line.ends_with(&self.wanted) {
                    // The receiver may no longer be waiting.
                    let _ = self.seen.send(());
                }
            }
        }
        Ok(count)
    }
}

/// Whether something accepts connections there.
pub(super) fn accepts(address: &Address) -> bool {
    match address {
        Address::Tcp { port, .. } => TcpStream::connect_timeout(&local(*port), ATTEMPT).is_ok(),
        Address::Unix { path } => open(path).is_ok(),
    }
}

/// Whether a path is answered with a status below 400.
pub(super) fn answers(address: &Address, path: &str) -> bool {
    let ask = |stream: io::Result<Box<dyn Conversant>>| -> io::Result<bool> {
        let mut stream = stream?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        // `HTTP/1.1 200`
        let is_good = |class: &u8| (b'1'..b'4').contains(class);
        Ok(head.starts_with(b"HTTP/1.") && head.get(9).is_some_and(is_good))
    };
    let asked = match address {
        Address::Tcp { port, .. } => ask(TcpStream::connect_timeout(&local(*port), ATTEMPT)
            .and_then(|stream| stream.set_read_timeout(Some(ATTEMPT)).map(|()| stream))
            .map(|stream| Box::new(stream) as _)),
        Address::Unix { path } => ask(open(path)
            .and_then(|stream| stream.set_read_timeout(Some(ATTEMPT)).map(|()| stream))
            .map(|stream| Box::new(stream) as _)),
    };
    asked.unwrap_or(false)
}

/// Connects to a Unix socket, without waiting for room among the connections that the service has not accepted yet.
fn open(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// A connection of either kind.
trait Conversant: Read + Write {}

impl<T: Read + Write> Conversant for T {}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_seen_in_whatever_pieces_it_comes_and_all_of_it_is_passed_on() {
        let (seen, sightings) = sightings();
        let text = "starting\nlistening on 127.0.0.1:80\n";
        let pieces = text.as_bytes()[..14].chain(&text.as_bytes()[14..]);
        let mut read = String::new();
        let mut output = watch(pieces, "listening on", &seen);
        output.read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        assert!(sightings.try_recv().is_ok());
        let mut other = watch(&b"listening\non\n"[..], "listening on", &seen);
        other.read_to_string(&mut read).unwrap();
        assert!(sightings.try_recv().is_err());
    }
}
