//! From a wish ("the missing votes of topic T on dataset D at K with ensemble E") to a plan and its price. Sends nothing and
//! writes nothing.

use std::collections::HashSet;

use quorum_core::{
    ensemble::Ensemble,
    estimate::{ModelEstimate, OutputBasis, estimate},
    ids::{DatasetName, ModelId},
    manifest::Realm,
    models::{ModelTable, Usage},
    plan::{BatchLimits, BatchPlan, Request, SizedRequest, missing},
    prompt::RequestWriter,
    tokens,
    topic::Topic,
    votes::{ModelNo, ReviewNo, VoteRow},
};
use quorum_store::{Claims, DatasetView, Place, Store, StoreError};

use crate::parts::split_by;

/// What is wanted.
#[derive(Clone, Copy)]
pub struct DraftRequest<'a> {
    pub realm: Realm,
    pub topic: &'a Topic,
    pub k: u32,
    pub ensemble: &'a Ensemble,
    pub models: &'a ModelTable,
    /// Per model: requests, bytes and the queue allowance.
    pub limits: &'a dyn Fn(&ModelId) -> BatchLimits,
}

/// A plan that nobody has agreed to yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub dataset: DatasetName,
    pub ensemble: Ensemble,
    pub businesses: u32,
    pub reviews: u32,
    /// Votes that the ensemble needs for these reviews.
    pub needed: u64,
    pub known: u64,
    /// Asked already in other live runs.
    pub in_flight: u64,
    pub shares: Vec<ModelShare>,
}

/// One model's part of a draft.
#[derive(Clone, Debug)]
pub struct ModelShare {
    pub model: ModelId,
    pub batches: Vec<DraftBatch>,
    pub estimate: ModelEstimate,
    pub output: OutputBasis,
}

pub type DraftBatch = BatchPlan;

impl Draft {
    pub fn requests(&self) -> u64 {
        self.shares.iter().map(|share| share.estimate.requests).sum()
    }

    /// With the batch discount; `None` when a model that is asked has no price.
    pub fn usd(&self) -> Option<f64> {
        self.priced(|estimate| estimate.usd)
    }

    pub fn usd_full(&self) -> Option<f64> {
        self.priced(|estimate| estimate.usd_full)
    }

    fn priced(&self, price: impl Fn(&ModelEstimate) -> Option<f64>) -> Option<f64> {
        self.shares.iter().filter(|share| share.estimate.requests > 0).map(|share| price(&share.estimate)).sum()
    }
}

/// Plans what is missing at this K.
pub fn draft(store: &Store, dataset: &DatasetView, wish: DraftRequest<'_>) -> Result<Draft, StoreError> {
    let members = wish.ensemble.members();
    let space = store.space(wish.realm, &wish.topic.id, &wish.topic.schema.term_hash())?;
    let claims = match &space {
        Some(space) => store.claims(space.number, &[])?,
        None => Claims::default(),
    };
    let places: Vec<Place> = members.iter().map(|member| claims.place(None, wish.ensemble, &member.model)).collect();
    let votes = VotesOf::load(store, space.as_ref().map(|space| space.number), dataset)?;
    let fixed = u64::from(tokens::fixed(wish.topic));
    let writers: Vec<RequestWriter> =
        members.iter().map(|member| RequestWriter::new(wish.topic, member.model.as_str())).collect();
    let mut wanted: Vec<Vec<SizedRequest>> = vec![Vec::new(); members.len()];
    let (mut reviews, mut held) = (0_u32, 0_u64);
    for fact in dataset.businesses.iter().flat_map(|business| business.reviews.iter().take(wish.k as usize)) {
        reviews += 1;
        let number = |model: &ModelId| store.model_no(model);
        for (member, run) in missing(wish.ensemble, votes.row(fact.number), number, |_, _| false) {
            let request = Request { review: fact.number, run };
            if claims.holds(&places[member], request) {
                held += 1;
                continue;
            }
            wanted[member].push(SizedRequest {
                request,
                bytes: writers[member].line_bytes(fact.number, run, fact.bytes),
                tokens: fixed + u64::from(fact.tokens),
            });
        }
    }
    let needed = u64::from(reviews) * u64::from(wish.ensemble.requests());
    let missing: u64 = wanted.iter().map(|requests| requests.len() as u64).sum();
    let history = History::load(store, wish)?;
    let shares = members
        .iter()
        .zip(wanted)
        .map(|(member, requests)| {
            let batches = split_by(&member.model, requests, (wish.limits)(&member.model), false);
            let model = wish.models.get(member.model.as_str());
            let output = history.output(&member.model, wish.topic, model.map_or(0, |model| model.reasoning_tokens));
            let estimate = estimate(&batches, model, output);
            ModelShare { model: member.model.clone(), batches, estimate, output }
        })
        .collect();
    Ok(Draft {
        dataset: dataset.info.name.clone(),
        ensemble: wish.ensemble.clone(),
        businesses: dataset.info.businesses,
        reviews,
        needed,
        known: needed - missing - held,
        in_flight: held,
        shares,
    })
}

