//! Into how many batches one model's requests are cut.
//!
//! Not here: the stop of a run that would need more of them than anyone means (`queue`).

use quorum_core::{
    ids::ModelId,
    plan::{BatchLimits, BatchPlan, SizedRequest, split},
};

use crate::Draft;

/// Batches of one model that a run is cut into without asking. The smallest allowance of a paying account known (2 million tokens)
/// makes about 30 of 40,000 requests; far more is a slip of the pen, or an account that is not made for it.
pub(crate) const PARTS_MAX: usize = 200;

/// Cuts one model's requests into batches. Where it is the queue's allowance that makes crumbs of them, and the user has not said
/// that it may, it cuts nothing: the loop then asks before anything is sent, and a corrected allowance finds the plan whole.
pub(crate) fn split_by(
    model: &ModelId,
    requests: Vec<SizedRequest>,
    limits: BatchLimits,
    takes_crumbs: bool,
) -> Vec<BatchPlan> {
    let cut = split(model, requests.iter().copied(), limits);
    if takes_crumbs || cut.len() <= PARTS_MAX || limits.tokens_max.is_none() {
        return cut;
    }
    split(model, requests, BatchLimits { tokens_max: None, ..limits })
}

/// The models of a draft whose known queue allowance would make crumbs of it, with about how many batches that would be.
pub fn crumbs(draft: &Draft, limits: &dyn Fn(&ModelId) -> BatchLimits) -> Vec<(ModelId, u64)> {
    let parts = |batch: &BatchPlan, tokens_max: u64| {
        let requests = batch.requests.len() as u64;
        let of_one = (batch.tokens / requests.max(1)).max(1);
        requests.div_ceil((tokens_max / of_one).max(1))
    };
    let of_share = draft.shares.iter().filter_map(|share| {
        let tokens_max = limits(&share.model).tokens_max?;
        let parts: u64 = share.batches.iter().map(|batch| parts(batch, tokens_max)).sum();
        Some((share.model.clone(), parts))
    });
    of_share.filter(|(_, parts)| *parts > PARTS_MAX as u64).collect()
}

#[cfg(test)]
mod tests {
    use quorum_core::{plan::Request, votes::ReviewNo};

    use super::*;

    #[test]
    fn an_allowance_makes_no_crumbs_without_the_users_word() {
        let requests = |count: u32| -> Vec<SizedRequest> {
            let sized =
                |review| SizedRequest { request: Request { review: ReviewNo(review), run: 1 }, bytes: 100, tokens: 10 };
            (0..count).map(sized).collect()
        };
        let limits = |tokens_max| BatchLimits { requests_max: 400, bytes_max: 1 << 30, tokens_max };
        let parts = |count, tokens_max, takes_crumbs| {
            split_by(&"m".into(), requests(count), limits(tokens_max), takes_crumbs).len()
        };
        assert_eq!(parts(200, Some(10), false), 200);
        assert_eq!((parts(201, Some(10), false), parts(201, Some(10), true)), (1, 201));
        assert_eq!((parts(1_000, Some(10), false), parts(1_000, None, false)), (3, 3));
    }
}
