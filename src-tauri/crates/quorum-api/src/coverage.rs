//! Coverage: which votes a topic has on a dataset, which are missing, and why.

use std::collections::{BTreeMap, HashSet};

use quorum_core::{
    ensemble::Ensemble, ids::DatasetName, manifest::Realm, plan::Request, schema::Schema, topic::Topic, votes::VoteRow,
};
use quorum_store::{Store, StoreError};

use crate::{
    dto::{
        error::ApiError,
        results::{MissingReason, MissingVotes},
    },
    judgments::{Answered, Judgments, VoteTable},
    open_dataset::OpenDataset,
    verdicts::last_ensemble,
};

/// Why votes of a topic are missing: what is asked at the moment, and what was asked and failed.
#[derive(Debug, Default)]
pub struct Gaps {
    /// (member of the ensemble, request)
    in_flight: HashSet<(usize, Request)>,
    failed: HashSet<(usize, Request)>,
}

impl Gaps {
    /// Reads the runs of the topic's present schema.
    pub fn load(store: &Store, dataset: &OpenDataset, topic: &Topic, ensemble: &Ensemble) -> Result<Self, StoreError> {
        let mut gaps = Self::default();
        let Some(space) = dataset.space(&topic.id, &topic.schema) else { return Ok(gaps) };
        for manifest in store.manifests()?.iter().filter(|manifest| manifest.space == space.number) {
            let mut member_of = BTreeMap::new();
            for batch in store.batches(manifest.id)? {
                let Some(member) =
                    ensemble.members().iter().position(|member| member.models().any(|model| *model == batch.model))
                else {
                    continue;
                };
                member_of.insert(batch.id, member);
                if batch.state.holds_requests() {
                    gaps.in_flight.extend(store.requests(batch.id)?.into_iter().map(|request| (member, request)));
                }
            }
            let failures = store.failures(manifest.id)?;
            gaps.failed.extend(
                failures.into_iter().filter_map(|failed| Some((*member_of.get(&failed.batch)?, failed.request))),
            );
        }
        Ok(gaps)
    }

    /// Why a vote that is not stored is missing.
    pub fn reason(&self, member: usize, request: Request) -> MissingReason {
        if self.in_flight.contains(&(member, request)) {
            MissingReason::InFlight
        } else if self.failed.contains(&(member, request)) {
            MissingReason::Failed
        } else {
            MissingReason::NeverAsked
        }
    }

    /// What these reviews lack, by model in the ensemble's order and by reason.
    pub fn count(
        &self,
        dataset: &OpenDataset,
        judgments: &Judgments,
        positions: impl Iterator<Item = usize>,
    ) -> Vec<MissingVotes> {
        let members = judgments.ensemble().members();
        let reasons = [MissingReason::NeverAsked, MissingReason::InFlight, MissingReason::Failed];
        let mut counts = vec![[0_u32; 3]; members.len()];
        for position in positions.filter(|position| judgments.answered(*position) != Answered::Complete) {
            for (member, run) in judgments.missing(position) {
                let reason = self.reason(member, Request { review: dataset.number(position), run });
                for (count, _) in counts[member].iter_mut().zip(reasons).filter(|(_, known)| *known == reason) {
                    *count += 1;
                }
            }
        }
        members
            .iter()
            .zip(counts)
            .flat_map(|(member, counts)| {
                reasons.into_iter().zip(counts).filter(|(_, count)| *count > 0).map(|(reason, count)| MissingVotes {
                    reason,
                    model: member.model.to_string(),
                    count,
                })
            })
            .collect()
    }
}

/// How far a topic is answered on a dataset at one K.
#[derive(Clone, Debug, PartialEq)]
pub struct VotesStats {
    pub reviews: u32,
    /// Reviews with every vote of the ensemble, with some, with none.
    pub complete: u32,
    pub partial: u32,
    pub unasked: u32,
    /// Votes that are missing, by model in the ensemble's order; models that lack none are named with 0.
    pub missing: Vec<(String, u32)>,
    /// Missing votes whose request failed and is not asked again at the moment.
    pub failed: u32,
    pub in_flight: u32,
    /// Fields without a valid value, over the ensemble's votes that said relevant.
    pub abstentions: u32,
    /// Votes on older definitions of the topic's terms, by their term hash.
    pub stale: Vec<StaleVotes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleVotes {
    pub term_hash: String,
    /// On reviews of this dataset.
    pub votes: u32,
}

/// A review with the votes that it lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewGap {
    pub business: String,
    /// Place among the business's reviews, from 1.
    pub place: u32,
    pub review_id: String,
    /// (model, run, reason)
    pub missing: Vec<(String, u8, MissingReason)>,
}

/// What is asked about: a topic on a dataset at one K.
#[derive(Clone, Copy, Debug)]
pub struct CoverageQuery<'a> {
    pub dataset: &'a DatasetName,
    pub topic: &'a Topic,
    pub k: u32,
    /// `None`: the one that the topic was last asked with.
    pub ensemble: Option<&'a Ensemble>,
}

