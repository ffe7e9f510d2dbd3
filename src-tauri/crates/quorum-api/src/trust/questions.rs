//! A topic's questions as vote matrices: whether a review is relevant, each field of the relevant ones, and both at once.

use quorum_core::{
    topic::Topic,
    trust::{Judge, Vote, VoteMatrix},
    votes::{VoteRef, VoteRow},
};

use crate::judgments::Judgments;

/// What is asked of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Relevance,
    /// A field's value, of votes that said relevant.
    Field(usize),
    /// Relevance and a field as one answer: not relevant, relevant without a value, or a value.
    Both(usize),
}

/// One question's votes.
#[derive(Debug)]
pub struct Question {
    pub asked: Asked,
    pub matrix: VoteMatrix,
    /// Position in the dataset of every item, ascending.
    pub positions: Vec<usize>,
}

/// Labels of relevance, as codes.
pub const NOT_RELEVANT: usize = 0;
pub const RELEVANT: usize = 1;
/// Codes before a value's in [`Asked::Both`].
const BEFORE_VALUES: usize = 2;

impl Asked {
    /// All questions of a topic, in the order of pages.
    pub fn all(topic: &Topic) -> Vec<Self> {
        std::iter::once(Self::Relevance).chain((0..topic.schema.fields().len()).map(Self::Field)).collect()
    }

    pub fn field(self) -> Option<usize> {
        match self {
            Self::Relevance => None,
            Self::Field(field) | Self::Both(field) => Some(field),
        }
    }

    /// The code of an answer; `None` where it does not answer this question.
    pub fn code(self, relevant: bool, value: Option<u8>) -> Option<usize> {
        match self {
            Self::Relevance => Some(if relevant { RELEVANT } else { NOT_RELEVANT }),
            Self::Field(_) => value.filter(|_| relevant).map(usize::from),
            Self::Both(_) if !relevant => Some(NOT_RELEVANT),
            Self::Both(_) => Some(value.map_or(RELEVANT, |value| usize::from(value) + BEFORE_VALUES)),
        }
    }

    fn labels(self, judgments: &Judgments) -> Vec<String> {
        let values = |field: usize| {
            let values = judgments.schema().fields()[field].term.values.iter();
            values.map(|value| value.id.clone()).collect::<Vec<_>>()
        };
        let both = ["not relevant".to_owned(), "relevant".to_owned()];
        match self {
            Self::Relevance => both.to_vec(),
            Self::Field(field) => values(field),
            Self::Both(field) => both.into_iter().chain(values(field)).collect(),
        }
    }
}

impl Question {
    /// The ensemble's votes on this question.
    pub fn new(judgments: &Judgments, asked: Asked) -> Self {
        let (members, schema) = (judgments.ensemble().members(), judgments.schema());
        let judges: Vec<Judge> = members
            .iter()
            // A model that took another's place judges otherwise than that one.
            .flat_map(|member| member.models().map(move |model| (member, model)))
            .flat_map(|(member, model)| {
                (1..=member.runs).map(move |run| Judge {
                    name: format!("{model}/{run}"),
                    model: model.to_string(),
                    weight: member.weight,
                })
            })
            .collect();
        // A vote's judge: the first of its member, its model among the member's, and its run.
        let firsts: Vec<u32> = members
            .iter()
            .scan(0_u32, |next, member| {
                let first = *next;
                *next += u32::from(member.runs) * u32::try_from(member.models().count()).ok()?;
                Some(first)
            })
            .collect();
        let judge_of = |row: VoteRow<'_>, vote: &VoteRef<'_>| {
            let seat = judgments.panel().seat(row, vote.model, vote.run)?;
            let earlier = u32::from(seat.runs) * u32::try_from(seat.rank).ok()?;
            Some(firsts[seat.member] + earlier + u32::from(vote.run) - 1)
        };
        let value_of = |vote: &VoteRef<'_>| {
            let field = asked.field()?;
            schema.fields()[field].decode(*vote.codes.get(schema.slot(field))?)
        };
        let (mut votes, mut positions) = (Vec::new(), Vec::new());
        for position in 0..judgments.reviews() {
            let item = u32::try_from(positions.len()).expect("the store numbers reviews in 32 bits");
            let before = votes.len();
            let row = judgments.row(position);
            for vote in row.iter() {
                let Some(judge) = judge_of(row, &vote) else { continue };
                if let Some(label) = asked.code(vote.relevant, value_of(&vote)) {
                    let label = u16::try_from(label).expect("a term has at most 255 values");
                    votes.push(Vote { item, judge, label });
                }
            }
            if votes.len() > before {
                positions.push(position);
            }
        }
        let matrix = VoteMatrix::new(positions.len(), judges, asked.labels(judgments), &votes)
            .expect("codes are counted here, the catalog refuses terms without values, ensembles have checked weights");
        Self { asked, matrix, positions }
    }

    /// The item of a review; `None`: it has no vote on this question.
    pub fn item(&self, position: usize) -> Option<usize> {
        self.positions.binary_search(&position).ok()
    }
}

/// The field that a topic is mostly about: the one its points go by, else the first.
pub fn main_field(topic: &Topic) -> Option<usize> {
    let scored = topic.policies.iter().find_map(|policy| policy.scoring.as_ref());
    let severity = scored.and_then(|scoring| topic.schema.field(&scoring.severity_field));
    severity.map(|(field, _)| field).or_else(|| (!topic.schema.fields().is_empty()).then_some(0))
}

/// Whether a field's values have an order: a policy gives three of them or more points that only rise, or only fall, in the
/// term's order. Catalogs do not say so themselves.
pub fn is_ordered(topic: &Topic, field: usize) -> bool {
    let known = &topic.schema.fields()[field];
    topic.policies.iter().filter_map(|policy| policy.scoring.as_ref()).any(|scoring| {
        let points = |value: &str| {
            let (_, label) = scoring.value_mappings.iter().find(|(mapped, _)| mapped == value)?;
            scoring.severity_points(label)
        };
        let points: Vec<i64> = known.term.values.iter().filter_map(|value| points(&value.id)).collect();
        let is_sorted = points.is_sorted() || points.iter().rev().is_sorted();
        scoring.severity_field == known.name && points.len() >= 3 && is_sorted
    })
}

#[cfg(test)]
mod tests {
    use quorum_catalog::builtin;

    use super::*;

    #[test]
    fn severities_have_an_order_and_who_tells_it_has_none() {
        let topic = builtin().topic(&"G1_allergy".into()).expect("a topic");
        let (severity, _) = topic.schema.field("incident_severity").expect("a field");
        let (account, _) = topic.schema.field("account_type").expect("a field");
        assert!(is_ordered(topic, severity) && !is_ordered(topic, account));
        assert_eq!(main_field(topic), Some(severity));
    }

    #[test]
    fn answers_have_codes_where_they_answer_the_question() {
        assert_eq!(Asked::Relevance.code(false, None), Some(NOT_RELEVANT));
        assert_eq!((Asked::Field(0).code(false, Some(2)), Asked::Field(0).code(true, None)), (None, None));
        let both = [(false, Some(1)), (true, None), (true, Some(1))];
        assert_eq!(both.map(|(relevant, value)| Asked::Both(0).code(relevant, value)), [Some(0), Some(1), Some(3)]);
    }
}
