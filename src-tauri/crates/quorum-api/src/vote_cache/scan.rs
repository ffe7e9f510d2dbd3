//! A JSON object read member by member from a stream, in memory that does not grow with the file.
//!
//! Finds where each member ends without understanding what is inside; the caller reads a member's text as JSON. So a member
//! that is damaged costs that member, and a file that ends early costs what stands after its last whole member.

use std::io::{self, BufRead};

/// What stands next in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A key was read; its value follows.
    Key,
    /// Something that is no key was passed over.
    Damaged,
    /// The object is closed.
    End,
    /// The file ends within the object.
    Cut,
}

/// How a value ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Whole,
    /// Longer than the caller keeps; passed over.
    TooLong,
    /// There is no value: a comma or closing brace stands in its place, or no colon in front of it.
    Missing,
    /// The file ends within it.
    Cut,
}

pub struct Scanner<R> {
    input: R,
    /// Bytes taken so far.
    position: u64,
}

impl<R: BufRead> Scanner<R> {
    pub fn new(input: R) -> Self {
        Self { input, position: 0 }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next byte, without taking it.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn take(&mut self) {
        self.input.consume(1);
        self.position += 1;
    }

    /// The next byte that is no white space, without taking it.
    pub fn peek_visible(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.take();
        }
        Ok(None)
    }

    /// Reads up to the next key of an object whose brace was taken. The key stands in `key` with its quotes.
    pub fn next_key(&mut self, key: &mut Vec<u8>) -> io::Result<Next> {
        key.clear();
        loop {
            match self.peek_visible()? {
                None => return Ok(Next::Cut),
                Some(b',') => self.take(),
                Some(b'}') => {
                    self.take();
                    return Ok(Next::End);
                }
                Some(b'"') => {
                    return Ok(match self.value(key, KEY_BYTES_MAX)? {
                        Value::Whole => Next::Key,
                        Value::TooLong | Value::Missing => Next::Damaged,
                        Value::Cut => Next::Cut,
                    });
                }
                Some(_) => {
                    self.skip_damage()?;
                    return Ok(Next::Damaged);
                }
            }
        }
    }

    /// Takes bytes up to the next that can start or end a member.
    fn skip_damage(&mut self) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            if matches!(byte, b'"' | b'}') {
                break;
            }
            self.take();
        }
        Ok(())
    }

    /// Takes the colon between a key and its value; false: there is none.
    pub fn colon(&mut self) -> io::Result<bool> {
        let is_colon = self.peek_visible()? == Some(b':');
        if is_colon {
            self.take();
        }
        Ok(is_colon)
    }

    /// Reads a key's value into `out`, at most `bytes_max` of it.
    pub fn member(&mut self, out: &mut Vec<u8>, bytes_max: usize) -> io::Result<Value> {
        out.clear();
        if !self.colon()? {
            return Ok(if self.peek()?.is_none() { Value::Cut } else { Value::Missing });
        }
        match self.peek_visible()? {
            None => Ok(Value::Cut),
            Some(b',' | b'}' | b']' | b':') => Ok(Value::Missing),
            Some(_) => self.value(out, bytes_max),
        }
    }

    /// Reads one value: a text, an object or list up to its end, or a bare word up to what follows it.
    fn value(&mut self, out: &mut Vec<u8>, bytes_max: usize) -> io::Result<Value> {
        let mut extent = Extent::default();
        let mut is_too_long = false;
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                return Ok(Value::Cut);
            }
            let (taken, is_done) = extent.advance(buffer);
            if out.len() + taken > bytes_max {
                is_too_long = true;
            }
            if !is_too_long {
                out.extend_from_slice(&buffer[..taken]);
            }
            self.input.consume(taken);
            self.position += taken as u64;
            if is_done {
                return Ok(if is_too_long { Value::TooLong } else { Value::Whole });
            }
        }
    }
}

/// Longest key that is kept; real ones have about 60 bytes.
const KEY_BYTES_MAX: usize = 64 * 1024;

/// Where a value ends.
#[derive(Default)]
struct Extent {
    has_started: bool,
    depth: u64,
    in_text: bool,
    is_escaped: bool,
    /// A number, `true`, `false` or `null`.
    is_word: bool,
}

impl Extent {
    /// How many of these bytes belong to the value, and whether it ends with them.
    fn advance(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.in_text {
                if self.is_escaped {
                    self.is_escaped = false;
                } else {
                    // Most bytes are inside texts; none but these two matter there.
                    match bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                        None => return (bytes.len(), false),
                        Some(skipped) => at += skipped,
                    }
                    match bytes[at] {
                        b'\\' => self.is_escaped = true,
                        _ => self.in_text = false,
                    }
                }
            } else if self.is_word {
                if matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace() {
                    return (at, true);
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ if !self.has_started => self.is_word = true,
                    _ => {}
                }
                self.has_started = true;
            }
            at += 1;
            if self.depth == 0 && !self.in_text && !self.is_word {
                return (at, true);
            }
        }
        (at, false)
    }
}
