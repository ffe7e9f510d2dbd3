//! Judgments: what a topic's votes settle to, for every review of a dataset, ready for any policy and any K.
//!
//! Two steps, so that a question about other weights need not read the store again: [`VoteTable::load`] copies the topic's
//! rows in one scan, [`Judgments::tally`] settles them. Values lie in one flat array, `reviews × fields`; confidences are not
//! kept, as one review's consensus is computed again faster than all of them are remembered ([`Judgments::consensus`]).
//!
//! Not here: verdicts ([`crate::verdicts`]).

use std::{collections::BTreeMap, sync::Arc};

use quorum_core::{
    ensemble::Ensemble,
    recoding::Recoding,
    schema::Schema,
    tally::{Consensus, Correction, Panel, tally, tally_fields, tally_into},
    topic::Topic,
    trust::aggregate::Aggregator,
    verdict::Judgment,
    votes::VoteRow,
};
use quorum_store::{Store, StoreError};
use rayon::prelude::*;

use crate::{
    open_dataset::{OpenDataset, UnfitOverride},
    trust::{self, Applied, GoldAnswers, Settled},
};

/// The packed votes of one topic on one dataset, by position.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VoteTable {
    rows: Vec<u8>,
    /// Start and end in `rows`.
    spans: Vec<(usize, usize)>,
}

impl VoteTable {
    /// Reads a space in one scan; `None` is a topic that was never asked.
    pub fn load(store: &Store, dataset: &OpenDataset, space: Option<u32>) -> Result<Self, StoreError> {
        let mut table = Self { rows: Vec::new(), spans: vec![(0, 0); dataset.reviews()] };
        let Some(space) = space else { return Ok(table) };
        // Both sides come in the order of review numbers.
        let mut ours = dataset.by_number().iter().peekable();
        store.each_votes(space, |review, row| {
            while ours.next_if(|(number, _)| *number < review).is_some() {}
            if let Some((_, position)) = ours.next_if(|(number, _)| *number == review) {
                let start = table.rows.len();
                table.rows.extend_from_slice(row.as_bytes());
                table.spans[*position] = (start, table.rows.len());
            }
        })?;
        Ok(table)
    }

    /// The same votes as another schema codes them.
    fn recoded(&self, recoding: &Recoding) -> Self {
        let mut table = Self { rows: Vec::with_capacity(self.rows.len()), spans: vec![(0, 0); self.spans.len()] };
        let mut packed = Vec::new();
        for (position, span) in table.spans.iter_mut().enumerate() {
            let row = self.row(position);
            if row.is_empty() {
                continue;
            }
            recoding.row(row, &mut packed);
            *span = (table.rows.len(), table.rows.len() + packed.len());
            table.rows.extend_from_slice(&packed);
        }
        table
    }

    pub fn row(&self, position: usize) -> VoteRow<'_> {
        let (start, end) = self.spans[position];
        if start == end {
            return VoteRow::empty();
        }
        VoteRow::read(&self.rows[start..end]).expect("the store checked the row before it was copied")
    }
}

/// How much of a review's panel has answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answered {
    /// No vote of the ensemble is stored.
    #[default]
    Unasked,
    Partial,
    /// Every (model, run) of the ensemble is stored.
    Complete,
}

/// All reviews of a dataset under one topic and one ensemble.
#[derive(Debug)]
pub struct Judgments {
    schema: Schema,
    ensemble: Ensemble,
    panel: Panel,
    votes: Arc<VoteTable>,
    corrections: BTreeMap<usize, Correction>,
    /// Corrections that have no effect, and why.
    pub unfit: Vec<UnfitOverride>,
    relevant: Vec<bool>,
    answered: Vec<Answered>,
    /// `reviews × fields`, index in term order.
    values: Vec<Option<u8>>,
    /// What another aggregator than weighted majority makes of the votes.
    settled: Option<Arc<Settled>>,
}

/// Reviews that one task settles; small enough to share out evenly, large enough not to be noticed.
const REVIEWS_A_TASK: usize = 2_048;

