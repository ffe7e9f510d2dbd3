//! Reads a result file line by line, with one buffer for all of them.

use std::io::{self, BufRead};

use crate::limits::LINE_BYTES_MAX;
use crate::lines::{LineProblem, ResultLine, parse_line};

/// A line that holds something, with where it stands.
#[derive(Debug)]
pub struct NumberedLine<'a> {
    /// Counts from 1; blank lines count too.
    pub number: u64,
    pub content: Result<ResultLine<'a>, LineProblem>,
}

/// Reads the lines of a file. Blank lines are passed over, CRLF and a missing last newline are fine, and a line
/// that says nothing is an item like any other.
#[derive(Debug)]
pub struct ResultReader<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    line_bytes_max: usize,
}

impl<R: BufRead> ResultReader<R> {
    pub fn new(input: R) -> Self {
        Self::with_line_bytes_max(input, LINE_BYTES_MAX)
    }

    /// A longer line is read past without being kept.
    pub fn with_line_bytes_max(input: R, line_bytes_max: usize) -> Self {
        ResultReader { input, line: Vec::new(), number: 0, line_bytes_max }
    }

    /// The next line that is not blank; nothing at the end. An error is one of the file, not of a line.
    pub fn next_line(&mut self) -> io::Result<Option<NumberedLine<'_>>> {
        let fits = loop {
            match self.read_raw()? {
                None => return Ok(None),
                Some(true) if self.line.trim_ascii().is_empty() => {}
                Some(fits) => break fits,
            }
        };
        let content = if fits {
            parse_line(self.line.trim_ascii())
        } else {
            Err(LineProblem::TooLong { bytes_max: self.line_bytes_max })
        };
        Ok(Some(NumberedLine { number: self.number, content }))
    }

    /// Reads up to and past the next newline. Says whether the line fits; nothing at the end of the file.
    fn read_raw(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let (mut fits, mut is_end) = (true, true);
        loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                break;
            }
            is_end = false;
            let newline = memchr::memchr(b'\n', available);
            let text = &available[..newline.unwrap_or(available.len())];
            fits &= self.line.len() + text.len() <= self.line_bytes_max;
            if fits {
                self.line.extend_from_slice(text);
            }
            let used = newline.map_or(available.len(), |at| at + 1);
            self.input.consume(used);
            if newline.is_some() {
                break;
            }
        }
        if is_end {
            return Ok(None);
        }
        self.number += 1;
        // Some editors and servers begin a file with a byte order mark.
        if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(Some(fits))
    }
}
