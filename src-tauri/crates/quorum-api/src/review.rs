//! One review with its votes: what each said, what they settled to, and how sure that is.

use quorum_catalog::Catalog;
use quorum_core::{ids::DatasetName, manifest::Realm, prompt::cut, votes::decode};
use quorum_store::{ReviewRow, Store};

use crate::{
    Quorum,
    agreement::{of_field, of_relevance, whole},
    business::{day, review_state, stars},
    coverage::{count, value_id},
    dto::{
        business::{Relevance, ReviewDetail, ReviewField, ReviewQuery, ReviewVote},
        error::ApiError,
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    results::topic_of,
    topics::field_summary,
    verdicts::last_ensemble,
};

impl Quorum {
    /// [`review_detail`] of the votes that are looked at now.
    pub fn review_detail(&self, query: &ReviewQuery) -> Result<ReviewDetail, ApiError> {
        review_detail(self.store(), &self.catalog(), self.realm()?, query)
    }
}

pub fn review_detail(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    query: &ReviewQuery,
) -> Result<ReviewDetail, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let position = dataset.position_of(store, &query.review_id)?;
    let missing = || ApiError::not_found(format!("There is no review {}.", query.review_id));
    let row = store.review(dataset.number(position))?.ok_or_else(missing)?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &dataset, topic, &ensemble)?;
    Ok(detail_of(&dataset, &judgments, position, row, query))
}

/// The review at a position, for callers who have settled the votes already.
pub(crate) fn detail_of(
    dataset: &OpenDataset,
    judgments: &Judgments,
    position: usize,
    row: ReviewRow,
    query: &ReviewQuery,
) -> ReviewDetail {
    let schema = judgments.schema();
    let consensus = judgments.consensus(position);
    let business = dataset.business_of(position);
    let fields = schema.fields().iter().zip(&consensus.fields).enumerate();
    let fields = fields.map(|(at, (field, settled))| ReviewField {
        field: field_summary(field),
        value: value_id(schema, at, settled.value),
        confidence: settled.value.map(|_| settled.confidence),
        agreement: settled.value.and_then(|value| of_field(judgments, position, at, value)),
        tied: settled.tied,
        overridden: settled.overridden,
        cues: settled.value.map_or_else(Vec::new, |value| field.term.values[usize::from(value)].cues.clone()),
    });
    let is_known = judgments.answered(position) != Answered::Unasked || consensus.relevance_confidence > 0.0;
    let (sent, was_cut) = cut(&row.text);
    ReviewDetail {
        query: query.clone(),
        business: dataset.view.businesses[business].id.to_string(),
        position: count(position - dataset.first(business, 1).start + 1),
        date: row.date.map(day),
        stars: stars(Some(&row)),
        useful: row.useful.unwrap_or(0),
        cut_at: was_cut.then(|| count(sent.encode_utf16().count())),
        state: review_state(judgments.answered(position)),
        relevance: Relevance {
            relevant: is_known.then_some(consensus.relevant),
            tied: consensus.relevance_tied,
            agreement: of_relevance(judgments, position, consensus.relevant),
        },
        fields: fields.collect(),
        votes: votes(judgments, position),
        weight_total: whole(judgments.ensemble().total_weight()),
        text: row.text,
    }
}

/// The ensemble's votes on a review, in its order.
fn votes(judgments: &Judgments, position: usize) -> Vec<ReviewVote> {
    let (schema, row) = (judgments.schema(), judgments.row(position));
    let mut votes = Vec::new();
    for (at, member) in judgments.ensemble().members().iter().enumerate() {
        for vote in row.iter() {
            let seat = judgments.panel().seat(row, vote.model, vote.run).filter(|seat| seat.member == at);
            // A model that sat here before is named as itself.
            let Some(model) = seat.and_then(|seat| member.models().nth(seat.rank)) else { continue };
            let values = decode(schema, vote.codes);
            votes.push(ReviewVote {
                model: model.to_string(),
                run: u32::from(vote.run),
                weight: whole(member.weight),
                relevant: vote.relevant,
                values: values.into_iter().enumerate().map(|(at, value)| value_id(schema, at, value)).collect(),
            });
        }
    }
    votes
}
