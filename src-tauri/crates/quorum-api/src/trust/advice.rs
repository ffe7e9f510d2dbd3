//! Advice on a topic's ensemble: what each vote on a review adds, and what the same money would buy otherwise.
//!
//! Its words never say "run": that is an extraction to whoever reads them. What one run of a model says is its vote.

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

/// A smaller ensemble is as good where this share of its answers is the same, in percent, unless gold can tell.
const SAME_MIN_PERCENT: f64 = 99.0;

/// What the money of the whole ensemble would buy with the fewest runs that are as good, as far as votes and labels show.
fn instead(alternatives: &[EnsembleAlternative]) -> Option<String> {
    let whole = alternatives.first()?;
    let is_as_good = |one: &&EnsembleAlternative| match (&one.accuracy, &whole.accuracy) {
        (Some(fewer), Some(all)) => fewer.percent >= all.percent - 1e-9,
        _ => one.same_percent >= SAME_MIN_PERCENT,
    };
    let Some(fewer) = alternatives.iter().skip(1).rev().find(is_as_good) else {
        return (alternatives.len() > 1)
            .then(|| "No smaller ensemble is as good, so there is nothing to save here.".to_owned());
    };
    let left_out: Vec<&str> =
        whole.judges.iter().filter(|judge| !fewer.judges.contains(judge)).map(String::as_str).collect();
    let kept = match &fewer.accuracy {
        Some(accuracy) => {
            format!("{:.1} % of {} gold labels come out right, no fewer than with all", accuracy.percent, accuracy.n)
        }
        None => format!("{:.1} % of the answers stay the same", fewer.same_percent),
    };
    let bought = match (whole.usd, fewer.usd) {
        (Some(all), Some(some)) if some > 0.0 && all > some => format!(
            "the money of the whole ensemble would judge {:.0} % more reviews with the rest",
            100.0 * (all / some - 1.0)
        ),
        _ => format!("{} of {} requests a review are saved", left_out.len(), whole.judges.len()),
    };
    Some(format!("Without {}: {kept}, and {bought}.", left_out.join(", ")))
}

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
            words.push("There are no votes, so nothing can be said of what one is worth.".to_owned());
        } else if advice.runs.is_empty() {
            words.push("Every review has one vote only; what it adds cannot be known.".to_owned());
        }
        let alternatives: Vec<EnsembleAlternative> = advice.alternatives.into_iter().map(alternative).collect();
        words.extend(instead(&alternatives));
        if gold.is_empty() {
            words.push(
                "Without gold labels it can be said how much a vote changes, but not whether that is for the better."
                    .to_owned(),
            );
        } else if !advice.runs.is_empty() {
            words.push(
                "Which vote to leave out was chosen on the same labels that score the rest, which flatters a little."
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
            alternatives,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dto::trust::Share;

    fn ensemble(judges: &[&str], usd: Option<f64>, same_percent: f64, right: Option<f64>) -> EnsembleAlternative {
        let share = |percent| Share { percent, low_percent: percent - 5.0, high_percent: percent + 5.0, n: 40 };
        EnsembleAlternative {
            judges: judges.iter().map(|judge| (*judge).to_owned()).collect(),
            usd,
            same_percent,
            accuracy: right.map(share),
        }
    }

    #[test]
    fn the_fewest_runs_that_are_as_good_say_what_their_price_would_buy() {
        let all = ensemble(&["a/1", "b/1", "b/2"], Some(3.0), 100.0, None);
        let two = ensemble(&["a/1", "b/1"], Some(2.0), 99.5, None);
        let one = ensemble(&["a/1"], Some(1.0), 90.0, None);
        assert_eq!(
            instead(&[all.clone(), two, one.clone()]).expect("words"),
            "Without b/2: 99.5 % of the answers stay the same, and the money of the whole ensemble would judge 50 % more \
             reviews with the rest."
        );
        assert!(instead(&[all.clone(), one]).expect("words").starts_with("No smaller ensemble"));
        assert_eq!(instead(&[all]), None);
    }

    #[test]
    fn gold_decides_where_there_is_any_and_requests_stand_in_for_unknown_prices() {
        let all = ensemble(&["a/1", "b/1", "b/2"], None, 100.0, Some(85.0));
        let two = ensemble(&["a/1", "b/1"], None, 99.5, Some(82.5));
        let one = ensemble(&["a/1"], None, 90.0, Some(87.5));
        assert_eq!(
            instead(&[all, two, one]).expect("words"),
            "Without b/1, b/2: 87.5 % of 40 gold labels come out right, no fewer than with all, and 2 of 3 requests a review \
             are saved."
        );
    }
}
