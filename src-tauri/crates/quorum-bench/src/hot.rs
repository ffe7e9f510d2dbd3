//! The three innermost loops alone, on data of their own: what is counted in instructions and timed in nanoseconds.

use std::str::FromStr;

use quorum_core::{
    ensemble::Ensemble,
    form::AnswerForm,
    plan::Request,
    prompt::{EscapedMessage, RequestWriter},
    schema::{Schema, Term, TermValue},
    tally::{Consensus, Panel, tally_into},
    topic::{Relevance, Topic},
    votes::{ModelNo, PackedVotes, ReviewNo, VoteRef, VoteRow, merge_entries},
};
use quorum_provider::lines::{Line, ResultReader};

use crate::{answers, draws::Draws, reviews};

/// A loop of which a run does over a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HotPath {
    /// A line of a result file to an answer's codes.
    ReadLine,
    /// A review to a line of an input file.
    WriteRequest,
    /// A review's votes to its consensus.
    TallyReview,
}

impl HotPath {
    pub const ALL: [Self; 3] = [Self::ReadLine, Self::WriteRequest, Self::TallyReview];

    pub fn name(self) -> &'static str {
        match self {
            Self::ReadLine => "read_line",
            Self::WriteRequest => "write_request",
            Self::TallyReview => "tally_review",
        }
    }
}

impl FromStr for HotPath {
    type Err = UnknownPath;

    fn from_str(name: &str) -> Result<Self, UnknownPath> {
        Self::ALL.into_iter().find(|path| path.name() == name).ok_or_else(|| UnknownPath(name.to_owned()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no hot path")]
pub struct UnknownPath(String);

/// Items of each path; a round does all of them.
pub const ITEMS: u32 = 256;

/// A path with its data, ready to run.
pub struct Prepared {
    path: HotPath,
    topic: Topic,
    form: AnswerForm,
    output: Vec<u8>,
    texts: Vec<String>,
    rows: Vec<Vec<u8>>,
}

impl Prepared {
    pub fn new(path: HotPath) -> Self {
        let topic = topic();
        let requests: Vec<Request> = (1..=ITEMS).map(|review| Request { review: ReviewNo(review), run: 1 }).collect();
        let mut output = Vec::new();
        answers::write(&mut output, &mut Vec::new(), &topic.schema, "m", &requests, 1)
            .expect("memory takes everything");
        let mut draws = Draws::new(1, 0);
        let texts = (0..ITEMS).map(|_| reviews::text(&mut draws)).collect();
        let rows = (1..=ITEMS).map(|review| row(&topic.schema, ReviewNo(review), &mut draws)).collect();
        let form = AnswerForm::new(&topic.schema).expect("plain names");
        Self { path, topic, form, output, texts, rows }
    }

    /// Does all items; gives a sum that depends on each, so that none can be left out.
    pub fn round(&self) -> u64 {
        match self.path {
            HotPath::ReadLine => self.read_lines(),
            HotPath::WriteRequest => self.write_requests(),
            HotPath::TallyReview => self.tally_reviews(),
        }
    }

    fn read_lines(&self) -> u64 {
        let mut reader = ResultReader::new(self.output.as_slice());
        let mut codes = vec![0; self.topic.schema.fields().len()];
        let mut sum = 0;
        while let Some(line) = reader.next_with(|raw| self.form.read(raw, &mut codes)).expect("memory has no faults") {
            sum += match line {
                Line::Quick(line) => {
                    line.usage.map_or(0, |usage| usage.input) + codes.iter().map(|code| u64::from(*code)).sum::<u64>()
                }
                Line::Whole(line) => line.number,
            };
        }
        sum
    }

    fn write_requests(&self) -> u64 {
        let writer = RequestWriter::new(&self.topic, "m");
        let (mut out, mut message, mut sum) = (String::new(), EscapedMessage::default(), 0);
        for (review, text) in (1..).zip(&self.texts) {
            out.clear();
            message.set(text);
            writer.line(&mut out, ReviewNo(review), 1, &message);
            sum += out.len() as u64;
        }
        sum
    }

    fn tally_reviews(&self) -> u64 {
        let panel = Panel::new(&Ensemble::standard(), |model| Some(ModelNo(u16::from(model == "gpt-5-nano"))));
        let (mut consensus, mut sum) = (Consensus::default(), 0);
        for row in &self.rows {
            tally_into(&self.topic.schema, &panel, VoteRow::read(row).expect("packed here"), &mut consensus);
            sum += consensus.fields.iter().map(|field| u64::from(field.value.unwrap_or(9))).sum::<u64>();
            sum += u64::from(consensus.relevant);
        }
        sum
    }
}

/// A topic with six fields of four values, as large as the usual ones.
fn topic() -> Topic {
    let value = |id: &str| TermValue {
        id: id.to_owned(),
        label: id.to_owned(),
        description: format!("The review says so: {id}. ").repeat(8),
        cues: vec!["says so".to_owned()],
    };
    let term = |id: &str| Term {
        domain: "bench".to_owned(),
        id: id.to_owned(),
        name: id.to_owned(),
        question: None,
        description: "What the review says about it.".to_owned(),
        values: ["none", "mild", "moderate", "severe"].map(value).into(),
        default: None,
    };
    let terms = ["SEVERITY", "RESPONSE", "ACCOUNT", "CLAIM", "EFFECT", "CONTEXT"].map(term);
    Topic {
        id: "G0_bench".into(),
        name: "Bench".to_owned(),
        title: "Bench".to_owned(),
        purpose: "To be timed.".to_owned(),
        relevance: Relevance::default(),
        schema: Schema::new(terms),
        policies: Vec::new(),
    }
}

/// The default ensemble's four votes for a review, packed.
fn row(schema: &Schema, review: ReviewNo, draws: &mut Draws) -> Vec<u8> {
    let mut votes = PackedVotes::with_capacity(schema.fields().len(), 4);
    for (model, run) in [(0, 1), (1, 1), (1, 2), (1, 3)] {
        let codes: Vec<u8> = schema.fields().iter().map(|_| u8::try_from(draws.below(5)).expect("below 5")).collect();
        let relevant = !draws.once_in(3);
        let vote = VoteRef { model: ModelNo(model), run, relevant, imported: false, at: 0, codes: &codes };
        assert!(votes.push(review, vote), "as wide as the schema");
    }
    let mut row = Vec::new();
    for (_, entries) in votes.by_review() {
        merge_entries(VoteRow::empty(), entries, schema.fields().len(), &mut row);
    }
    row
}
