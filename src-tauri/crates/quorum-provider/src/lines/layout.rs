//! Reading a line by the layout of an earlier one.
//!
//! The lines of a result file differ in a few values and in nothing else. A [`Layout`] is one line that was read the long
//! way ([`super::parse_line`]) and cut up: bytes that must stand again as they did, and holes for the values. A later line
//! is then compared and not parsed, six times as fast. Everything that decides what became of a request is either compared
//! byte for byte (`finish_reason`, `refusal`, every `error`) or read (`status_code`, `content`, `usage`, `custom_id`).
//!
//! A layout never judges: a line that differs in the least, a character beyond ASCII or an escape in a hole is "not by this
//! layout", and the line is read the long way. So both ways give the same; a property test holds them against each other.

use crate::wire::Usage;

/// An answered request, read by a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuickLine<'a, T> {
    pub custom_id: &'a str,
    pub usage: Option<Usage>,
    /// What the caller read in the answer's text.
    pub answer: T,
}

/// The layouts that were met last, the latest in front.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    known: Vec<Layout>,
    learned: u32,
}

/// Layouts that are tried on a line before it is read the long way.
const LAYOUTS_MAX: usize = 4;

/// Layouts that are learned in all: lines that all differ are not worth the trouble.
const LEARNED_MAX: u32 = 256;

impl Layouts {
    /// `answer` reads the text of the answer, which is still escaped as it stands in the line and goes on behind its end. It
    /// gives what it read and how many bytes that took, or nothing when it is not sure.
    pub(super) fn read<'a, T>(
        &mut self,
        line: &'a [u8],
        mut answer: impl FnMut(&'a [u8]) -> Option<(T, usize)>,
    ) -> Option<QuickLine<'a, T>> {
        let (at, quick) =
            self.known.iter().enumerate().find_map(|(at, layout)| Some((at, layout.read(line, &mut answer)?)))?;
        self.known[..=at].rotate_right(1);
        Some(quick)
    }

    /// Keeps the layout of a line that holds an answer, by the judgement of the long way.
    pub(super) fn learn(&mut self, line: &[u8]) {
        if self.learned == LEARNED_MAX {
            return;
        }
        self.learned += 1;
        if let Some(layout) = Layout::of(line) {
            self.known.truncate(LAYOUTS_MAX - 1);
            self.known.insert(0, layout);
        }
    }
}

#[derive(Debug)]
struct Layout {
    line: Vec<u8>,
    /// In order: the end of the bytes that must stand before the hole, then what the hole holds and where it ends.
    holes: Vec<(usize, Hole, usize)>,
    has_usage: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    /// Any plain text or count that decides nothing.
    Text,
    Number,
    CustomId,
    /// Of 2xx.
    Status,
    Content,
    Tokens(Tokens),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tokens {
    Input,
    Cached,
    Output,
    Reasoning,
}

impl Layout {
    fn of(line: &[u8]) -> Option<Self> {
        let mut cutter = Cutter { line, at: 0, holes: Vec::new(), has_usage: false, details: [false; 2] };
        cutter.value(Place::Line)?;
        let times = |wanted| cutter.holes.iter().filter(|(_, hole, _)| *hole == wanted).count();
        let is_whole = cutter.at == line.len()
            && [Hole::CustomId, Hole::Status, Hole::Content].into_iter().all(|hole| times(hole) == 1)
            && [Tokens::Input, Tokens::Cached, Tokens::Output, Tokens::Reasoning]
                .into_iter()
                .all(|tokens| times(Hole::Tokens(tokens)) <= 1);
        is_whole.then(|| Self { line: line.to_owned(), holes: cutter.holes, has_usage: cutter.has_usage })
    }

