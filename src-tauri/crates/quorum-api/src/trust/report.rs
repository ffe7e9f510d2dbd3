//! The report about a topic's votes: agreement by question, aggregators side by side, and which to use.

use std::{collections::BTreeMap, sync::Arc};

use quorum_core::{
    topic::Topic,
    trust::{
        Gold,
        aggregate::{Aggregator, credit},
        agreement::confusions,
        dawid_skene::EmOptions,
        evaluate::{
            Accuracy, EvalOptions, EvalReport, HeldOutScores, LEARN_MIN, accuracy, eval_scored, judge_scores, score,
        },
        fit::{Learned, Unsupervised},
        learned::learned_judges,
        recommend::{Evidence, GOLD_MIN, HeldOutCredits, Recommendation, recommend_by_credits},
        stacked::BLENDED,
        words,
    },
};
use rayon::prelude::*;

use super::{
    aggregator::{id_of, shown},
    gold::GoldAnswers,
    questions::{Asked, Question, is_ordered},
    settled::SEED,
    shelf::{Basis, Shelf},
};
use crate::{
    Quorum,
    coverage::count,
    dto::{
        error::ApiError,
        trust::{
            AggregatorScore, BlendPart, EvidenceId, GoldStand, LearnedWeight, LearnedWeights, ModelConfusion,
            ModelScore, Share, TrustFigure, TrustQuery, TrustQuestion, TrustRecommendation, TrustReport,
        },
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    verdicts::last_ensemble,
};

/// A question with everything that was computed of it.
#[derive(Debug)]
pub(super) struct Examined {
    question: Question,
    gold: Gold,
    pub held_out: HeldOutScores,
    report: EvalReport,
    models: Vec<ModelScore>,
    confusions: Vec<ModelConfusion>,
    learned: Option<LearnedWeights>,
}

impl Quorum {
    /// Everything that can be said about a topic's votes on a dataset.
    pub fn trust_report(&self, query: &TrustQuery) -> Result<TrustReport, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        ks_of(query.k, None)?;
        let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
        let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
        let gold = GoldAnswers::load(store, &dataset, topic)?;
        let examined = examined(&judgments, topic, &gold);
        let credits = review_credits(&examined, &gold);
        let n_models = examined.first().map_or(0, |first| first.question.matrix.by_model().n_judges());
        let recommendation = recommend_by_credits(&credits, n_models);
        let whole = |(aggregator, credits): &(Aggregator, Vec<(f64, f64)>)| {
            Some(AggregatorScore {
                aggregator: id_of(*aggregator),
                name: aggregator.name().to_owned(),
                cross_fitted: aggregator.needs_gold(),
                accuracy: share(&accuracy(credits.iter().copied())?),
                ece_raw_percent: None,
                ece_scaled_percent: None,
            })
        };
        Ok(TrustReport {
            query: query.clone(),
            applied: shown(&judgments.applied()),
            reviews: count(examined.first().map_or(0, |first| first.question.positions.len())),
            judges: examined.first().map_or_else(Vec::new, |first| {
                first.question.matrix.judges().iter().map(|judge| judge.name.clone()).collect()
            }),
            gold: GoldStand { labelled: count(gold.len()), stale: gold.stale, enough: count(GOLD_MIN) },
            aggregators: credits.iter().filter_map(whole).collect(),
            unknown: unknown(&examined, &gold, &recommendation),
            recommendation: recommended(recommendation),
            questions: examined.iter().map(|one| one.shown(topic)).collect(),
        })
    }
}

static EXAMINED: Shelf<Basis, Vec<Examined>> = Shelf::new();

/// Every question of a topic, relevance first, from memory where votes and labels are the same as before.
pub(super) fn examined(judgments: &Judgments, topic: &Topic, gold: &GoldAnswers) -> Arc<Vec<Examined>> {
    EXAMINED.get(Basis::new(judgments, topic, gold), || {
        Asked::all(topic).into_par_iter().map(|asked| examine(judgments, topic, gold, asked)).collect()
    })
}

fn examine(judgments: &Judgments, topic: &Topic, gold: &GoldAnswers, asked: Asked) -> Examined {
    let question = Question::new(judgments, asked);
    let gold = gold.of(&question);
    let options = EvalOptions {
        em: EmOptions::default(),
        seed: SEED,
        ordinal: asked.field().is_some_and(|field| is_ordered(topic, field)),
    };
    let unsupervised = Unsupervised::fit(&question.matrix, options.em);
    let held_out = score(&unsupervised, &gold, options.seed);
    let report = eval_scored(&unsupervised, &gold, &held_out, options);
    let by_model = question.matrix.by_model();
    let models = judge_scores(&by_model, &gold)
        .into_iter()
        .map(|score| ModelScore { model: score.judge, accuracy: score.accuracy.as_ref().map(share) })
        .collect();
    let cell = |n: &u64| u32::try_from(*n).unwrap_or(u32::MAX);
    let confusions = confusions(&by_model)
        .into_iter()
        .map(|one| ModelConfusion {
            a: one.a,
            b: one.b,
            agreement_percent: one.agreement.map(|share| 100.0 * share),
            counts: one.counts.iter().map(|row| row.iter().map(cell).collect()).collect(),
        })
        .collect();
    let learned = (gold.len() >= LEARN_MIN).then(|| {
        let learned = unsupervised.learn(&gold, options.seed);
        learned_weights(&question, &learned, gold.len())
    });
    drop(unsupervised);
    Examined { question, gold, held_out, report, models, confusions, learned }
}

