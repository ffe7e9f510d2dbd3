//! The ensemble: which models judge a review, how often, and how much each vote weighs.

use serde::{Deserialize, Serialize};

use crate::ids::ModelId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub model: ModelId,
    /// Runs are numbered 1..=runs.
    pub runs: u8,
    pub weight: f64,
    /// Models that sat here before, the latest first. A run that one of them has answered is not asked again: its vote counts as
    /// this member's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<ModelId>,
}

impl Member {
    /// The models whose votes may fill this member's runs, the one that is asked first.
    pub fn models(&self) -> impl Iterator<Item = &ModelId> {
        std::iter::once(&self.model).chain(&self.replaces)
    }
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
    #[error("model `{0}` is not in the ensemble, so nothing can take its place")]
    Absent(ModelId),
}

impl Ensemble {
    pub fn new(members: Vec<Member>) -> Result<Self, EnsembleError> {
        if members.is_empty() {
            return Err(EnsembleError::Empty);
        }
        for (at, member) in members.iter().enumerate() {
            let shown = || member.model.to_string();
            if member.models().any(|model| model.as_str().is_empty()) {
                return Err(EnsembleError::Form(shown()));
            }
            if !(1..=RUNS_MAX).contains(&member.runs) {
                return Err(EnsembleError::Runs(shown()));
            }
            if !(member.weight.is_finite() && member.weight > 0.0) {
                return Err(EnsembleError::Weight(shown()));
            }
            let earlier = |model: &ModelId| members[..at].iter().flat_map(Member::models).any(|other| other == model);
            let repeated = |(nth, model): (usize, &ModelId)| member.models().take(nth).any(|other| other == model);
            let twice = member.models().enumerate().find(|(nth, model)| earlier(model) || repeated((*nth, model)));
            if let Some((_, model)) = twice {
                return Err(EnsembleError::Twice(model.clone()));
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

    /// Another model for the votes of `old` that are missing. Those it gave stay and count in the new one's place.
    pub fn replaced(&self, old: &ModelId, new: &ModelId) -> Result<Self, EnsembleError> {
        let mut members = self.0.clone();
        let member = members.iter_mut().find(|member| member.model == *old);
        let member = member.ok_or_else(|| EnsembleError::Absent(old.clone()))?;
        // Who switches back asks the earlier model again.
        member.replaces.retain(|earlier| earlier != new);
        member.replaces.insert(0, std::mem::replace(&mut member.model, new.clone()));
        Self::new(members)
    }

    /// Reads `model:runs[:weight],…`; the weight is 1 where it is not given. `new=old:runs` is a model in the place of another.
    pub fn read(text: &str) -> Result<Self, EnsembleError> {
        let mut members = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let form = || EnsembleError::Form(part.to_owned());
            let mut pieces = part.split(':');
            let (model, runs, weight) = (pieces.next(), pieces.next(), pieces.next());
            if pieces.next().is_some() {
                return Err(form());
            }
            let mut models = model.ok_or_else(form)?.split('=').map(ModelId::from);
            members.push(Member {
                model: models.next().ok_or_else(form)?,
                replaces: models.collect(),
                runs: runs.ok_or_else(form)?.parse().map_err(|_| form())?,
                weight: weight.map_or(Ok(1.0), |weight| weight.parse().map_err(|_| form()))?,
            });
        }
        Self::new(members)
    }

    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// The models that share a place with this one, itself included where it has one: a run that any of them answered is answered.
    pub fn in_place_of(&self, model: &ModelId) -> impl Iterator<Item = &ModelId> {
        let member = self.0.iter().find(|member| member.models().any(|other| other == model));
        member.into_iter().flat_map(Member::models)
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
    Member { model: ModelId::from(model), runs, weight, replaces: Vec::new() }
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
            ("n=m:1,m:2", EnsembleError::Twice("m".into())),
            ("m=m:1", EnsembleError::Twice("m".into())),
            ("m=:1", EnsembleError::Form("m".into())),
        ] {
            assert_eq!(Ensemble::read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_model_takes_the_place_of_another_and_gives_it_back() {
        let (nano, luna, sol) = (ModelId::from("gpt-5-nano"), ModelId::from("gpt-6-luna"), ModelId::from("gpt-6-sol"));
        let once = Ensemble::standard().replaced(&nano, &luna).expect("it sits there");
        assert_eq!(Ensemble::read("gpt-5-mini:1:2,gpt-6-luna=gpt-5-nano:3"), Ok(once.clone()));
        assert_eq!((once.requests(), once.total_weight()), (4, 5.0));
        let twice = once.replaced(&luna, &sol).expect("it sits there");
        assert_eq!(Ensemble::read("gpt-5-mini:1:2,gpt-6-sol=gpt-6-luna=gpt-5-nano:3"), Ok(twice.clone()));
        assert_eq!(twice.replaced(&sol, &luna), Ensemble::read("gpt-5-mini:1:2,gpt-6-luna=gpt-6-sol=gpt-5-nano:3"));
        assert_eq!(once.replaced(&nano, &sol), Err(EnsembleError::Absent(nano)));
        assert_eq!(once.replaced(&luna, &"gpt-5-mini".into()), Err(EnsembleError::Twice("gpt-5-mini".into())));
    }
}
