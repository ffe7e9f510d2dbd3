//! From a wish ("the missing votes of topic T on dataset D at K with ensemble E") to a plan and its price. Sends nothing and
//! writes nothing.

use quorum_core::{
    ensemble::{Ensemble, Member},
    estimate::{ModelEstimate, OutputBasis, estimate, estimate_of},
    ids::{DatasetName, ModelId},
    manifest::Realm,
    models::{Model, ModelTable, Usage},
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
    draft_with_ladder(store, dataset, wish, &[]).map(|(draft, _)| draft)
}

/// Plans what is missing at this K, and sums up what each of several Ks would take, in their order; all in one scan.
pub fn draft_with_ladder(
    store: &Store,
    dataset: &DatasetView,
    wish: DraftRequest<'_>,
    ks: &[u32],
) -> Result<(Draft, Vec<LadderStep>), StoreError> {
    let members = wish.ensemble.members();
    let space = store.space(wish.realm, &wish.topic.id, &wish.topic.schema.term_hash())?;
    let claims = match &space {
        Some(space) => store.claims(space.number, &[])?,
        None => Claims::default(),
    };
    let places: Vec<Place> = members.iter().map(|member| claims.place(None, wish.ensemble, &member.model)).collect();
    let votes = VotesOf::load(store, space.as_ref().map(|space| space.number), dataset)?;
    let numbers: Vec<(&ModelId, Option<ModelNo>)> =
        members.iter().flat_map(Member::models).map(|model| (model, store.model_no(model))).collect();
    let number = |model: &ModelId| numbers.iter().find(|(known, _)| *known == model).and_then(|(_, number)| *number);
    let fixed = u64::from(tokens::fixed(wish.topic));
    let writers: Vec<RequestWriter> =
        members.iter().map(|member| RequestWriter::new(wish.topic, member.model.as_str())).collect();
    let mut wanted: Vec<Vec<SizedRequest>> = vec![Vec::new(); members.len()];
    let (mut reviews, mut held) = (0_u32, 0_u64);
    let mut rungs: Vec<Rung> = ks.iter().map(|k| Rung::new(*k, members.len())).collect();
    let deepest = ks.iter().copied().fold(wish.k, u32::max);
    let facts = dataset.businesses.iter().flat_map(|business| (0..deepest).zip(&business.reviews));
    for (place, fact) in facts {
        let is_planned = place < wish.k;
        reviews += u32::from(is_planned);
        for rung in rungs.iter_mut().filter(|rung| place < rung.k) {
            rung.reviews += 1;
        }
        for (member, run) in missing(wish.ensemble, votes.row(fact.number), number, |_, _| false) {
            let request = Request { review: fact.number, run };
            if claims.holds(&places[member], request) {
                held += u64::from(is_planned);
                continue;
            }
            let tokens = fixed + u64::from(fact.tokens);
            for rung in rungs.iter_mut().filter(|rung| place < rung.k) {
                let (requests, prompt) = &mut rung.asked[member];
                *requests += 1;
                *prompt += tokens;
            }
            if is_planned {
                let bytes = writers[member].line_bytes(fact.number, run, fact.bytes);
                wanted[member].push(SizedRequest { request, bytes, tokens });
            }
        }
    }
    let needed = u64::from(reviews) * u64::from(wish.ensemble.requests());
    let missing: u64 = wanted.iter().map(|requests| requests.len() as u64).sum();
    let history = History::load(store, wish)?;
    let priced: Vec<(Option<&Model>, OutputBasis)> = members
        .iter()
        .map(|member| {
            let model = wish.models.get(member.model.as_str());
            (model, history.output(&member.model, wish.topic, model.map_or(0, |model| model.reasoning_tokens)))
        })
        .collect();
    let shares = members
        .iter()
        .zip(wanted)
        .zip(&priced)
        .map(|((member, requests), (model, output))| {
            let batches = split_by(&member.model, requests, (wish.limits)(&member.model), false);
            let estimate = estimate(&batches, *model, *output);
            ModelShare { model: member.model.clone(), batches, estimate, output: *output }
        })
        .collect();
    let draft = Draft {
        dataset: dataset.info.name.clone(),
        ensemble: wish.ensemble.clone(),
        businesses: dataset.info.businesses,
        reviews,
        needed,
        known: needed - missing - held,
        in_flight: held,
        shares,
    };
    Ok((draft, rungs.into_iter().map(|rung| rung.step(&priced)).collect()))
}

/// What one K would take, while it is summed up.
struct Rung {
    k: u32,
    reviews: u32,
    /// Requests and prompt tokens by member.
    asked: Vec<(u64, u64)>,
}

impl Rung {
    fn new(k: u32, members: usize) -> Self {
        Self { k, reviews: 0, asked: vec![(0, 0); members] }
    }

    fn step(self, priced: &[(Option<&Model>, OutputBasis)]) -> LadderStep {
        let asked = self.asked.iter().zip(priced).filter(|((requests, _), _)| *requests > 0);
        LadderStep {
            k: self.k,
            reviews: self.reviews,
            requests: self.asked.iter().map(|(requests, _)| requests).sum(),
            usd: asked
                .map(|((requests, tokens), (model, output))| estimate_of(*requests, *tokens, *model, *output).usd)
                .sum(),
        }
    }
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
    /// Sorted.
    reviews: Vec<ReviewNo>,
    rows: Vec<u8>,
    /// (start, end) into `rows`, one a review; none where nothing is stored.
    spans: Vec<(usize, usize)>,
}

impl VotesOf {
    fn load(store: &Store, space: Option<u32>, dataset: &DatasetView) -> Result<Self, StoreError> {
        let mut votes = Self { reviews: Vec::new(), rows: Vec::new(), spans: Vec::new() };
        let Some(space) = space else { return Ok(votes) };
        votes.reviews = dataset
            .businesses
            .iter()
            .flat_map(|business| business.reviews.iter().map(|review| review.number))
            .collect();
        votes.reviews.sort_unstable();
        votes.spans = vec![(0, 0); votes.reviews.len()];
        // Both sides come in the order of review numbers.
        let mut ours = votes.reviews.iter().zip(&mut votes.spans).peekable();
        store.each_votes(space, |review, row| {
            while ours.next_if(|(number, _)| **number < review).is_some() {}
            if let Some((_, span)) = ours.next_if(|(number, _)| **number == review) {
                let start = votes.rows.len();
                votes.rows.extend_from_slice(row.as_bytes());
                *span = (start, votes.rows.len());
            }
        })?;
        Ok(votes)
    }

    fn row(&self, review: ReviewNo) -> VoteRow<'_> {
        let span = self.reviews.binary_search(&review).map(|at| self.spans[at]);
        match span {
            Ok((start, end)) if start < end => {
                VoteRow::read(&self.rows[start..end]).expect("the store checked the row")
            }
            _ => VoteRow::empty(),
        }
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
