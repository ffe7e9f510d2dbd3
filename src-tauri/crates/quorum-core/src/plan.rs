//! The planner: which requests are missing, and how they are split into batches. Pure and deterministic.
//!
//! Not here: reading votes and reviews (quorum-store), sending anything (quorum-engine).

use crate::{
    ensemble::Ensemble,
    ids::ModelId,
    votes::{ModelNo, ReviewNo, VoteRow},
};

/// One thing to ask: this review, this run. The model is the batch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub review: ReviewNo,
    pub run: u8,
}

/// A request with what it takes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizedRequest {
    pub request: Request,
    /// Bytes of its line in the input file.
    pub bytes: u64,
    /// Prompt tokens.
    pub tokens: u64,
}

/// What one batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    pub requests_max: u32,
    pub bytes_max: u64,
    /// The model's enqueued-token allowance where one is known.
    pub tokens_max: Option<u64>,
}

/// Requests in a batch unless the settings say otherwise; the provider's own cap is 50,000.
pub const REQUESTS_MAX: u32 = 40_000;

/// Bytes of an input file; the provider's own cap is 200 MB (209,715,200 bytes by its own message).
pub const BYTES_MAX: u64 = 190_000_000;

impl Default for BatchLimits {
    fn default() -> Self {
        Self { requests_max: REQUESTS_MAX, bytes_max: BYTES_MAX, tokens_max: None }
    }
}

/// One provider job to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPlan {
    pub model: ModelId,
    /// In the order of the input file.
    pub requests: Vec<Request>,
    pub bytes: u64,
    pub tokens: u64,
}

/// The (member, run) pairs of the ensemble that a review lacks, by the exact run numbers: a review that has runs 2 and 3 lacks
/// run 1. `number` gives a model's number in the store, `in_flight` says whether a request was sent already.
pub fn missing<'a>(
    ensemble: &'a Ensemble,
    row: VoteRow<'a>,
    number: impl Fn(&ModelId) -> Option<ModelNo> + 'a,
    in_flight: impl Fn(ModelNo, u8) -> bool + 'a,
) -> impl Iterator<Item = (usize, u8)> + 'a {
    ensemble.members().iter().enumerate().flat_map(move |(at, member)| {
        let models: Vec<ModelNo> = member.models().filter_map(&number).collect();
        let is_held = |run| models.iter().any(|model| row.contains(*model, run) || in_flight(*model, run));
        let missing: Vec<(usize, u8)> = (1..=member.runs).filter(|run| !is_held(*run)).map(|run| (at, run)).collect();
        missing
    })
}

/// Cuts one model's requests into batches, in order: a batch is closed when the next request would break a limit. A single request
/// above the limits of bytes or tokens still gets a batch of its own, so that the provider's answer tells about it.
pub fn split(model: &ModelId, requests: impl IntoIterator<Item = SizedRequest>, limits: BatchLimits) -> Vec<BatchPlan> {
    let fresh = || BatchPlan { model: model.clone(), requests: Vec::new(), bytes: 0, tokens: 0 };
    let mut batches = Vec::new();
    let mut open = fresh();
    for next in requests {
        let full = !open.requests.is_empty()
            && (u32::try_from(open.requests.len()).is_ok_and(|count| count >= limits.requests_max.max(1))
                || open.bytes + next.bytes > limits.bytes_max
                || limits.tokens_max.is_some_and(|max| open.tokens + next.tokens > max));
        if full {
            batches.push(std::mem::replace(&mut open, fresh()));
        }
        open.requests.push(next.request);
        open.bytes += next.bytes;
        open.tokens += next.tokens;
    }
    if !open.requests.is_empty() {
        batches.push(open);
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::votes::{Vote, merge};

    fn sized(review: u32, run: u8) -> SizedRequest {
        SizedRequest { request: Request { review: ReviewNo(review), run }, bytes: 100, tokens: 10 }
    }

    #[test]
    fn the_published_run_makes_three_batches() {
        let batches = |runs: u8| {
            let requests = (0..18_440).flat_map(|review| (1..=runs).map(move |run| sized(review, run)));
            split(&"m".into(), requests, BatchLimits::default())
                .iter()
                .map(|batch| batch.requests.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(batches(1), [18_440]);
        assert_eq!(batches(3), [40_000, 15_320]);
    }

    #[test]
    fn missing_votes_go_by_the_exact_run() {
        let vote = |run| Vote { model: ModelNo(5), run, relevant: true, imported: false, at: 0, codes: vec![] };
        let mut row = Vec::new();
        merge(VoteRow::empty(), &[vote(2), vote(3)], 0, &mut row);
        let row = VoteRow::read(&row).expect("row");
        let ensemble = Ensemble::standard();
        let number = |model: &ModelId| (model.as_str() == "gpt-5-nano").then_some(ModelNo(5));
        let lacks: Vec<_> = missing(&ensemble, row, number, |_, _| false).collect();
        assert_eq!(lacks, [(0, 1), (1, 1)]);
        let lacks: Vec<_> = missing(&ensemble, row, number, |model, run| model == ModelNo(5) && run == 1).collect();
        assert_eq!(lacks, [(0, 1)]);
        // Who takes another's place is asked only what that one has not answered.
        let replaced = ensemble.replaced(&"gpt-5-nano".into(), &"gpt-6-luna".into()).expect("it sits there");
        let lacks: Vec<_> = missing(&replaced, row, number, |_, _| false).collect();
        assert_eq!(lacks, [(0, 1), (1, 1)]);
    }

    proptest! {
        #[test]
        fn a_split_keeps_every_request_in_order_within_the_limits(
            sizes in prop::collection::vec((1_u64..50, 1_u64..50), 0..60),
            requests_max in 1_u32..9, bytes_max in 1_u64..120, tokens_max in prop::option::of(1_u64..120),
        ) {
            let requests: Vec<SizedRequest> = (0..).zip(&sizes)
                .map(|(review, (bytes, tokens))| SizedRequest { request: Request { review: ReviewNo(review), run: 1 }, bytes: *bytes, tokens: *tokens })
                .collect();
            let limits = BatchLimits { requests_max, bytes_max, tokens_max };
            let batches = split(&"m".into(), requests.iter().copied(), limits);
            let flat: Vec<Request> = batches.iter().flat_map(|batch| batch.requests.clone()).collect();
            prop_assert_eq!(flat, requests.iter().map(|sized| sized.request).collect::<Vec<_>>());
            for batch in batches {
                prop_assert!(batch.requests.len() <= requests_max as usize);
                prop_assert!(batch.requests.len() == 1 || (batch.bytes <= bytes_max && tokens_max.is_none_or(|max| batch.tokens <= max)));
            }
        }
    }
}
