//! Votes as a sparse matrix: items in rows, judges in columns, a label code per vote.
//!
//! A row is stored as a run of (judge, label) pairs (compressed sparse rows), so that missing votes
//! cost nothing and 100,000 items by 200 judges take 120 MB. Deliberately not here: what an item, a
//! judge or a label means. The caller maps reviews, (model, run) pairs and term values to codes.

use serde::Serialize;
use thiserror::Error;

/// One vote: `judge` says that `item` has `label`. All three are zero-based codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Vote {
    pub item: u32,
    pub judge: u32,
    pub label: u16,
}

/// Who votes: one run of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judge {
    pub name: String,
    /// Judges with the same model are runs of it.
    pub model: String,
    /// Weight in weighted majority; positive and finite.
    pub weight: f64,
}

impl Judge {
    /// A judge of weight 1 that is the only run of a model of the same name.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { model: name.clone(), name, weight: 1.0 }
    }
}

/// Why votes do not make a matrix, or gold labels do not fit one.
#[derive(Debug, Error, PartialEq)]
pub enum MatrixError {
    #[error("vote {position} names item {item}, but there are {n_items} items")]
    ItemOutOfRange { position: usize, item: u32, n_items: usize },
    #[error("vote {position} names judge {judge}, but there are {n_judges} judges")]
    JudgeOutOfRange { position: usize, judge: u32, n_judges: usize },
    #[error("vote {position} has label {label}, but there are {n_labels} labels")]
    LabelOutOfRange { position: usize, label: u16, n_labels: usize },
    #[error("judge {judge:?} has weight {weight}; a weight is a positive finite number")]
    BadWeight { judge: String, weight: f64 },
    #[error("a matrix needs at least one label")]
    NoLabels,
    #[error("{n} labels are more than the 65,535 a vote can hold")]
    TooManyLabels { n: usize },
    #[error("gold item {item} is beyond the {n_items} items")]
    GoldItemOutOfRange { item: u32, n_items: usize },
    #[error("gold item {item} has label {label}, but there are {n_labels} labels")]
    GoldLabelOutOfRange { item: u32, label: u16, n_labels: usize },
    #[error("gold item {item} has sampling weight {weight}; it is a positive finite number")]
    GoldBadWeight { item: u32, weight: f64 },
    #[error("gold item {item} is labelled twice")]
    GoldRepeated { item: u32 },
}

/// Votes of judges on items. A judge may vote twice on an item; both votes count, as in Dawid and
/// Skene (1979).
#[derive(Debug, Clone, PartialEq)]
pub struct VoteMatrix {
    judges: Vec<Judge>,
    labels: Vec<String>,
    /// `row_starts[i]..row_starts[i + 1]` are the votes of item `i`.
    row_starts: Vec<usize>,
    vote_judges: Vec<u32>,
    vote_labels: Vec<u16>,
}

impl VoteMatrix {
    /// Builds the matrix. Votes may come in any order; within an item they are sorted by judge.
    pub fn new(n_items: usize, judges: Vec<Judge>, labels: Vec<String>, votes: &[Vote]) -> Result<Self, MatrixError> {
        let (n_judges, n_labels) = (judges.len(), labels.len());
        if n_labels == 0 {
            return Err(MatrixError::NoLabels);
        }
        if n_labels > usize::from(u16::MAX) {
            return Err(MatrixError::TooManyLabels { n: n_labels });
        }
        for judge in &judges {
            if !(judge.weight.is_finite() && judge.weight > 0.0) {
                return Err(MatrixError::BadWeight { judge: judge.name.clone(), weight: judge.weight });
            }
        }
        let mut row_starts = vec![0usize; n_items + 1];
        for (position, &Vote { item, judge, label }) in votes.iter().enumerate() {
            if item as usize >= n_items {
                return Err(MatrixError::ItemOutOfRange { position, item, n_items });
            }
            if judge as usize >= n_judges {
                return Err(MatrixError::JudgeOutOfRange { position, judge, n_judges });
            }
            if usize::from(label) >= n_labels {
                return Err(MatrixError::LabelOutOfRange { position, label, n_labels });
            }
            row_starts[item as usize + 1] += 1;
        }
        for item in 0..n_items {
            row_starts[item + 1] += row_starts[item];
        }
        let mut next = row_starts.clone();
        let mut vote_judges = vec![0u32; votes.len()];
        let mut vote_labels = vec![0u16; votes.len()];
        for vote in votes {
            let slot = &mut next[vote.item as usize];
            vote_judges[*slot] = vote.judge;
            vote_labels[*slot] = vote.label;
            *slot += 1;
        }
        let mut row = Vec::new();
        for item in 0..n_items {
            let range = row_starts[item]..row_starts[item + 1];
            if vote_judges[range.clone()].is_sorted() {
                continue;
            }
            row.clear();
            row.extend(range.clone().map(|v| (vote_judges[v], vote_labels[v])));
            row.sort_by_key(|&(judge, _)| judge);
            for (v, &(judge, label)) in range.zip(&row) {
                vote_judges[v] = judge;
                vote_labels[v] = label;
            }
        }
        Ok(Self { judges, labels, row_starts, vote_judges, vote_labels })
    }