impl Judgments {
    /// Reads and settles the votes of a topic by the aggregator that was chosen for it, and applies the corrections that hold.
    pub fn load(store: &Store, dataset: &OpenDataset, topic: &Topic, ensemble: &Ensemble) -> Result<Self, StoreError> {
        let space = dataset.space(&topic.id, &topic.schema);
        let mut votes = VoteTable::load(store, dataset, space.map(|space| space.number))?;
        if let Some(space) = space.filter(|space| !space.has_codes_of(&topic.schema)) {
            votes = votes.recoded(&Recoding::new(&space.schema(), &topic.schema));
        }
        let mut judgments = Self::tally(store, dataset, topic, ensemble, Arc::new(votes));
        let aggregator = trust::chosen(store, dataset.realm, &topic.id)?;
        if aggregator != Aggregator::WeightedMajority {
            let gold = GoldAnswers::load(store, dataset, topic)?;
            judgments.settled = Some(Settled::of(&judgments, topic, &gold, aggregator));
            (0..dataset.reviews()).for_each(|position| judgments.take_over(position));
        }
        Ok(judgments)
    }

    /// Settles votes that were read before, by weighted majority.
    pub fn tally(
        store: &Store,
        dataset: &OpenDataset,
        topic: &Topic,
        ensemble: &Ensemble,
        votes: Arc<VoteTable>,
    ) -> Self {
        let schema = topic.schema.clone();
        let panel = Panel::new(ensemble, |model| store.model_no(&model.into()));
        let (reviews, fields) = (dataset.reviews(), schema.fields().len());
        let (mut relevant, mut answered) = (vec![false; reviews], vec![Answered::Unasked; reviews]);
        let mut values = vec![None; reviews * fields];
        let chunks = relevant
            .par_chunks_mut(REVIEWS_A_TASK)
            .zip(answered.par_chunks_mut(REVIEWS_A_TASK))
            // A topic without fields has no values to settle, but its relevance still counts.
            .zip(par_rows_mut(&mut values, fields, reviews));
        chunks.enumerate().for_each(|(chunk, ((relevant, answered), values))| {
            let mut consensus = Consensus::default();
            for at in 0..relevant.len() {
                tally_into(&schema, &panel, votes.row(chunk * REVIEWS_A_TASK + at), &mut consensus);
                relevant[at] = consensus.relevant;
                answered[at] = Answered::of(&consensus);
                for (value, field) in values[at * fields..(at + 1) * fields].iter_mut().zip(&consensus.fields) {
                    *value = field.value;
                }
            }
        });
        let (corrections, unfit) = dataset.corrections(&topic.id, &schema);
        let ensemble = ensemble.clone();
        let mut judgments =
            Self { schema, ensemble, panel, votes, corrections, unfit, relevant, answered, values, settled: None };
        judgments.corrections.keys().copied().collect::<Vec<_>>().into_iter().for_each(|it| judgments.take_over(it));
        judgments
    }

    /// The same votes settled with other weights.
    pub fn reweighed(&self, store: &Store, dataset: &OpenDataset, topic: &Topic, ensemble: &Ensemble) -> Self {
        Self::tally(store, dataset, topic, ensemble, Arc::clone(&self.votes))
    }

    /// Keeps what a review's consensus says now.
    fn take_over(&mut self, position: usize) {
        let consensus = self.consensus(position);
        self.relevant[position] = consensus.relevant;
        let fields = self.schema.fields().len();
        for (value, field) in self.values[position * fields..(position + 1) * fields].iter_mut().zip(&consensus.fields)
        {
            *value = field.value;
        }
    }

    pub fn reviews(&self) -> usize {
        self.relevant.len()
    }

    /// The aggregator behind every consensus here.
    pub fn applied(&self) -> Applied {
        self.settled.as_ref().map(|settled| settled.applied.clone()).unwrap_or_default()
    }

    /// What another aggregator than weighted majority made of the votes.
    pub(crate) fn settled(&self) -> Option<&Settled> {
        self.settled.as_deref()
    }

    /// The packed votes behind all of this.
    pub(crate) fn votes(&self) -> Arc<VoteTable> {
        Arc::clone(&self.votes)
    }

