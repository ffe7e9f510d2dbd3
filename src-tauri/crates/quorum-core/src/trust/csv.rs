//! Reads votes (`item,worker,label`) and gold labels (`item,truth`) from CSV text.
//!
//! Names may be any strings, quoted where they hold a comma. Columns are found by their header, in
//! any order; other columns are ignored. Deliberately not here: opening files, and line breaks
//! inside quotes.

use std::collections::HashMap;

use thiserror::Error;

use super::gold::{Gold, GoldLabel};
use super::matrix::{Judge, MatrixError, Vote, VoteMatrix};

/// What is wrong with a CSV text, with file, line (from 1) and column.
#[derive(Debug, Error, PartialEq)]
pub enum CsvError {
    #[error("{file}:1: no header; expected the columns {expected}")]
    NoHeader { file: String, expected: String },
    #[error("{file}:1: no column {column:?} in the header {header:?}")]
    NoColumn { file: String, column: &'static str, header: String },
    #[error("{file}:{line}: column {column:?} is missing or empty")]
    EmptyField { file: String, line: usize, column: &'static str },
    #[error("{file}:{line}: a quote is opened and not closed")]
    OpenQuote { file: String, line: usize },
    #[error("{file}:{line}: column \"truth\" says {second:?}, but line {first_line} says {first:?} of item {item:?}")]
    TruthTwice { file: String, line: usize, first_line: usize, item: String, first: String, second: String },
    #[error("{file}: no votes below the header")]
    NoVotes { file: String },
    #[error("{file}: {n} different {what} are more than can be counted")]
    TooMany { file: String, n: usize, what: &'static str },
    #[error("the votes do not make a matrix")]
    Matrix(#[from] MatrixError),
}

/// A text with the name to use for it in errors.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

/// Votes and gold labels read together, since the label set is the union of both.
#[derive(Debug, Clone)]
pub struct VoteFile {
    pub matrix: VoteMatrix,
    /// Item names by code.
    pub items: Vec<String>,
    pub gold: Gold,
    /// Gold items without any vote: nothing can be scored on them.
    pub gold_without_votes: usize,
    /// Votes beyond the first of the same judge on the same item.
    pub repeated_votes: usize,
}

/// Reads votes, and gold labels where there are any. A worker name `model/run` makes the part before
/// the last slash the model where `runs_after_slash` says so; else every worker is its own model.
/// Labels are ordered by number where all are numbers, else by name.
pub fn read(votes: Source<'_>, gold: Option<Source<'_>>, runs_after_slash: bool) -> Result<VoteFile, CsvError> {
    let vote_rows = rows(votes, ["item", "worker", "label"])?;
    if vote_rows.is_empty() {
        return Err(CsvError::NoVotes { file: votes.file.to_owned() });
    }
    let gold_rows = gold.map(|source| rows(source, ["item", "truth"])).transpose()?.unwrap_or_default();

    let mut names: Vec<&str> = vote_rows
        .iter()
        .map(|row| row.fields[2].as_str())
        .chain(gold_rows.iter().map(|row| row.fields[1].as_str()))
        .collect();
    sort_labels(&mut names);
    names.dedup();
    let label_codes: HashMap<&str, usize> = names.iter().enumerate().map(|(c, n)| (*n, c)).collect();
    // Checked before the codes are narrowed: every code below is smaller than these counts.
    let too_many = |n: usize, what| CsvError::TooMany { file: votes.file.to_owned(), n, what };
    if names.len() > usize::from(u16::MAX) {
        return Err(too_many(names.len(), "labels"));
    }
    if u32::try_from(vote_rows.len()).is_err() {
        return Err(too_many(vote_rows.len(), "votes"));
    }
    let mut items = Codes::default();
    let mut workers = Codes::default();
    let mut coded = Vec::with_capacity(vote_rows.len());
    for row in &vote_rows {
        coded.push(Vote {
            item: items.code(&row.fields[0]),
            judge: workers.code(&row.fields[1]),
            label: label_codes[row.fields[2].as_str()] as u16,
        });
    }
    let judges = workers
        .names
        .iter()
        .map(|name| {
            let mut judge = Judge::named(*name);
            if let (true, Some((model, _))) = (runs_after_slash, name.rsplit_once('/')) {
                judge.model = model.to_owned();
            }
            judge
        })
        .collect();
    let labels = names.iter().map(|name| (*name).to_owned()).collect();
    let matrix = VoteMatrix::new(items.names.len(), judges, labels, &coded)?;

    let file = gold.map_or("", |source| source.file);
    let (gold_labels, gold_without_votes) = gold_labels(file, &gold_rows, &items, &label_codes)?;
    let repeated_votes = (0..matrix.n_items())
        .map(|item| {
            let judges: Vec<usize> = matrix.votes(item).map(|(judge, _)| judge).collect();
            judges.windows(2).filter(|pair| pair[0] == pair[1]).count()
        })
        .sum();
    Ok(VoteFile {
        gold: Gold::new(&matrix, gold_labels)?,
        items: items.names.iter().map(|name| (*name).to_owned()).collect(),
        matrix,
        gold_without_votes,
        repeated_votes,
    })
}

/// The gold labels of items that have votes, and how many items have none.
fn gold_labels(
    file: &str,
    rows: &[Row],
    items: &Codes<'_>,
    label_codes: &HashMap<&str, usize>,
) -> Result<(Vec<GoldLabel>, usize), CsvError> {
    let mut labels = Vec::new();
    let mut seen: HashMap<&str, &Row> = HashMap::new();
    let mut without_votes = 0;
    for row in rows {
        if let Some(first) = seen.insert(&row.fields[0], row) {
            if first.fields[1] == row.fields[1] {
                continue;
            }
            return Err(CsvError::TruthTwice {
                file: file.to_owned(),
                line: row.line,
                first_line: first.line,
                item: row.fields[0].clone(),
                first: first.fields[1].clone(),
                second: row.fields[1].clone(),
            });
        }
        match items.codes.get(row.fields[0].as_str()) {
            Some(&item) => {
                labels.push(GoldLabel { item, label: label_codes[row.fields[1].as_str()] as u16, weight: 1.0 });
            }
            None => without_votes += 1,
        }
    }
    Ok((labels, without_votes))
}

/// Codes in order of first mention.
#[derive(Default)]
struct Codes<'a> {
    names: Vec<&'a str>,
    codes: HashMap<&'a str, u32>,
}

impl<'a> Codes<'a> {
    /// The name's code. There are fewer names than rows, and the rows were counted to fit `u32`.
    fn code(&mut self, name: &'a str) -> u32 {
        *self.codes.entry(name).or_insert_with(|| {
            self.names.push(name);
            (self.names.len() - 1) as u32
        })
    }
}

fn sort_labels(names: &mut [&str]) {
    let number = |name: &str| name.parse::<f64>().ok().filter(|n| n.is_finite());
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by(|a, b| {
            let by_number = number(a).partial_cmp(&number(b));
            by_number.unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
        });
    } else {
        names.sort_unstable();
    }
}

/// The wanted fields of one line.
struct Row {
    line: usize,
    fields: Vec<String>,
}

fn rows<const N: usize>(source: Source<'_>, columns: [&'static str; N]) -> Result<Vec<Row>, CsvError> {
    let text = source.text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().enumerate();
    let header = match lines.next() {
        Some((_, line)) if !line.trim().is_empty() => line,
        _ => {
            return Err(CsvError::NoHeader { file: source.file.to_owned(), expected: columns.join(",") });
        }
    };
    let open_quote = |line| CsvError::OpenQuote { file: source.file.to_owned(), line };
    let names = split(header).ok_or_else(|| open_quote(1))?;
    let mut positions = [0; N];
    for (position, column) in positions.iter_mut().zip(columns) {
        *position = names.iter().position(|name| name == column).ok_or_else(|| CsvError::NoColumn {
            file: source.file.to_owned(),
            column,
            header: header.to_owned(),
        })?;
    }
    let mut found = Vec::new();
    for (index, text) in lines {
        if text.trim().is_empty() {
            continue;
        }
        let line = index + 1;
        let mut all = split(text).ok_or_else(|| open_quote(line))?;
        let mut fields = Vec::with_capacity(N);
        for (&position, column) in positions.iter().zip(columns) {
            match all.get_mut(position) {
                Some(field) if !field.is_empty() => fields.push(std::mem::take(field)),
                _ => {
                    return Err(CsvError::EmptyField { file: source.file.to_owned(), line, column });
                }
            }
        }
        found.push(Row { line, fields });
    }
    Ok(found)
}

/// Fields of a line, trimmed; `""` inside quotes is one quote. `None` where a quote stays open.
fn split(line: &str) -> Option<Vec<String>> {
    if !line.contains('"') {
        return Some(line.split(',').map(|field| field.trim().to_owned()).collect());
    }
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            c => field.push(c),
        }
    }
    fields.push(field.trim().to_owned());
    (!quoted).then_some(fields)
}
