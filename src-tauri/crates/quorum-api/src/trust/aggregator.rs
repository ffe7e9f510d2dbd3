//! Which aggregator settles a topic's votes: a setting per realm and topic. Weighted majority unless a person chose another.

use quorum_core::{ids::TopicId, manifest::Realm, trust::aggregate::Aggregator, trust::evaluate::LEARN_MIN};
use quorum_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use super::gold::GoldAnswers;
use crate::{
    Quorum,
    dto::{
        error::ApiError,
        trust::{AggregatorId, AppliedAggregator, TrustQuery},
    },
    open_dataset::OpenDataset,
    results::topic_of,
};

const SETTING: &str = "aggregators";

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Choice {
    realm: Realm,
    topic: TopicId,
    aggregator: Aggregator,
}

/// The aggregator that settled votes, and the questions where it could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub aggregator: Aggregator,
    /// Field names, `is_relevant` for relevance.
    pub kept: Vec<String>,
}

impl Default for Applied {
    fn default() -> Self {
        Self { aggregator: Aggregator::WeightedMajority, kept: Vec::new() }
    }
}

/// The aggregator chosen for a topic.
pub fn chosen(store: &Store, realm: Realm, topic: &TopicId) -> Result<Aggregator, StoreError> {
    let choices: Vec<Choice> = store.setting(SETTING)?.unwrap_or_default();
    let found = choices.iter().find(|choice| choice.realm == realm && choice.topic == *topic);
    Ok(found.map_or(Aggregator::WeightedMajority, |choice| choice.aggregator))
}

impl Quorum {
    /// Chooses a topic's aggregator. Nothing is asked again; results are computed anew when someone looks.
    pub fn aggregator_choose(
        &self,
        query: &TrustQuery,
        aggregator: AggregatorId,
    ) -> Result<AppliedAggregator, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        let aggregator = aggregator_of(aggregator);
        if aggregator.needs_gold() {
            let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
            let labelled = GoldAnswers::load(store, &dataset, topic)?.len();
            if labelled < LEARN_MIN {
                return Err(ApiError::invalid(format!(
                    "The {} learns from gold labels, and the topic has {labelled} of the {LEARN_MIN} it needs at least.",
                    aggregator.name()
                ))
                .safe("The aggregator is unchanged.")
                .action("Label a sample of reviews first."));
            }
        }
        let mut choices: Vec<Choice> = store.setting(SETTING)?.unwrap_or_default();
        choices.retain(|choice| choice.realm != realm || choice.topic != topic.id);
        if aggregator != Aggregator::WeightedMajority {
            choices.push(Choice { realm, topic: topic.id.clone(), aggregator });
        }
        store.set_setting(SETTING, &choices)?;
        Ok(shown(&Applied { aggregator, kept: Vec::new() }))
    }
}

pub(crate) fn shown(applied: &Applied) -> AppliedAggregator {
    AppliedAggregator {
        aggregator: id_of(applied.aggregator),
        name: applied.aggregator.name().to_owned(),
        kept: applied.kept.clone(),
    }
}

pub(super) fn id_of(aggregator: Aggregator) -> AggregatorId {
    match aggregator {
        Aggregator::Majority => AggregatorId::Majority,
        Aggregator::WeightedMajority => AggregatorId::WeightedMajority,
        Aggregator::BestSingle => AggregatorId::BestSingle,
        Aggregator::DawidSkene => AggregatorId::DawidSkene,
        Aggregator::OneCoin => AggregatorId::OneCoin,
        Aggregator::Calibrated => AggregatorId::Calibrated,
        Aggregator::Anchored => AggregatorId::Anchored,
        Aggregator::Stacked => AggregatorId::Stacked,
    }
}

pub fn aggregator_of(id: AggregatorId) -> Aggregator {
    match id {
        AggregatorId::Majority => Aggregator::Majority,
        AggregatorId::WeightedMajority => Aggregator::WeightedMajority,
        AggregatorId::BestSingle => Aggregator::BestSingle,
        AggregatorId::DawidSkene => Aggregator::DawidSkene,
        AggregatorId::OneCoin => Aggregator::OneCoin,
        AggregatorId::Calibrated => Aggregator::Calibrated,
        AggregatorId::Anchored => Aggregator::Anchored,
        AggregatorId::Stacked => Aggregator::Stacked,
    }
}