    /// The correction that a review has.
    pub fn correction(&self, position: usize) -> Option<&Correction> {
        self.corrections.get(&position)
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    pub fn ensemble(&self) -> &Ensemble {
        &self.ensemble
    }

    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    pub fn answered(&self, position: usize) -> Answered {
        self.answered[position]
    }

    pub fn is_relevant(&self, position: usize) -> bool {
        self.relevant[position]
    }

    /// The settled values of a review, in field order.
    pub fn values(&self, position: usize) -> &[Option<u8>] {
        let fields = self.schema.fields().len();
        &self.values[position * fields..(position + 1) * fields]
    }

    /// The stored votes of a review, those outside the ensemble included.
    pub fn row(&self, position: usize) -> VoteRow<'_> {
        self.votes.row(position)
    }

    /// What one review's votes settle to, with confidences, corrections applied.
    pub fn consensus(&self, position: usize) -> Consensus {
        let mut consensus = self.voted(position);
        if let Some(correction) = self.corrections.get(&position) {
            consensus.correct(correction, |it| self.settle_fields(position, it));
        }
        consensus
    }

    /// What the review would settle to with one more correction.
    pub fn consensus_with(&self, position: usize, later: Correction) -> Consensus {
        let mut correction = self.corrections.get(&position).cloned().unwrap_or_default();
        correction.add(later);
        let mut consensus = self.voted(position);
        consensus.correct(&correction, |it| self.settle_fields(position, it));
        consensus
    }

    /// The fields of a review that the votes alone would not call relevant.
    fn settle_fields(&self, position: usize, consensus: &mut Consensus) {
        tally_fields(&self.schema, &self.panel, self.votes.row(position), consensus);
        if let Some(settled) = &self.settled {
            settled.settle_fields(position, consensus);
        }
    }

    /// Whether a person has said that the review is relevant, or that it is not; naming a value says that it is.
    pub fn is_relevance_settled(&self, position: usize) -> bool {
        self.corrections.get(&position).is_some_and(|known| known.relevant.is_some() || !known.values.is_empty())
    }

    /// What the votes alone say, as it is kept with a correction for the record.
    pub fn voted(&self, position: usize) -> Consensus {
        let mut consensus = tally(&self.schema, &self.panel, self.votes.row(position));
        if let Some(settled) = &self.settled {
            settled.settle(position, &mut consensus);
        }
        consensus
    }

    /// Whether a verdict uses the review: complete ones, and with `partial` those with at least one vote.
    pub fn is_used(&self, position: usize, partial: bool) -> bool {
        match self.answered[position] {
            Answered::Complete => true,
            Answered::Partial => partial,
            Answered::Unasked => false,
        }
    }

    /// The review as policies see it. Its `review` is the position.
    pub fn judgment(&self, dataset: &OpenDataset, position: usize) -> Judgment<'_> {
        Judgment {
            review: u32::try_from(position).expect("the store numbers reviews in 32 bits"),
            relevant: self.relevant[position],
            date: dataset.date(position),
            values: self.values(position),
        }
    }

    /// The members (by place in the ensemble) and runs that a review lacks.
    pub fn missing(&self, position: usize) -> impl Iterator<Item = (usize, u8)> {
        let row = self.votes.row(position);
        self.ensemble.members().iter().enumerate().flat_map(move |(at, member)| {
            (1..=member.runs).filter(move |run| !self.panel.has(row, at, *run)).map(move |run| (at, run))
        })
    }
}

/// The values of the reviews of each task.
fn par_rows_mut(
    values: &mut [Option<u8>],
    fields: usize,
    reviews: usize,
) -> impl IndexedParallelIterator<Item = &mut [Option<u8>]> {
    let mut chunks: Vec<&mut [Option<u8>]> = Vec::with_capacity(reviews.div_ceil(REVIEWS_A_TASK));
    let mut rest = values;
    for first in (0..reviews).step_by(REVIEWS_A_TASK) {
        let (chunk, tail) = rest.split_at_mut(fields * REVIEWS_A_TASK.min(reviews - first));
        chunks.push(chunk);
        rest = tail;
    }
    chunks.into_par_iter()
}

impl Answered {
    fn of(consensus: &Consensus) -> Self {
        match (consensus.complete, consensus.votes) {
            (true, _) => Self::Complete,
            (false, 0) => Self::Unasked,
            (false, _) => Self::Partial,
        }
    }
}