fn learned_weights(question: &Question, learned: &Learned, gold: usize) -> LearnedWeights {
    let judges = learned_judges(&question.matrix, learned.calibrated()).into_iter().map(|judge| LearnedWeight {
        judge: judge.judge,
        configured: judge.configured,
        right_percent: 100.0 * judge.right,
        weight: judge.weight,
    });
    let blend = BLENDED.iter().zip(learned.exponents()).map(|(part, exponent)| BlendPart {
        aggregator: id_of(*part),
        name: part.name().to_owned(),
        exponent: *exponent,
    });
    LearnedWeights {
        judges: judges.collect(),
        blend: blend.collect(),
        words: format!(
            "Learned from {gold} gold labels, each judge's also from what all have in common. The weights are scaled to the sum of \
             those configured, to be read beside them; what uses them also knows which values a judge mixes up."
        ),
    }
}

/// Per aggregator, every labelled review with the share of its questions that come out right on labels not seen. A question
/// with too few labels to learn from counts as weighted majority answers it, since that is what would be used.
fn review_credits(examined: &[Examined], gold: &GoldAnswers) -> HeldOutCredits {
    if gold.is_empty() {
        return Vec::new();
    }
    let usable =
        |aggregator: &Aggregator| !aggregator.needs_gold() || examined.iter().any(|one| one.gold.len() >= LEARN_MIN);
    let of = |aggregator: Aggregator| {
        let mut shares: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for one in examined {
            let find = |wanted| one.held_out.iter().find(|(known, _)| *known == wanted).map(|(_, scored)| scored);
            let Some(scored) = find(aggregator).or_else(|| find(Aggregator::WeightedMajority)) else { continue };
            for (label, scored) in one.gold.labels().iter().zip(scored) {
                let (n, right) = shares.entry(one.question.positions[label.item as usize]).or_default();
                *n += 1.0;
                *right += credit(&scored.probabilities, scored.label);
            }
        }
        let weight = |position: &usize| gold.by_position.get(position).map_or(1.0, |answer| answer.weight);
        (aggregator, shares.iter().map(|(position, (n, right))| (weight(position), right / n)).collect())
    };
    Aggregator::ALL.into_iter().filter(usable).map(of).collect()
}

impl Examined {
    fn shown(&self, topic: &Topic) -> TrustQuestion {
        let field = self.question.asked.field().map(|field| &topic.schema.fields()[field]);
        let ordered = self.question.asked.field().is_some_and(|field| is_ordered(topic, field));
        let figures = words::figures(&self.report.agreement, ordered);
        TrustQuestion {
            field: field.map(|field| field.name.clone()),
            label: field.map_or_else(|| "Relevance".to_owned(), |field| field.term.name.clone()),
            values: self.question.matrix.labels().to_vec(),
            ordered,
            reviews: count(self.question.positions.len()),
            votes: count(self.question.matrix.n_votes()),
            gold: count(self.gold.len()),
            figures: figures
                .into_iter()
                .map(|figure| TrustFigure { name: figure.name, value: figure.value, words: figure.words })
                .collect(),
            confusions: self.confusions.clone(),
            models: self.models.clone(),
            aggregators: self
                .report
                .aggregators
                .iter()
                .map(|score| AggregatorScore {
                    aggregator: id_of(score.aggregator),
                    name: score.name.to_owned(),
                    cross_fitted: score.cross_fitted,
                    accuracy: share(&score.accuracy),
                    ece_raw_percent: Some(score.ece_raw_percent),
                    ece_scaled_percent: Some(score.ece_calibrated_percent),
                })
                .collect(),
            learned: self.learned.clone(),
        }
    }
}

pub(super) fn share(accuracy: &Accuracy) -> Share {
    Share {
        percent: accuracy.percent,
        low_percent: accuracy.low_percent,
        high_percent: accuracy.high_percent,
        n: count(accuracy.n),
    }
}

fn recommended(recommendation: Recommendation) -> TrustRecommendation {
    TrustRecommendation {
        aggregator: id_of(recommendation.aggregator),
        name: recommendation.aggregator.name().to_owned(),
        evidence: match recommendation.evidence {
            Evidence::TooThin => EvidenceId::TooThin,
            Evidence::Thin => EvidenceId::Thin,
            Evidence::Clear => EvidenceId::Clear,
        },
        words: recommendation.words,
    }
}

/// What cannot be known from these votes and labels.
fn unknown(examined: &[Examined], gold: &GoldAnswers, recommendation: &Recommendation) -> Vec<String> {
    let mut words = Vec::new();
    if examined.iter().all(|one| one.question.matrix.n_votes() == 0) {
        return vec!["There are no votes yet, so nothing can be said.".to_owned()];
    }
    if gold.is_empty() {
        words.push(
            "Whether the models are right: agreement is not truth, and models that share a mistake look perfect. Label a sample to tell."
                .to_owned(),
        );
    } else if recommendation.evidence == Evidence::TooThin {
        words.push(format!("Which aggregator is best: {} labels are too few; label at least {GOLD_MIN}.", gold.len()));
    } else {
        words.push(format!(
            "Differences of a few points between aggregators: {} labels cannot show them, as the intervals say.",
            gold.len()
        ));
    }
    if examined.iter().any(|one| one.question.matrix.by_model().n_judges() < 2) {
        words.push("How independent the models are: there is only one.".to_owned());
    }
    if gold.stale > 0 {
        words.push(format!(
            "{} reviews were labelled on older definitions of the topic's terms; they do not count here.",
            gold.stale
        ));
    }
    words
}