/// Whether a draft is still what is missing: no request of it was asked by another run or answered since it was made.
pub fn is_current(store: &Store, realm: Realm, topic: &Topic, draft: &Draft) -> Result<bool, StoreError> {
    let Some(space) = store.space(realm, &topic.id, &topic.schema.term_hash())? else { return Ok(true) };
    let claims = store.claims(space.number, &[])?;
    for share in &draft.shares {
        let place = claims.place(None, &draft.ensemble, &share.model);
        let models: Vec<ModelNo> = place.models().filter_map(|model| store.model_no(model)).collect();
        for request in share.batches.iter().flat_map(|batch| &batch.requests) {
            let is_answered = store.votes_of(space.number, request.review, |row| {
                models.iter().any(|model| row.contains(*model, request.run))
            })?;
            if is_answered || claims.holds(&place, *request) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The stored votes of a dataset's reviews, read in one scan.
struct VotesOf {
    rows: Vec<u8>,
    /// (start, end) into `rows` by review number.
    spans: std::collections::HashMap<ReviewNo, (usize, usize)>,
}

impl VotesOf {
    fn load(store: &Store, space: Option<u32>, dataset: &DatasetView) -> Result<Self, StoreError> {
        let mut votes = Self { rows: Vec::new(), spans: std::collections::HashMap::new() };
        let Some(space) = space else { return Ok(votes) };
        let ours: HashSet<ReviewNo> = dataset
            .businesses
            .iter()
            .flat_map(|business| business.reviews.iter().map(|review| review.number))
            .collect();
        store.each_votes(space, |review, row| {
            if ours.contains(&review) {
                let start = votes.rows.len();
                votes.rows.extend_from_slice(row.as_bytes());
                votes.spans.insert(review, (start, votes.rows.len()));
            }
        })?;
        Ok(votes)
    }

    fn row(&self, review: ReviewNo) -> VoteRow<'_> {
        self.spans.get(&review).map_or(VoteRow::empty(), |(start, end)| {
            VoteRow::read(&self.rows[*start..*end]).expect("the store checked the row")
        })
    }
}

/// Mean output tokens per request of a topic's earlier batches, per model.
struct History(std::collections::BTreeMap<ModelId, (Usage, u64)>);

/// Fewer answers than this say little about the mean.
const HISTORY_REQUESTS_MIN: u64 = 20;

impl History {
    fn load(store: &Store, wish: DraftRequest<'_>) -> Result<Self, StoreError> {
        let mut sums = std::collections::BTreeMap::new();
        for manifest in store.manifests()? {
            if manifest.topic != wish.topic.id || manifest.realm != wish.realm {
                continue;
            }
            for batch in store.batches(manifest.id)? {
                if batch.votes > 0 {
                    let (usage, requests) = sums.entry(batch.model).or_insert((Usage::default(), 0));
                    *usage += batch.usage;
                    *requests += u64::from(batch.votes);
                }
            }
        }
        Ok(Self(sums))
    }

    fn output(&self, model: &ModelId, topic: &Topic, reasoning: u32) -> OutputBasis {
        match self.0.get(model) {
            #[expect(clippy::cast_precision_loss, reason = "token sums stay far below 2^53")]
            Some((usage, requests)) if *requests >= HISTORY_REQUESTS_MIN => {
                OutputBasis::History(usage.output as f64 / *requests as f64)
            }
            _ => OutputBasis::Guess { answer: tokens::answer_max(topic), reasoning },
        }
    }
}

/// What each K would take, for the choice of K.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LadderStep {
    pub k: u32,
    pub reviews: u32,
    pub requests: u64,
    pub usd: Option<f64>,
}

/// Drafts several K from the sizes of one draft's highest K: one scan, then sums. Ks in rising order.
pub fn ladder(
    store: &Store,
    dataset: &DatasetView,
    wish: DraftRequest<'_>,
    ks: &[u32],
) -> Result<Vec<LadderStep>, StoreError> {
    ks.iter()
        .map(|k| {
            let draft = draft(store, dataset, DraftRequest { k: *k, ..wish })?;
            Ok(LadderStep { k: *k, reviews: draft.reviews, requests: draft.requests(), usd: draft.usd() })
        })
        .collect()
}
