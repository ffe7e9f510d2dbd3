//! Buffers that come back: a chunk that was sent gives its memory to a later one.
//!
//! Uploading a full run passes 14 GB through a quarter of a megabyte at a time. Memory that is asked of the system for each of them
//! and given back must be cleared by it each time, which took longer than writing the requests.

use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;

#[derive(Debug)]
pub struct Buffers {
    bytes: usize,
    back: Sender<String>,
    returned: Receiver<String>,
}

impl Buffers {
    /// Buffers with room for this many bytes, and more where they are made to hold more.
    pub fn new(bytes: usize) -> Self {
        let (back, returned) = channel();
        Self { bytes, back, returned }
    }

    /// An empty buffer: one that came back, or a new one.
    pub fn take(&self) -> String {
        self.returned.try_recv().unwrap_or_else(|_| String::with_capacity(self.bytes))
    }

    /// A full buffer as bytes. It comes back when the last who holds them lets go.
    pub fn lend(&self, text: String) -> Bytes {
        Bytes::from_owner(Lent { text, back: self.back.clone() })
    }
}

struct Lent {
    text: String,
    back: Sender<String>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Whoever rendered is done and gone: then the memory goes too.
        let _not_wanted_any_more = self.back.send(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_when_its_bytes_are_let_go() {
        let buffers = Buffers::new(100);
        let mut text = buffers.take();
        text.push_str("one");
        let place = text.as_ptr();
        let bytes = buffers.lend(text);
        let again = bytes.clone();
        drop(bytes);
        let other = buffers.take();
        assert_ne!(other.as_ptr(), place, "it is still held");
        assert_eq!(&again[..], b"one");
        drop(again);
        let text = buffers.take();
        assert_eq!((text.as_ptr(), text.as_str()), (place, ""));
        let last = buffers.lend(text);
        drop(buffers);
        assert_eq!(&last[..], b"");
    }
}
