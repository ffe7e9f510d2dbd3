//! Stakes: the verdicts of one business if one of its reviews had settled otherwise.
//!
//! Only the business's own judgments are judged again, so a queue of thousands of labels costs milliseconds.

use quorum_core::{
    tally::Consensus,
    topic::Topic,
    verdict::{Judge, Judgment},
};

use crate::{judgments::Judgments, open_dataset::OpenDataset, verdicts::Docket};

/// One verdict a policy, as an index into the policy's outcomes; `None`: no verdict.
pub(crate) type Verdicts = Vec<Option<u32>>;

pub(crate) struct Stakes<'a> {
    dataset: &'a OpenDataset,
    judgments: &'a Judgments,
    judges: Vec<Judge<'a>>,
    docket: Docket<'a>,
    k: u32,
}

impl<'a> Stakes<'a> {
    /// `k` is one K, as a docket wants it: a slice of one.
    pub fn new(dataset: &'a OpenDataset, judgments: &'a Judgments, topic: &'a Topic, k: &'a [u32; 1]) -> Self {
        Self {
            dataset,
            judgments,
            judges: topic.policies.iter().map(|policy| Judge::new(policy, judgments.schema())).collect(),
            docket: Docket::new(dataset, judgments, k, false),
            k: k[0],
        }
    }

    pub fn now(&self, business: usize) -> Verdicts {
        let judged = |judge| self.docket.judge_business(judge, business, 0).verdict;
        self.judges.iter().map(|judge| judged(judge).and_then(|verdict| verdict.index)).collect()
    }

    /// The verdicts of the review's business if the review settled so. A review that no verdict uses changes none.
    pub fn with(&self, position: usize, settled: &Consensus) -> Verdicts {
        let business = self.dataset.business_of(position);
        let is_within = self.dataset.first(business, self.k).contains(&position);
        if !is_within || !self.judgments.is_used(position, false) {
            return self.now(business);
        }
        let values: Vec<Option<u8>> = settled.fields.iter().map(|field| field.value).collect();
        let own = self.judgments.judgment(self.dataset, position);
        let others = self.docket.of(business, 0);
        let at = others.partition_point(|other| other.review < own.review);
        let behind = at + usize::from(others.get(at).is_some_and(|other| other.review == own.review));
        let mut judgments: Vec<Judgment<'_>> = others[..at].to_vec();
        if settled.relevant {
            judgments.push(Judgment { relevant: true, values: &values, ..own });
        }
        judgments.extend_from_slice(&others[behind..]);
        let categories = &self.dataset.view.businesses[business].categories;
        self.judges.iter().map(|judge| judge.judge(&judgments, categories, self.k).index).collect()
    }
}
