//! The socket through which perfcheck talks to Criterion's processes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::super::conversation::{Conversation, GLANCE, end_of, wait_readable, wait_until};
use super::super::{CriterionVersion, Ending, Message};
use super::handshake::{ANSWER_BYTES, GREETING, parse_answer};
use super::{FrameBuffer, encode};
use crate::process::Child;

/// One process's end of the protocol.
#[derive(Debug)]
pub(super) struct Connection {
    listener: TcpListener,
    stream: Option<TcpStream>,
    frames: FrameBuffer,
}

impl Connection {
    /// Listens on a port of its own.
    pub(super) fn listen() -> io::Result<Connection> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Connection {
            listener,
            stream: None,
            frames: FrameBuffer::default(),
        })
    }

    pub(super) fn own_port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Reads what has arrived, without waiting.
    fn receive(&mut self, child: &mut Child) -> Result<(), Ending> {
        let mut chunk = [0; 16 << 10];
        loop {
            let Some(stream) = &mut self.stream else {
                return Err(self.end(child));
            };
            match stream.read(&mut chunk) {
                Ok(0) => return Err(self.end(child)),
                Ok(count) => self.frames.push(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    acknowledge(stream);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(self.end(child));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a few bytes; the process reads them before it does anything else, so the socket's
    /// buffer always has room.
    fn send(&mut self, child: &mut Child, bytes: &[u8]) -> Result<(), Ending> {
        let Some(stream) = &mut self.stream else {
            return Err(self.end(child));
        };
        stream.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => self.end(child),
            _ => error.into(),
        })
    }

    /// How the process ended, now that its connection is closed.
    fn end(&mut self, child: &mut Child) -> Ending {
        self.stream = None;
        end_of(child)
    }
}

impl Conversation for Connection {
    fn connect(&mut self, child: &mut Child, timeout: Duration) -> Result<(), Ending> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    self.stream = Some(stream);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if child.try_wait()?.is_some() {
                return Err(self.end(child));
            }
            if Instant::now() >= deadline {
                return Err(Ending::Silent { waited: timeout });
            }
            wait_readable(&mut [PollFd::new(&self.listener, PollFlags::IN)], GLANCE)?;
        }
    }

    fn greet(
        &mut self,
        child: &mut Child,
        timeout: Duration,
    ) -> Result<Option<CriterionVersion>, Ending> {
        self.send(child, GREETING)?;
        let deadline = Instant::now() + timeout;
        loop {
            let received = self.receive(child);
            if let Some(answer) = self.frames.take(ANSWER_BYTES) {
                return Ok(Some(parse_answer(&answer)?));
            }
            received?;
            wait_until(self.descriptor(), deadline, timeout)?;
        }
    }

    fn proceed(&mut self, child: &mut Child) -> Result<(), Ending> {
        self.send(child, &encode(&"Continue")?)
    }

    fn format_value(&mut self, child: &mut Child, value: f64) -> Result<(), Ending> {
        #[derive(serde::Serialize)]
        enum Question {
            FormatValue { value: f64 },
        }
        self.send(child, &encode(&Question::FormatValue { value })?)
    }

    fn poll(&mut self, child: &mut Child) -> Result<Option<Message>, Ending> {
        if let Some(message) = self.frames.next_message()? {
            return Ok(Some(message));
        }
        let received = self.receive(child);
        // Messages that came before the end are handled first.
        match self.frames.next_message()? {
            Some(message) => Ok(Some(message)),
            None => received.map(|()| None),
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    fn port(&self) -> Option<u16> {
        self.own_port().ok()
    }

    fn last_lines(&self) -> String {
        String::new()
    }
}

/// Acknowledges at once what has been read. Criterion writes the length of a message on its own. The kernel then
/// holds the message back until the length is acknowledged (Nagle's algorithm), which the receiving kernel delays
/// by 40 ms: for each group of benchmarks, in each process.
fn acknowledge(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    // If this fails, messages only take longer. The kernel forgets the setting, so it is set each time.
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}