    fn read<'a, T>(
        &self,
        line: &'a [u8],
        answer: &mut impl FnMut(&'a [u8]) -> Option<(T, usize)>,
    ) -> Option<QuickLine<'a, T>> {
        let (mut rest, mut from) = (line, 0);
        let (mut custom_id, mut read, mut usage) = (None, None, Usage::default());
        for (until, hole, to) in &self.holes {
            rest = rest.strip_prefix(&self.line[from..*until])?;
            from = *to;
            let taken = match hole {
                Hole::Text => plain_len(rest)?,
                Hole::Number => digits(rest)?.1,
                Hole::Status => {
                    let (status, taken) = digits(rest)?;
                    (200..300).contains(&status).then_some(taken)?
                }
                Hole::Tokens(tokens) => {
                    let (count, taken) = digits(rest)?;
                    *match tokens {
                        Tokens::Input => &mut usage.input,
                        Tokens::Cached => &mut usage.cached,
                        Tokens::Output => &mut usage.output,
                        Tokens::Reasoning => &mut usage.reasoning,
                    } = count;
                    taken
                }
                Hole::CustomId => {
                    let taken = plain_len(rest).filter(|taken| *taken > 0)?;
                    custom_id = Some(str::from_utf8(&rest[..taken]).ok()?);
                    taken
                }
                Hole::Content => {
                    let (answer, taken) = answer(rest)?;
                    read = Some(answer);
                    taken
                }
            };
            rest = rest.get(taken..)?;
        }
        (rest == &self.line[from..]).then_some(())?;
        Some(QuickLine { custom_id: custom_id?, usage: self.has_usage.then_some(usage), answer: read? })
    }
}

/// How long the text is that ends at the next quotation mark; nothing if it holds an escape, a control character or one
/// beyond ASCII, or does not end.
fn plain_len(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        // The lowest byte that is found is right; a borrow can only make up ones above it.
        let below = |limit: u64| word.wrapping_sub(ONES * limit) & !word;
        let equals = |byte: u8| {
            let differs = word ^ (ONES * u64::from(byte));
            differs.wrapping_sub(ONES) & !differs
        };
        let found = (below(0x20) | equals(b'"') | equals(b'\\') | word) & HIGH;
        if found != 0 {
            at += found.trailing_zeros() as usize / 8;
            return (bytes[at] == b'"').then_some(at);
        }
        at += 8;
    }
    let end = bytes[at..].iter().position(|byte| !(0x20..0x80).contains(byte) || matches!(byte, b'"' | b'\\'))?;
    (bytes[at + end] == b'"').then_some(at + end)
}

/// A count as JSON has it, and its length. Longer ones than 18 digits, signs and fractions are left to the long way.
fn digits(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    let mut len = 0;
    while let Some(digit) = bytes.get(len).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        number = number * 10 + u64::from(digit);
        len += 1;
        if len > 18 {
            return None;
        }
    }
    (len > 0 && (len == 1 || bytes[0] != b'0')).then_some((number, len))
}

/// Where in a line a value stands, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Line,
    CustomId,
    Response,
    Status,
    Body,
    Choices,
    Choice,
    Message,
    Content,
    Usage,
    Details {
        of_output: bool,
    },
    Tokens(Tokens),
    /// Decides something: compared byte for byte, with all that is in it.
    Pinned,
    /// Decides nothing.
    Other,
}

impl Place {
    /// Where the member of this name stands.
    fn member(self, key: &[u8]) -> Self {
        match (self, key) {
            (Self::Line, b"custom_id") => Self::CustomId,
            (Self::Line, b"response") => Self::Response,
            (Self::Response, b"status_code") => Self::Status,
            (Self::Response, b"body") => Self::Body,
            (Self::Body, b"choices") => Self::Choices,
            (Self::Body, b"usage") => Self::Usage,
            (Self::Choice, b"message") => Self::Message,
            (Self::Message, b"content") => Self::Content,
            (Self::Usage, b"prompt_tokens" | b"input_tokens") => Self::Tokens(Tokens::Input),
            (Self::Usage, b"completion_tokens" | b"output_tokens") => Self::Tokens(Tokens::Output),
            (Self::Usage, b"prompt_tokens_details" | b"input_tokens_details") => Self::Details { of_output: false },
            (Self::Usage, b"completion_tokens_details" | b"output_tokens_details") => Self::Details { of_output: true },
            (Self::Details { of_output: false }, b"cached_tokens") => Self::Tokens(Tokens::Cached),
            (Self::Details { of_output: true }, b"reasoning_tokens") => Self::Tokens(Tokens::Reasoning),
            (Self::Pinned, _)
            | (Self::Line | Self::Body, b"error")
            | (Self::Choice, b"finish_reason")
            | (Self::Message, b"refusal") => Self::Pinned,
            _ => Self::Other,
        }
    }
}

