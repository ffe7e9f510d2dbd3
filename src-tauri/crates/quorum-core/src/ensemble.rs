//! The ensemble: which models judge a review, how often, and how much each vote weighs.

use serde::{Deserialize, Serialize};

use crate::ids::ModelId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub model: ModelId,
    /// Runs are numbered 1..=runs.
    pub runs: u8,
    pub weight: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ensemble(Vec<Member>);

/// Most runs a model may have: a run is one byte, and more than this is a mistake rather than a wish.
pub const RUNS_MAX: u8 = 99;

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum EnsembleError {
    #[error("the ensemble is empty; give at least one model as model:runs[:weight]")]
    Empty,
    #[error("`{0}` is not model:runs[:weight], for example gpt-5-nano:3:1")]
    Form(String),
    #[error("`{0}` needs runs from 1 to {RUNS_MAX}")]
    Runs(String),
    #[error("`{0}` needs a weight above 0")]
    Weight(String),
    #[error("model `{0}` stands twice in the ensemble")]
    Twice(ModelId),
}

impl Ensemble {
    pub fn new(members: Vec<Member>) -> Result<Self, EnsembleError> {
        if members.is_empty() {
            return Err(EnsembleError::Empty);
        }
        for (at, member) in members.iter().enumerate() {
            let shown = || member.model.to_string();
            if member.model.as_str().is_empty() {
                return Err(EnsembleError::Form(shown()));
            }
            if !(1..=RUNS_MAX).contains(&member.runs) {
                return Err(EnsembleError::Runs(shown()));
            }
            if !(member.weight.is_finite() && member.weight > 0.0) {
                return Err(EnsembleError::Weight(shown()));
            }
            if members[..at].iter().any(|earlier| earlier.model == member.model) {
                return Err(EnsembleError::Twice(member.model.clone()));
            }
        }
        Ok(Self(members))
    }

    /// gpt-5-mini 1 run of weight 2, gpt-5-nano 3 runs of weight 1.
    pub fn standard() -> Self {
        Self(vec![member("gpt-5-mini", 1, 2.0), member("gpt-5-nano", 3, 1.0)])
    }

    /// gpt-5.1 1 × 3, gpt-5-mini 3 × 2, gpt-5-nano 5 × 1.
    pub fn high_quality() -> Self {
        Self(vec![member("gpt-5.1", 1, 3.0), member("gpt-5-mini", 3, 2.0), member("gpt-5-nano", 5, 1.0)])
    }

    /// Reads `model:runs[:weight],…`; the weight is 1 where it is not given.
    pub fn read(text: &str) -> Result<Self, EnsembleError> {
        let mut members = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let form = || EnsembleError::Form(part.to_owned());
            let mut pieces = part.split(':');
            let (model, runs, weight) = (pieces.next(), pieces.next(), pieces.next());
            if pieces.next().is_some() {
                return Err(form());
            }
            members.push(Member {
                model: ModelId::from(model.ok_or_else(form)?),
                runs: runs.ok_or_else(form)?.parse().map_err(|_| form())?,
                weight: weight.map_or(Ok(1.0), |weight| weight.parse().map_err(|_| form()))?,
            });
        }
        Self::new(members)
    }

    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Requests per review.
    pub fn requests(&self) -> u32 {
        self.0.iter().map(|member| u32::from(member.runs)).sum()
    }

    /// Sum of the weights of all (model, run) pairs.
    pub fn total_weight(&self) -> f64 {
        self.0.iter().map(|member| f64::from(member.runs) * member.weight).sum()
    }
}

fn member(model: &str, runs: u8, weight: f64) -> Member {
    Member { model: ModelId::from(model), runs, weight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_the_documented_ones() {
        assert_eq!((Ensemble::standard().requests(), Ensemble::standard().total_weight()), (4, 5.0));
        assert_eq!((Ensemble::high_quality().requests(), Ensemble::high_quality().total_weight()), (9, 14.0));
    }

    #[test]
    fn reads_the_command_line_form() {
        assert_eq!(Ensemble::read("gpt-5-mini:1:2, gpt-5-nano:3"), Ok(Ensemble::standard()));
        assert_eq!(Ensemble::read(""), Err(EnsembleError::Empty));
        for (text, error) in [
            ("m", EnsembleError::Form("m".into())),
            ("m:x", EnsembleError::Form("m:x".into())),
            ("m:1:2:3", EnsembleError::Form("m:1:2:3".into())),
            ("m:0", EnsembleError::Runs("m".into())),
            ("m:1:0", EnsembleError::Weight("m".into())),
            ("m:1:NaN", EnsembleError::Weight("m".into())),
            ("m:1,m:2", EnsembleError::Twice("m".into())),
        ] {
            assert_eq!(Ensemble::read(text), Err(error), "{text}");
        }
    }
}
