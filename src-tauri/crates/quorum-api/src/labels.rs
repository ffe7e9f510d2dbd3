//! Labels: one field of one review, or its relevance, with the weight behind each value it was given.
//!
//! Not here: which labels need a person ([`crate::queue`]) and storing a person's word ([`crate::overrides`]).

use quorum_core::{
    overrides::RELEVANCE_FIELD,
    schema::TermValue,
    tally::{Consensus, Correction},
};

use crate::{
    dto::{
        error::ApiError,
        topic::{FieldValue, TopicField},
    },
    judgments::Judgments,
    topics::field_summary,
    trust::{Asked, NOT_RELEVANT, RELEVANT},
};

/// What a label is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Relevance,
    /// Field number.
    Field(usize),
}

/// The values of the relevance label, in their order.
const RELEVANCE_VALUES: [(&str, &str, &str); 2] = [
    ("true", "Relevant", "The review says something about this topic."),
    ("false", "Not relevant", "It does not, so it counts toward no verdict."),
];

/// The weight of each value, and of all votes that could have given one.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    pub of: Vec<f64>,
    /// Votes without a valid value included.
    pub asked: f64,
}

impl About {
    pub fn named(judgments: &Judgments, field: &str) -> Result<Self, ApiError> {
        if field == RELEVANCE_FIELD {
            return Ok(Self::Relevance);
        }
        let known = judgments.schema().field(field);
        known.map(|(number, _)| Self::Field(number)).ok_or_else(|| {
            let names: Vec<&str> = judgments.schema().fields().iter().map(|field| field.name.as_str()).collect();
            ApiError::not_found(format!("The topic has no field {field}."))
                .action(format!("It has {RELEVANCE_FIELD}, {}.", names.join(", ")))
        })
    }

    pub fn name(self, judgments: &Judgments) -> &str {
        match self {
            Self::Relevance => RELEVANCE_FIELD,
            Self::Field(number) => &judgments.schema().fields()[number].name,
        }
    }

    fn terms(self, judgments: &Judgments) -> &[TermValue] {
        match self {
            Self::Relevance => &[],
            Self::Field(number) => &judgments.schema().fields()[number].term.values,
        }
    }

    /// Number of values; they are counted in a byte, as votes code them so.
    pub fn values(self, judgments: &Judgments) -> u8 {
        match self {
            Self::Relevance => 2,
            Self::Field(_) => u8::try_from(self.terms(judgments).len()).unwrap_or(u8::MAX),
        }
    }

    pub fn value_id(self, judgments: &Judgments, value: u8) -> &str {
        match self {
            Self::Relevance => RELEVANCE_VALUES[usize::from(value)].0,
            Self::Field(number) => judgments.schema().fields()[number].value_id(value),
        }
    }

    pub fn value(self, judgments: &Judgments, id: &str) -> Option<u8> {
        (0..self.values(judgments)).find(|value| self.value_id(judgments, *value) == id)
    }

    pub fn description(self, judgments: &Judgments, value: u8) -> &str {
        match self {
            Self::Relevance => RELEVANCE_VALUES[usize::from(value)].2,
            Self::Field(_) => &self.terms(judgments)[usize::from(value)].description,
        }
    }

    pub fn summary(self, judgments: &Judgments) -> TopicField {
        match self {
            Self::Field(number) => field_summary(&judgments.schema().fields()[number]),
            Self::Relevance => TopicField {
                field: RELEVANCE_FIELD.to_owned(),
                label: "Relevance".to_owned(),
                question: "Is the review about this topic?".to_owned(),
                values: RELEVANCE_VALUES
                    .map(|(id, label, _)| FieldValue { id: id.to_owned(), label: label.to_owned() })
                    .into(),
            },
        }
    }

    /// What the label is in a consensus.
    pub fn settled(self, consensus: &Consensus) -> Option<u8> {
        match self {
            Self::Relevance => Some(u8::from(!consensus.relevant)),
            Self::Field(number) => consensus.fields[number].value,
        }
    }

    pub fn correction(self, value: u8) -> Correction {
        match self {
            Self::Relevance => Correction { relevant: Some(value == 0), values: Vec::new() },
            Self::Field(number) => Correction { relevant: None, values: vec![(number, value)] },
        }
    }

    /// A field is asked of the votes that said relevant.
    pub fn weights(self, judgments: &Judgments, position: usize) -> Weights {
        let mut weights = Weights { of: vec![0.0; usize::from(self.values(judgments))], asked: 0.0 };
        let row = judgments.row(position);
        for vote in row.iter() {
            let Some(weight) = judgments.panel().weight(row, vote.model, vote.run) else { continue };
            let value = match self {
                Self::Relevance => Some(u8::from(!vote.relevant)),
                Self::Field(_) if !vote.relevant => continue,
                Self::Field(number) => {
                    let schema = judgments.schema();
                    vote.codes.get(schema.slot(number)).and_then(|code| schema.fields()[number].decode(*code))
                }
            };
            weights.asked += weight;
            if let Some(value) = value {
                weights.of[usize::from(value)] += weight;
            }
        }
        weights
    }

    /// What the topic's aggregator says of each value, in votes' weight: a chance times the weight that gave a valid value.
    pub fn support(self, judgments: &Judgments, position: usize, weights: &Weights) -> Vec<f64> {
        let Some(settled) = judgments.settled() else { return weights.of.clone() };
        let (asked, codes): (_, Vec<usize>) = match self {
            Self::Relevance => (Asked::Relevance, vec![RELEVANT, NOT_RELEVANT]),
            Self::Field(number) => (Asked::Field(number), (0..weights.of.len()).collect()),
        };
        let Some(chances) = settled.chances(asked, position) else { return weights.of.clone() };
        let answered: f64 = weights.of.iter().sum();
        codes.into_iter().map(|code| answered * chances[code]).collect()
    }
}