/// Cuts up a line that is known to be JSON. Gives up (`None`) on whatever would need thought.
struct Cutter<'a> {
    line: &'a [u8],
    at: usize,
    holes: Vec<(usize, Hole, usize)>,
    has_usage: bool,
    /// Objects with details of the input and of the output; the long way reads the first of two spellings.
    details: [bool; 2],
}

impl Cutter<'_> {
    fn value(&mut self, place: Place) -> Option<()> {
        match self.next_byte()? {
            b'{' => self.object(place),
            b'[' => self.array(place),
            b'"' => self.text(place),
            b'-' | b'0'..=b'9' => self.number(place),
            _ => {
                self.skip(|byte| byte.is_ascii_lowercase());
                // `null` for a count is none; where an answer must be, the long way found none.
                (!matches!(place, Place::CustomId | Place::Status | Place::Content)).then_some(())
            }
        }
    }

    fn object(&mut self, place: Place) -> Option<()> {
        match place {
            Place::CustomId | Place::Status | Place::Content | Place::Tokens(_) => return None,
            Place::Usage => self.has_usage = true,
            Place::Details { of_output } if std::mem::replace(&mut self.details[usize::from(of_output)], true) => {
                return None;
            }
            _ => {}
        }
        self.at += 1;
        if self.next_byte()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            (self.next_byte()? == b'"').then_some(())?;
            let start = self.at + 1;
            let length = plain_len(&self.line[start..])?;
            self.at = start + length + 1;
            (self.next_byte()? == b':').then_some(())?;
            self.at += 1;
            self.value(place.member(&self.line[start..start + length]))?;
            let end = self.next_byte()?;
            self.at += 1;
            match end {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, place: Place) -> Option<()> {
        let (mut of_item, of_others) = match place {
            Place::Choices => (Place::Choice, Place::Other),
            Place::Pinned => (Place::Pinned, Place::Pinned),
            Place::Other => (Place::Other, Place::Other),
            // Elsewhere a list is odd, and says nothing or says it in another way.
            _ => return None,
        };
        self.at += 1;
        if self.next_byte()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(of_item)?;
            of_item = of_others;
            let end = self.next_byte()?;
            self.at += 1;
            match end {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn text(&mut self, place: Place) -> Option<()> {
        let start = self.at + 1;
        let end = start + self.text_len(start)?;
        self.at = end + 1;
        let is_plain = plain_len(&self.line[start..]).is_some_and(|len| start + len == end);
        let hole = match place {
            Place::CustomId if is_plain => Hole::CustomId,
            Place::Content => Hole::Content,
            Place::Other if is_plain => Hole::Text,
            Place::Other | Place::Pinned => return Some(()),
            // A body, a status or a count as text.
            _ => return None,
        };
        self.holes.push((start, hole, end));
        Some(())
    }

    /// Length of a text that may hold escapes.
    fn text_len(&self, start: usize) -> Option<usize> {
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.line.get(at..)?)?;
            if self.line[at] == b'"' {
                return Some(at - start);
            }
            at += 2;
        }
    }

    fn number(&mut self, place: Place) -> Option<()> {
        let start = self.at;
        let is_count = digits(&self.line[start..]);
        self.skip(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
        let is_count = is_count.is_some_and(|(_, len)| start + len == self.at);
        let hole = match place {
            Place::Status if is_count => Hole::Status,
            Place::Tokens(tokens) if is_count => Hole::Tokens(tokens),
            Place::Other if is_count => Hole::Number,
            Place::Other | Place::Pinned => return Some(()),
            _ => return None,
        };
        self.holes.push((start, hole, self.at));
        Some(())
    }

    /// The next byte that is not blank; it is not passed.
    fn next_byte(&mut self) -> Option<u8> {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.line.get(self.at).copied()
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.line.get(self.at).is_some_and(|byte| skipped(*byte)) {
            self.at += 1;
        }
    }
}