struct Coverage {
    dataset: OpenDataset,
    judgments: Judgments,
    gaps: Gaps,
    positions: Vec<usize>,
}

impl Coverage {
    fn load(store: &Store, realm: Realm, query: CoverageQuery<'_>) -> Result<Self, ApiError> {
        if query.k == 0 {
            return Err(ApiError::invalid("K must be 1 or more: it is how many reviews of each business are used."));
        }
        let dataset = OpenDataset::open(store, realm, query.dataset)?;
        let ensemble = match query.ensemble {
            Some(ensemble) => ensemble.clone(),
            None => last_ensemble(store, realm, &query.topic.id)?,
        };
        let judgments = Judgments::load(store, &dataset, query.topic, &ensemble)?;
        let gaps = Gaps::load(store, &dataset, query.topic, &ensemble)?;
        let positions = (0..dataset.businesses()).flat_map(|business| dataset.first(business, query.k)).collect();
        Ok(Self { dataset, judgments, gaps, positions })
    }
}

/// Counts of complete reviews, missing votes, failures and abstentions.
pub fn votes_stats(store: &Store, realm: Realm, query: CoverageQuery<'_>) -> Result<VotesStats, ApiError> {
    let Coverage { dataset, judgments, gaps, positions } = Coverage::load(store, realm, query)?;
    let answered = |wanted| positions.iter().filter(|position| judgments.answered(**position) == wanted).count();
    let missing = gaps.count(&dataset, &judgments, positions.iter().copied());
    let sum = |reason| missing.iter().filter(|missing| missing.reason == reason).map(|missing| missing.count).sum();
    let by_model = judgments.ensemble().members().iter().map(|member| {
        let of_model = missing.iter().filter(|missing| missing.model == member.model.as_str());
        (member.model.to_string(), of_model.map(|missing| missing.count).sum())
    });
    Ok(VotesStats {
        reviews: count(positions.len()),
        complete: count(answered(Answered::Complete)),
        partial: count(answered(Answered::Partial)),
        unasked: count(answered(Answered::Unasked)),
        missing: by_model.collect(),
        failed: sum(MissingReason::Failed),
        in_flight: sum(MissingReason::InFlight),
        abstentions: positions.iter().map(|position| judgments.voted(*position).abstentions).sum(),
        stale: stale_votes(store, &dataset, query.topic)?,
    })
}

/// Which reviews miss which (model, run), in dataset order.
pub fn coverage_report(store: &Store, realm: Realm, query: CoverageQuery<'_>) -> Result<Vec<ReviewGap>, ApiError> {
    let Coverage { dataset, judgments, gaps, positions } = Coverage::load(store, realm, query)?;
    let open: Vec<usize> =
        positions.into_iter().filter(|position| judgments.answered(*position) != Answered::Complete).collect();
    let ids = dataset.review_ids(store, open.iter().copied())?;
    let members = judgments.ensemble().members();
    Ok(open
        .into_iter()
        .map(|position| {
            let business = dataset.business_of(position);
            let missing = judgments.missing(position).map(|(member, run)| {
                let reason = gaps.reason(member, Request { review: dataset.number(position), run });
                (members[member].model.to_string(), run, reason)
            });
            ReviewGap {
                business: dataset.view.businesses[business].id.to_string(),
                place: count(position - dataset.first(business, 1).start + 1),
                review_id: ids.get(&position).map_or_else(String::new, ToString::to_string),
                missing: missing.collect(),
            }
        })
        .collect())
}

/// Votes of this dataset's reviews on older definitions of the topic's terms.
pub fn stale_votes(store: &Store, dataset: &OpenDataset, topic: &Topic) -> Result<Vec<StaleVotes>, StoreError> {
    let present = topic.schema.term_hash();
    let mut stale = Vec::new();
    for space in dataset.spaces(&topic.id).filter(|space| space.term_hash != present) {
        let table = VoteTable::load(store, dataset, Some(space.number))?;
        let votes = (0..dataset.reviews()).map(|position| table.row(position).len()).sum();
        stale.push(StaleVotes { term_hash: space.term_hash.to_string(), votes: count(votes) });
    }
    stale.retain(|stale| stale.votes > 0);
    Ok(stale)
}

/// Votes of the ensemble in a row.
pub(crate) fn seated(judgments: &Judgments, row: VoteRow<'_>) -> u32 {
    count(row.iter().filter(|vote| judgments.panel().weight(row, vote.model, vote.run).is_some()).count())
}

/// The name of a value, for people: its id where the schema has no such value any more.
pub(crate) fn value_id(schema: &Schema, field: usize, value: Option<u8>) -> Option<String> {
    Some(schema.fields()[field].value_id(value?).to_owned())
}

pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
