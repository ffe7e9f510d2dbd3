//! Datasets: businesses with their reviews in a fixed order, read from JSON Lines as a stream.
//!
//! A line that cannot be used is reported with its number and field and leaves the others alone. Unknown keys are never an error.
//! Not here: telling a review id that stands twice (quorum-store sees all ids when it numbers them).

use std::io::{self, BufRead};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::ids::{BusinessId, ReviewId};

#[derive(Clone, Debug, PartialEq)]
pub struct Business {
    pub id: BusinessId,
    pub name: String,
    /// As given, for example `American (New), Restaurants`; a list is joined with `, `.
    pub categories: String,
    pub reviews: Vec<Review>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    pub id: ReviewId,
    pub text: String,
    pub stars: Option<f32>,
    /// As given; the first ten characters are the calendar date when they read as one.
    pub date: Option<String>,
    pub useful: Option<u32>,
}

/// Why a line, or a review in it, was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Counted from 1.
    pub line: u64,
    /// `reviews[3].review_id`; `None` when the line as a whole is meant.
    pub field: Option<String>,
    pub message: String,
}

/// Longest line that is read; one business with 100,000 long reviews stays below it.
pub const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A file that cannot be a dataset at all.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("reading the dataset failed at line {line}")]
    Read { line: u64, source: io::Error },
    #[error("the file is UTF-16; save it as UTF-8 (it is JSON Lines: one business a line)")]
    Utf16,
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes; the file is not JSON Lines (one business a line)")]
    LineTooLong { line: u64 },
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The business, and what was left out of it.
    Business(Business, Vec<LineProblem>),
    Problem(LineProblem),
}

/// Reads a dataset line by line; memory is bounded by the longest line.
pub struct DatasetReader<R> {
    input: R,
    buffer: Vec<u8>,
    line: u64,
}

impl<R: BufRead> DatasetReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), line: 0 }
    }

    /// The number of the line read last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// What it reads from, for progress.
    pub fn input(&self) -> &R {
        &self.input
    }

    fn next_line(&mut self) -> Result<Option<Line>, DatasetError> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let line = self.line;
            let read = io::Read::take(&mut self.input, LINE_BYTES_MAX + 1)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| DatasetError::Read { line, source })?;
            if read == 0 {
                return Ok(None);
            }
            if self.buffer.len() as u64 > LINE_BYTES_MAX {
                return Err(DatasetError::LineTooLong { line });
            }
            if line == 1 {
                if self.buffer.starts_with(&[0xff, 0xfe]) || self.buffer.starts_with(&[0xfe, 0xff]) {
                    return Err(DatasetError::Utf16);
                }
                if self.buffer.starts_with(b"\xef\xbb\xbf") {
                    self.buffer.drain(..3);
                }
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some(read_line(&self.buffer, line)));
            }
        }
    }
}

impl<R: BufRead> Iterator for DatasetReader<R> {
    type Item = Result<Line, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().transpose()
    }
}

