//! Reads a result file line by line: whole, or the lines that begin within a part of it, so that parts are read side by side.
//!
//! Lines are read where they lie in one buffer, which grows only for a line that does not fit.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use crate::limits::LINE_BYTES_MAX;
use crate::lines::layout::{Layouts, QuickLine};
use crate::lines::{LineProblem, Outcome, ResultLine, parse_line};

/// A line that holds something, with where it stands.
#[derive(Debug)]
pub struct NumberedLine<'a> {
    /// Counts from 1 where reading began; blank lines count too.
    pub number: u64,
    pub content: Result<ResultLine<'a>, LineProblem>,
}

/// A line as [`ResultReader::next_with`] gives it.
#[derive(Debug)]
pub enum Line<'a, T> {
    /// Read by the layout of an earlier line.
    Quick(QuickLine<'a, T>),
    Whole(NumberedLine<'a>),
}

/// Reads the lines of a file. Blank lines are passed over, CRLF and a missing last newline are fine, and a line
/// that says nothing is an item like any other.
#[derive(Debug)]
pub struct ResultReader<R> {
    input: R,
    buffer: Vec<u8>,
    /// What was read and not yet passed on.
    held: Range<usize>,
    /// Place in the file of the first byte that is held.
    offset: u64,
    /// Lines that begin here or later are another reader's.
    until: u64,
    is_first_line_ours: bool,
    number: u64,
    line_bytes_max: usize,
    layouts: Layouts,
}

/// Bytes asked for at a time: few enough for the processor's own cache, enough that the asking does not show.
const BUFFER_BYTES: usize = 128 * 1024;

/// A line in the buffer.
struct RawLine {
    span: Range<usize>,
    fits: bool,
}

impl ResultReader<File> {
    /// Reads the lines of a file that begin within this range of its bytes.
    pub fn within(mut file: File, range: Range<u64>) -> io::Result<Self> {
        // From the byte before on, because a newline there means that a line begins in time.
        let from = range.start.saturating_sub(1);
        file.seek(SeekFrom::Start(from))?;
        let reader = ResultReader::new(file);
        Ok(ResultReader { offset: from, until: range.end, is_first_line_ours: range.start == 0, ..reader })
    }
}

impl<R: Read> ResultReader<R> {
    pub fn new(input: R) -> Self {
        Self::with_line_bytes_max(input, LINE_BYTES_MAX)
    }

    /// A longer line is read past without being kept.
    pub fn with_line_bytes_max(input: R, line_bytes_max: usize) -> Self {
        ResultReader {
            input,
            buffer: Vec::new(),
            held: 0..0,
            offset: 0,
            until: u64::MAX,
            is_first_line_ours: true,
            number: 0,
            line_bytes_max,
            layouts: Layouts::default(),
        }
    }

    /// The next line that is not blank; nothing at the end. An error is one of the file, not of a line.
    pub fn next_line(&mut self) -> io::Result<Option<NumberedLine<'_>>> {
        let Some(line) = self.next_held()? else { return Ok(None) };
        let content = self.parse(&line);
        Ok(Some(NumberedLine { number: self.number, content }))
    }

    /// As [`ResultReader::next_line`], with the lines that look like earlier ones read the quick way.
    ///
    /// `answer` reads the text of an answer where it stands in the line: still escaped, up to a quotation mark that it must not
    /// pass. It gives what it read and how many bytes that took, or nothing when it is not sure: then the line comes whole.
    pub fn next_with<'a, T>(
        &'a mut self,
        answer: impl FnMut(&'a [u8]) -> Option<(T, usize)>,
    ) -> io::Result<Option<Line<'a, T>>> {
        let Some(line) = self.next_held()? else { return Ok(None) };
        if line.fits {
            let bytes = self.buffer[line.span.clone()].trim_ascii();
            if let Some(quick) = self.layouts.read(bytes, answer) {
                return Ok(Some(Line::Quick(quick)));
            }
        }
        let content = parse_held(&self.buffer, &line, self.line_bytes_max);
        if let Ok(ResultLine { outcome: Outcome::Ok(_), .. }) = &content {
            self.layouts.learn(self.buffer[line.span].trim_ascii());
        }
        Ok(Some(Line::Whole(NumberedLine { number: self.number, content })))
    }

    fn parse(&self, line: &RawLine) -> Result<ResultLine<'_>, LineProblem> {
        parse_held(&self.buffer, line, self.line_bytes_max)
    }

    /// The next line of ours that is not blank.
    fn next_held(&mut self) -> io::Result<Option<RawLine>> {
        if !std::mem::replace(&mut self.is_first_line_ours, true) {
            self.next_raw(0)?;
            self.number = 0;
        }
        loop {
            if self.offset >= self.until {
                return Ok(None);
            }
            let is_start = self.offset == 0;
            let Some(mut line) = self.next_raw(self.line_bytes_max)? else { return Ok(None) };
            // Some editors and servers begin a file with a byte order mark.
            if is_start && self.buffer[line.span.clone()].starts_with(b"\xef\xbb\xbf") {
                line.span.start += 3;
            }
            if !(line.fits && self.buffer[line.span.clone()].trim_ascii().is_empty()) {
                return Ok(Some(line));
            }
        }
    }

    /// Reads up to and past the next newline. Nothing at the end of the file.
    fn next_raw(&mut self, line_bytes_max: usize) -> io::Result<Option<RawLine>> {
        // Of what is held: how much was searched. Of the line: how much was dropped, and whether it may still be kept.
        let (mut searched, mut dropped, mut fits) = (0, 0_u64, true);
        loop {
            let held = &self.buffer[self.held.clone()];
            let newline = memchr::memchr(b'\n', &held[searched..]).map(|at| searched + at);
            let length = newline.unwrap_or(held.len());
            fits &= length <= line_bytes_max;
            if newline.is_some() {
                return Ok(Some(self.pass(length, 1, dropped, fits)));
            }
            if fits {
                searched = length;
            } else {
                dropped += length as u64;
                self.held = 0..0;
                searched = 0;
            }
            if !self.fill()? {
                let length = self.held.len();
                return Ok((length > 0 || dropped > 0).then(|| self.pass(length, 0, dropped, fits)));
            }
        }
    }

    fn pass(&mut self, length: usize, newline: usize, dropped: u64, fits: bool) -> RawLine {
        let span = self.held.start..self.held.start + length;
        self.held.start += length + newline;
        self.offset += dropped + (length + newline) as u64;
        self.number += 1;
        RawLine { span, fits }
    }

    /// Reads more behind what is held; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.held.start > 0 {
            self.buffer.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
        }
        if self.held.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(BUFFER_BYTES), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.held.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.held.end += read;
                    return Ok(read > 0);
                }
            }
        }
    }
}

fn parse_held<'a>(buffer: &'a [u8], line: &RawLine, bytes_max: usize) -> Result<ResultLine<'a>, LineProblem> {
    if line.fits { parse_line(buffer[line.span.clone()].trim_ascii()) } else { Err(LineProblem::TooLong { bytes_max }) }
}