    pub fn n_items(&self) -> usize {
        self.row_starts.len() - 1
    }

    pub fn n_judges(&self) -> usize {
        self.judges.len()
    }

    pub fn n_labels(&self) -> usize {
        self.labels.len()
    }

    pub fn n_votes(&self) -> usize {
        self.vote_judges.len()
    }

    pub fn judges(&self) -> &[Judge] {
        &self.judges
    }

    /// Label names; where labels are ordered, in their order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The (judge, label) votes of an item, by ascending judge.
    pub fn votes(&self, item: usize) -> impl ExactSizeIterator<Item = (usize, usize)> + Clone + '_ {
        let range = self.row_starts[item]..self.row_starts[item + 1];
        self.vote_judges[range.clone()]
            .iter()
            .zip(&self.vote_labels[range])
            .map(|(&judge, &label)| (judge as usize, usize::from(label)))
    }

    pub fn n_votes_of_item(&self, item: usize) -> usize {
        self.row_starts[item + 1] - self.row_starts[item]
    }

    /// How many votes each label got on an item, into `counts` (one entry per label).
    pub fn count_labels(&self, item: usize, counts: &mut [f64]) {
        counts.fill(0.0);
        for (_, label) in self.votes(item) {
            counts[label] += 1.0;
        }
    }

    /// One judge a model, in order of first mention, voting what most of its runs say. Where runs
    /// tie, the model votes once for each of the tied labels.
    pub fn by_model(&self) -> Self {
        let mut judges: Vec<Judge> = Vec::new();
        let mut model_codes = std::collections::HashMap::new();
        let model_of: Vec<u32> = (self.judges.iter())
            .map(|judge| {
                *model_codes.entry(judge.model.as_str()).or_insert_with(|| {
                    judges.push(Judge::named(judge.model.clone()));
                    (judges.len() - 1) as u32
                })
            })
            .collect();
        let mut by_model = Self {
            judges,
            labels: self.labels.clone(),
            row_starts: vec![0],
            vote_judges: Vec::new(),
            vote_labels: Vec::new(),
        };
        let mut row: Vec<(u32, u16)> = Vec::new();
        for item in 0..self.n_items() {
            row.clear();
            row.extend(self.votes(item).map(|(judge, label)| (model_of[judge], label as u16)));
            row.sort_unstable();
            for votes in row.chunk_by(|a, b| a.0 == b.0) {
                let counts = || votes.chunk_by(|a, b| a.1 == b.1);
                let most = counts().map(<[_]>::len).max().unwrap_or(0);
                for tied in counts().filter(|votes| votes.len() == most) {
                    by_model.vote_judges.push(tied[0].0);
                    by_model.vote_labels.push(tied[0].1);
                }
            }
            by_model.row_starts.push(by_model.vote_judges.len());
        }
        by_model
    }

    /// The same items and labels, with the votes of the judges that `keep` says yes to. Judges keep
    /// their codes, so that results stay comparable.
    pub fn retain_judges(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut row_starts = Vec::with_capacity(self.row_starts.len());
        let mut vote_judges = Vec::new();
        let mut vote_labels = Vec::new();
        row_starts.push(0);
        for item in 0..self.n_items() {
            for v in self.row_starts[item]..self.row_starts[item + 1] {
                if keep(self.vote_judges[v] as usize) {
                    vote_judges.push(self.vote_judges[v]);
                    vote_labels.push(self.vote_labels[v]);
                }
            }
            row_starts.push(vote_judges.len());
        }
        Self { judges: self.judges.clone(), labels: self.labels.clone(), row_starts, vote_judges, vote_labels }
    }
}
