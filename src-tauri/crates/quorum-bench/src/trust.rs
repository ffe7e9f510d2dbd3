//! What the pages take that another aggregator than weighted majority stands behind: the first look, which learns from the
//! votes, and the next one, which finds what was learned.

use std::time::Instant;

use quorum_api::{
    Address, OpenOptions, Quorum,
    dto::{
        error::ApiError,
        queue::{QueueOrder, QueueQuery},
        results::ResultsQuery,
        trust::{AggregatorId, GoldLabelRequest, LabelledField, TrustQuery},
    },
};
use quorum_catalog::builtin;
use quorum_core::topic::Topic;
use serde::Serialize;

use crate::{BenchError, folder::Folder};

/// Milliseconds of a page, the first time and again.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Looks {
    pub first_ms: f64,
    pub again_ms: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct TrustRun {
    pub topic: String,
    pub reviews: u32,
    pub gold: u32,
    pub results: Looks,
    pub business: Looks,
    pub certainties: Looks,
    pub report: Looks,
    pub queue_by_value: Looks,
}

const K: u32 = 200;
const SAMPLE: u32 = 40;
const WHO: &str = "bench";

/// Labels a sample, settles the topic of the ingested store that can be answered in most ways by the learned blend, looks at
/// every page twice, and puts weighted majority back. The labels stay; another call draws others.
pub fn trust(folder: &Folder) -> Result<TrustRun, BenchError> {
    let store = folder.open(&folder.ingested())?;
    let manifests = store.manifests()?;
    let asked = builtin().topics().iter().filter(|topic| manifests.iter().any(|manifest| manifest.topic == topic.id));
    let largest = asked.max_by_key(|topic| ways(topic)).ok_or_else(|| BenchError::NotMade(folder.ingested()))?;
    let topic = largest.id.to_string();
    drop(store);
    let ingested = folder.ingested();
    let mut options = OpenOptions::new(ingested.parent().expect("the store lies in a folder"));
    options.provider = Some(Address::read("openai")?);
    let quorum = Quorum::open(options)?;
    let query = TrustQuery { dataset: Folder::dataset_name().to_string(), topic, k: K };
    let gold = label(&quorum, &query)?;
    quorum.aggregator_choose(&query, AggregatorId::Stacked)?;
    let TrustQuery { dataset, topic, k } = query.clone();
    let wanted = ResultsQuery { dataset: dataset.clone(), topic: topic.clone(), k, compare_k: None };
    let overview = quorum.results_overview(&wanted)?;
    let business = overview.rows.first().map(|row| row.business.clone()).unwrap_or_default();
    let by_value = QueueQuery { dataset, topic, k, order: QueueOrder::Value };
    let run = TrustRun {
        topic: query.topic.clone(),
        reviews: overview.reviews,
        gold,
        results: looks(&quorum, &query, || quorum.results_overview(&wanted).map(drop))?,
        business: looks(&quorum, &query, || quorum.business_certainty(&query, &business).map(drop))?,
        certainties: looks(&quorum, &query, || quorum.verdict_certainties(&query).map(drop))?,
        report: looks(&quorum, &query, || quorum.trust_report(&query).map(drop))?,
        queue_by_value: looks(&quorum, &query, || quorum.queue_list(&by_value).map(drop))?,
    };
    quorum.aggregator_choose(&query, AggregatorId::WeightedMajority)?;
    Ok(run)
}

/// In how many ways a review can be answered.
fn ways(topic: &Topic) -> u128 {
    let values = topic.schema.fields().iter().map(|field| field.term.values.len() as u128 + 1);
    values.fold(1, u128::saturating_mul)
}

/// Two looks after a label that was taken back, so that nothing learned before fits.
fn looks(
    quorum: &Quorum,
    query: &TrustQuery,
    mut look: impl FnMut() -> Result<(), ApiError>,
) -> Result<Looks, BenchError> {
    quorum.gold_undo(query, WHO)?;
    let mut timed = || {
        let start = Instant::now();
        look().map(|()| start.elapsed().as_secs_f64() * 1e3)
    };
    Ok(Looks { first_ms: timed()?, again_ms: timed()? })
}

/// Every other review is said to be relevant, with the first value of every field: how right that is matters to no time.
fn label(quorum: &Quorum, query: &TrustQuery) -> Result<u32, BenchError> {
    let mut session = quorum.gold_draw(query, SAMPLE, WHO)?;
    let mut relevant = false;
    while let (Some(task), Some(draw)) = (session.next.take(), session.draw) {
        relevant = !relevant;
        let values = session.fields.iter().filter(|_| relevant).filter_map(|field| {
            let value = field.values.first()?.id.clone();
            Some(LabelledField { field: field.field.clone(), value })
        });
        let values = values.collect();
        let request = GoldLabelRequest { query: query.clone(), draw, review_id: task.review_id, relevant, values };
        session = quorum.gold_label(&request, WHO)?;
    }
    Ok(session.labelled)
}
