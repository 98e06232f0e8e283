//! Frames: a length as a big-endian `u32`, then that many bytes of CBOR.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ProtocolError;

/// The longest frame that is accepted. A `MeasurementComplete` has at most 18 bytes per sample, so
/// this is enough for three million samples; a longer frame means a broken stream.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

const LENGTH_BYTES: usize = 4;

/// Collects bytes as they come and returns them as messages.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
}

impl FrameBuffer {
    /// Adds what was received.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the frame is longer than [`MAX_FRAME_BYTES`] or does not hold a `T`.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ProtocolError> {
        let Some(prefix) = self.bytes.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(ProtocolError::FrameTooLong {
                bytes: length,
                limit: MAX_FRAME_BYTES,
            });
        }
        let end = LENGTH_BYTES + length;
        let Some(frame) = self.bytes.get(LENGTH_BYTES..end) else {
            return Ok(None);
        };
        let message = ciborium::from_reader(frame).map_err(|error| ProtocolError::Malformed {
            reason: error.to_string(),
        })?;
        self.bytes.drain(..end);
        Ok(Some(message))
    }

    /// Takes `count` raw bytes from the front, if so many are there: the handshake has no frames.
    pub(super) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        (self.bytes.len() >= count).then(|| self.bytes.drain(..count).collect())
    }
}

/// One frame that holds `message`.
///
/// # Errors
/// When `message` has no CBOR form, or one that is too long.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, ProtocolError> {
    let mut frame = vec![0; LENGTH_BYTES];
    ciborium::into_writer(message, &mut frame).map_err(|error| ProtocolError::Malformed {
        reason: error.to_string(),
    })?;
    let length = frame.len() - LENGTH_BYTES;
    let prefix = u32::try_from(length).map_err(|_| ProtocolError::FrameTooLong {
        bytes: length,
        limit: MAX_FRAME_BYTES,
    })?;
    frame[..LENGTH_BYTES].copy_from_slice(&prefix.to_be_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_whatever_the_pieces_it_arrives_in() {
        let frame = encode(&"Continue").unwrap();
        assert_eq!(frame, b"\0\0\0\x09\x68Continue");
        let mut buffer = FrameBuffer::default();
        for byte in &frame[..frame.len() - 1] {
            buffer.push(&[*byte]);
            assert_eq!(buffer.next_message::<String>().unwrap(), None);
        }
        buffer.push(&frame[frame.len() - 1..]);
        buffer.push(&frame);
        assert_eq!(
            buffer.next_message::<String>().unwrap().as_deref(),
            Some("Continue")
        );
        assert_eq!(
            buffer.next_message::<String>().unwrap().as_deref(),
            Some("Continue")
        );
        assert_eq!(buffer.next_message::<String>().unwrap(), None);
    }

    #[test]
    fn an_absurd_length_is_refused_before_anything_is_allocated() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&[0xff, 0xff, 0xff, 0xff, 0]);
        let error = buffer.next_message::<String>().unwrap_err();
        assert!(matches!(error, ProtocolError::FrameTooLong { bytes, .. } if bytes == 0xffff_ffff));
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error_and_not_a_panic() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&[0, 0, 0, 2, 0xff, 0xff]);
        assert!(matches!(
            buffer.next_message::<String>(),
            Err(ProtocolError::Malformed { .. })
        ));
    }
}
