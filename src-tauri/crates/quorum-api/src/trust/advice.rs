//! Advice on a topic's ensemble: what each run adds, and what the same money would buy otherwise.

use std::collections::BTreeMap;

use quorum_core::trust::advice::{Alternative, RunValue, advise};

use super::{
    gold::GoldAnswers,
    questions::{Asked, Question, main_field},
    report::share,
};
use crate::{
    Quorum,
    coverage::count,
    dto::{
        error::ApiError,
        trust::{EnsembleAdvice, EnsembleAlternative, RunAdvice, TrustQuery},
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::topic_of,
    verdicts::last_ensemble,
};

impl Quorum {
    /// Looks at what every run says of a review as a whole: relevance and the topic's main field.
    pub fn ensemble_advice(&self, query: &TrustQuery) -> Result<EnsembleAdvice, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
        let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
        let field = main_field(topic);
        let question = Question::new(&judgments, field.map_or(Asked::Relevance, Asked::Both));
        let gold = GoldAnswers::load(store, &dataset, topic)?.of(&question);
        let prices = self.prices(query)?;
        let mut votes = vec![0_u32; question.matrix.n_judges()];
        for item in 0..question.matrix.n_items() {
            question.matrix.votes(item).for_each(|(judge, _)| votes[judge] += 1);
        }
        let usd: Vec<Option<f64>> = (question.matrix.judges().iter().zip(&votes))
            .map(|(judge, votes)| prices.get(&judge.model).map(|price| price * f64::from(*votes)))
            .collect();
        let known: Vec<f64> = usd.iter().map(|usd| usd.unwrap_or(0.0)).collect();
        let advice = advise(&question.matrix, &gold, &known);
        let price_of = |name: &str| {
            let place = question.matrix.judges().iter().position(|judge| judge.name == name);
            place.and_then(|place| usd[place])
        };
        let run = |run: RunValue| RunAdvice {
            usd: price_of(&run.judge),
            judge: run.judge,
            changed_percent: run.changed_percent,
            words: run.words,
        };
        let alternative = |one: Alternative| EnsembleAlternative {
            usd: one.judges.iter().map(|judge| price_of(judge)).sum(),
            same_percent: one.same_percent,
            accuracy: one.accuracy.as_ref().map(share),
            judges: one.judges,
        };
        let mut words = Vec::new();
        if question.matrix.n_votes() == 0 {
            words.push("There are no votes, so nothing can be said of the runs.".to_owned());
        } else if advice.runs.is_empty() {
            words.push("Only one run has voted; what it adds cannot be known.".to_owned());
        }
        if gold.is_empty() {
            words.push(
                "Without gold labels it can be said how much a run changes, but not whether that is for the better."
                    .to_owned(),
            );
        } else if !advice.runs.is_empty() {
            words.push(
                "Which run to leave out was chosen on the same labels that score the rest, which flatters a little."
                    .to_owned(),
            );
        }
        if usd.iter().any(Option::is_none) {
            words.push("Imported votes have no cost in the ledger.".to_owned());
        }
        words.push("Models without votes in this project cannot be judged.".to_owned());
        Ok(EnsembleAdvice {
            field: field.map(|field| topic.schema.fields()[field].name.clone()),
            gold: count(gold.len()),
            runs: advice.runs.into_iter().map(run).collect(),
            alternatives: advice.alternatives.into_iter().map(alternative).collect(),
            words,
        })
    }

    /// What a request of each model cost on this topic, by the ledger.
    fn prices(&self, query: &TrustQuery) -> Result<BTreeMap<String, f64>, ApiError> {
        let realm = self.realm()?;
        let manifests = self.store().manifests()?;
        let is_ours = |manifest: &&quorum_core::manifest::Manifest| {
            manifest.realm == realm && manifest.topic.as_str() == query.topic
        };
        let ours: Vec<_> = manifests.iter().filter(is_ours).map(|manifest| manifest.id).collect();
        let mut sums: BTreeMap<String, (f64, u32)> = BTreeMap::new();
        for entry in self.store().usage()?.into_iter().filter(|entry| ours.contains(&entry.batch.manifest)) {
            let (usd, requests) = sums.entry(entry.model.to_string()).or_default();
            *usd += entry.usd;
            *requests += entry.requests;
        }
        let priced = sums.into_iter().filter(|(_, (_, requests))| *requests > 0);
        Ok(priced.map(|(model, (usd, requests))| (model, usd / f64::from(requests))).collect())
    }
}