fn read_line(bytes: &[u8], line: u64) -> Line {
    let problem = |field: Option<&str>, message: String| {
        Line::Problem(LineProblem { line, field: field.map(str::to_owned), message })
    };
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return problem(None, format!("not UTF-8 from byte {} on", error.valid_up_to() + 1)),
    };
    // A list would be read for an object whose keys are left out.
    if text.trim_start().starts_with('[') {
        return problem(None, "not a business as JSON: a business is an object".to_owned());
    }
    let raw: RawBusiness<'_> = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) if error.is_eof() => {
            return problem(None, "the line is cut short: its JSON does not end".to_owned());
        }
        Err(error) => return problem(None, format!("not a business as JSON: {error}")),
    };
    let details = raw.business.unwrap_or_default();
    let Some(id) = raw.business_id.or(details.business_id).filter(|id| !id.is_empty()) else {
        return problem(Some("business_id"), "missing; every business needs an id".to_owned());
    };
    let Some(raw_reviews) = raw.reviews else {
        return problem(Some("reviews"), format!("missing; business {id} has no list of reviews"));
    };
    let Ok(raw_reviews) = serde_json::from_str::<Vec<&RawValue>>(raw_reviews.get()) else {
        return problem(Some("reviews"), format!("not a list; business {id} has no list of reviews"));
    };
    let (mut reviews, mut problems) = (Vec::with_capacity(raw_reviews.len()), Vec::new());
    for (at, raw) in raw_reviews.into_iter().enumerate() {
        match read_review(raw.get()) {
            Ok(review) => reviews.push(review),
            Err((field, message)) => {
                let field = Some(format!("reviews[{at}]{}{field}", if field.is_empty() { "" } else { "." }));
                problems.push(LineProblem { line, field, message });
            }
        }
    }
    let name = details.name.or(raw.name).unwrap_or_else(|| id.clone());
    let categories = details.categories.or(raw.categories).unwrap_or_default();
    Line::Business(Business { id: BusinessId::new(id), name, categories, reviews }, problems)
}

/// Reads one review of a line by itself, so that what is wrong with it costs no other; else the field and what is wrong.
fn read_review(json: &str) -> Result<Review, (&'static str, String)> {
    if !json.starts_with('{') {
        return Err(("", "not a review: a review is an object".to_owned()));
    }
    let raw: RawReview = serde_json::from_str(json).map_err(|error| ("", format!("not a review: {error}")))?;
    let missing = |field, why: &str| (field, format!("missing; {why}"));
    let id = raw.review_id.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| missing("review_id", "every review needs an id"))?;
    let text = match raw.text {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => return Err(missing("text", "a review without text cannot be judged")),
        Some(_) => return Err(("text", "not a text; a review without text cannot be judged".to_owned())),
    };
    Ok(Review { id: ReviewId::new(id), text, stars: raw.stars, date: raw.date, useful: raw.useful })
}

#[derive(Deserialize)]
struct RawBusiness<'a> {
    #[serde(default, deserialize_with = "id_text")]
    business_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    business: Option<RawDetails>,
    #[serde(default, deserialize_with = "id_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "joined")]
    categories: Option<String>,
    #[serde(default, borrow)]
    reviews: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct RawDetails {
    #[serde(default, deserialize_with = "id_text")]
    business_id: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "joined")]
    categories: Option<String>,
}

#[derive(Deserialize)]
struct RawReview {
    #[serde(default, deserialize_with = "id_text")]
    review_id: Option<String>,
    #[serde(default)]
    text: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    stars: Option<f32>,
    #[serde(default, deserialize_with = "lenient")]
    date: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    useful: Option<u32>,
}

/// An id or a name as text; numbers are taken as their digits.
fn id_text<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(reader)? {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    })
}

/// A value of the expected type, `None` for any other: these fields never decide whether a review is usable.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(reader: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(reader)?).ok())
}

