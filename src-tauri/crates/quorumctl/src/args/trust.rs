//! `trust` as `clap` reads it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use quorum_api::dto::trust::AggregatorId;
use quorum_core::trust::sample::{SIZE_MAX, SIZE_MIN};

use super::{field_value, k};

#[derive(Debug, Subcommand)]
pub enum Trust {
    /// Evaluate the votes of a file: agreement, aggregators side by side, and which to use.
    Eval {
        /// CSV with the columns item,worker,label.
        file: PathBuf,
        /// CSV with the columns item,truth.
        #[arg(long, value_name = "FILE")]
        gold: Option<PathBuf>,
        /// The labels have an order, theirs when sorted.
        #[arg(long)]
        ordered: bool,
        /// Only the votes of these workers.
        #[arg(long, value_name = "W[,W…]", value_delimiter = ',')]
        workers: Vec<String>,
        /// Every worker is a model of its own [default: `model/run` is a run of a model].
        #[arg(long)]
        workers_alone: bool,
        /// Also rehearse: draw a few gold labels many times, and score what would be recommended on the other items.
        #[arg(long, requires = "gold")]
        trial: bool,
        /// Gold labels of a rehearsal's draw.
        #[arg(long, value_name = "N", default_value_t = 40)]
        labels: usize,
        /// Draws of a rehearsal.
        #[arg(long, value_name = "N", default_value_t = 200)]
        draws: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The same of a topic's own votes and gold labels.
    Report(TrustAbout),
    /// Choose the aggregator that settles a topic's votes. Results are computed anew, nothing is asked again.
    Use {
        /// weighted-majority (the default), majority, dawid-skene, one-coin, best-single, calibrated, anchored or stacked.
        #[arg(value_parser = aggregator)]
        aggregator: AggregatorId,
        #[command(flatten)]
        about: TrustAbout,
    },
    /// Draw reviews to label: by disagreement, by predicted value and at random, with known chances.
    Sample {
        #[command(flatten)]
        about: TrustAbout,
        /// 20 to 60 reviews.
        #[arg(long, default_value_t = 40, value_parser = size)]
        size: u32,
        /// Who labels [default: the system's user].
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
    },
    /// The next review to label, without what the models said.
    Next(TrustAbout),
    /// Label the sample's review: `not-relevant`, or `relevant` and a value for every field that can be told.
    Label {
        review: String,
        relevance: Relevance,
        #[arg(value_name = "FIELD=VALUE", value_parser = field_value)]
        values: Vec<(String, String)>,
        #[command(flatten)]
        about: TrustAbout,
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
    },
    /// Take the last label back.
    Undo {
        #[command(flatten)]
        about: TrustAbout,
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
    },
    /// How sure every verdict is, and how many of each are to be expected.
    Verdicts {
        #[command(flatten)]
        about: TrustAbout,
        /// One business, with the reviews that could flip its verdicts.
        #[arg(long, value_name = "ID")]
        business: Option<String>,
    },
    /// The reviews whose correction is expected to change most verdicts, most valuable first.
    Queue {
        #[command(flatten)]
        about: TrustAbout,
        /// How many to show.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// What each vote on a review adds, and what the same money would buy otherwise.
    Advice(TrustAbout),
}

#[derive(Args, Debug)]
pub struct TrustAbout {
    #[arg(long, value_name = "NAME")]
    pub dataset: String,
    #[arg(long, value_name = "TOPIC")]
    pub topic: String,
    /// Reviews of each business that gold is drawn from and verdicts are about.
    #[arg(long, default_value_t = 25, value_parser = k)]
    pub k: u32,
}

/// What a person says of a review as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Relevance {
    Relevant,
    NotRelevant,
}

const AGGREGATORS: [(&str, AggregatorId); 8] = [
    ("weighted-majority", AggregatorId::WeightedMajority),
    ("majority", AggregatorId::Majority),
    ("dawid-skene", AggregatorId::DawidSkene),
    ("one-coin", AggregatorId::OneCoin),
    ("best-single", AggregatorId::BestSingle),
    ("calibrated", AggregatorId::Calibrated),
    ("anchored", AggregatorId::Anchored),
    ("stacked", AggregatorId::Stacked),
];

fn aggregator(name: &str) -> Result<AggregatorId, String> {
    let found = AGGREGATORS.iter().find(|(known, _)| *known == name);
    found.map(|(_, id)| *id).ok_or_else(|| {
        let names: Vec<&str> = AGGREGATORS.iter().map(|(name, _)| *name).collect();
        format!("there is no such aggregator; there are {}", names.join(", "))
    })
}

/// Checked here, so that a mistake is wrong usage and no store is opened for it.
fn size(text: &str) -> Result<u32, String> {
    let size = text.parse().ok().filter(|size| (SIZE_MIN..=SIZE_MAX).contains(size));
    let size = size.and_then(|size| u32::try_from(size).ok());
    size.ok_or_else(|| format!("a sample has {SIZE_MIN} to {SIZE_MAX} reviews"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_aggregator_has_a_name() {
        assert_eq!(aggregator("dawid-skene"), Ok(AggregatorId::DawidSkene));
        let error = aggregator("median").expect_err("there is none");
        assert!(error.contains("weighted-majority, majority"), "{error}");
    }
}