fn joined<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(reader)? {
        Value::String(text) => Some(text),
        Value::Array(parts) => Some(parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Line> {
        DatasetReader::new(text).collect::<Result<_, _>>().expect("readable")
    }

    fn problem(text: &[u8]) -> (u64, Option<String>, String) {
        match read(text).pop() {
            Some(Line::Problem(problem)) => (problem.line, problem.field, problem.message),
            Some(Line::Business(_, mut problems)) => {
                let problem = problems.pop().expect("a problem");
                (problem.line, problem.field, problem.message)
            }
            None => panic!("nothing was read"),
        }
    }

    #[test]
    fn reads_the_documented_form() {
        let text = "\u{feff}{\"business_id\":\"b\",\"business\":{\"name\":\"Bé\",\"categories\":\"Thai, Bars\",\"x\":1},\
            \"reviews\":[{\"review_id\":\"r\",\"text\":\"t\",\"stars\":4.0,\"date\":\"2019-12-15 19:02:50\",\"useful\":2}]}\r\n\n";
        let lines = read(text.as_bytes());
        let [Line::Business(business, problems)] = lines.as_slice() else { panic!("one business: {lines:?}") };
        assert!(problems.is_empty());
        assert_eq!((business.name.as_str(), business.categories.as_str()), ("Bé", "Thai, Bars"));
        assert_eq!(business.reviews[0].useful, Some(2));
    }

    #[test]
    fn odd_values_where_nothing_hangs_on_them_are_no_problem() {
        let lines = read(br#"{"business_id":7,"categories":["A","B"],"reviews":[{"review_id":"r","text":"","stars":"five","date":3}]}"#);
        let [Line::Business(business, problems)] = lines.as_slice() else { panic!("one business: {lines:?}") };
        assert!(problems.is_empty());
        assert_eq!((business.id.as_str(), business.name.as_str(), business.categories.as_str()), ("7", "7", "A, B"));
        assert_eq!((business.reviews[0].stars, business.reviews[0].date.clone()), (None, None));
    }

    #[test]
    fn one_odd_review_or_name_costs_no_other_review() {
        let good = r#"{"review_id":"good","text":"t"}"#;
        let odd = [
            ("null", "reviews[0]", "not a review: a review is an object"),
            (r#"["r","t"]"#, "reviews[0]", "not a review: a review is an object"),
            (r#"{"review_id":"r","text":5}"#, "reviews[0].text", "not a text"),
            (r#"{"review_id":"r","text":null}"#, "reviews[0].text", "missing"),
            (r#"{"review_id":["r"],"text":"t"}"#, "reviews[0].review_id", "missing"),
            (r#"{"review_id":"r","text":"a","text":"b"}"#, "reviews[0]", "duplicate field `text`"),
            (r#"{"review_id":"r","text":"\ud800"}"#, "reviews[0]", "not a review"),
        ];
        for (review, field, message) in odd {
            let lines = read(
                format!(r#"{{"business_id":"b","name":1893,"business":7,"reviews":[{review},{good}]}}"#).as_bytes(),
            );
            let [Line::Business(business, problems)] = lines.as_slice() else { panic!("one business: {lines:?}") };
            assert_eq!((business.name.as_str(), business.reviews.len()), ("1893", 1), "{review}");
            assert_eq!(business.reviews[0].id.as_str(), "good");
            assert_eq!((problems.len(), problems[0].field.as_deref()), (1, Some(field)), "{review}");
            assert!(problems[0].message.contains(message), "{}", problems[0].message);
        }
        assert!(problem(br#"{"business_id":"b","reviews":{"r":1}}"#).2.contains("not a list"));
    }

    #[test]
    fn problems_say_line_and_field() {
        assert_eq!(problem(b"\n{\"business_id\":\"b\",\"reviews\":[").0, 2);
        assert!(problem(b"{\"business_id\":\"b\",\"reviews\":[").2.contains("cut short"));
        assert_eq!(problem(b"{\"reviews\":[]}").1.as_deref(), Some("business_id"));
        assert_eq!(problem(b"{\"business_id\":\"b\"}").1.as_deref(), Some("reviews"));
        assert_eq!(
            problem(b"{\"business_id\":\"b\",\"reviews\":[{\"text\":\"t\"}]}").1.as_deref(),
            Some("reviews[0].review_id")
        );
        assert_eq!(
            problem(b"{\"business_id\":\"b\",\"reviews\":[{\"review_id\":\"r\"}]}").1.as_deref(),
            Some("reviews[0].text")
        );
        assert!(problem(b"{\"business_id\":\"b\xff\"}").2.contains("not UTF-8 from byte 18"));
        assert!(problem(b"[1,2]").2.contains("not a business"));
    }

    #[test]
    fn utf_16_is_refused_at_once() {
        let first = DatasetReader::new(&b"\xff\xfe{\0"[..]).next();
        assert!(matches!(first, Some(Err(DatasetError::Utf16))));
    }
}
