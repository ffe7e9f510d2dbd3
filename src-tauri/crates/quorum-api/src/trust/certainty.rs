//! How sure verdicts are: the probability of each outcome of each policy for each business, from what the votes say.
//!
//! The votes' probabilities are those of the chosen aggregator. With enough gold they are scaled, so that 90 % means right in
//! nine of ten; without it they are taken at face value, and the words say so. Corrections are certain.

use std::{collections::BTreeMap, sync::Arc};

use quorum_core::{
    ids::{BusinessId, ReviewId},
    policy::Policy,
    topic::Topic,
    trust::{
        calibration::{fit_power, sharpened},
        certainty::{Certainty, CertaintyOptions, Impact, Method, VerdictCount, certainty, impacts, verdict_counts},
        recommend::GOLD_MIN,
    },
    verdict::{Chances, Judge, Outlook, Sight, Verdict},
};
use quorum_store::Store;
use rayon::prelude::*;

use super::{
    aggregator::shown,
    gold::GoldAnswers,
    questions::{Asked, RELEVANT},
    report::{Examined, examined},
    settled::Settled,
};
use crate::{
    Quorum,
    coverage::count,
    dto::{
        error::ApiError,
        trust::{
            BusinessCertainty, FlipReview, PolicyCertainty, TrustQuery, VerdictCertainties, VerdictChance,
            VerdictCountRow,
        },
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    verdicts::{Docket, last_ensemble},
};

/// Businesses that a list of the least sure shows.
const SHOWN_MAX: usize = 200;

/// What every review of a topic may say, with probabilities.
pub(super) struct Likelihoods<'a> {
    topic: &'a Topic,
    judgments: &'a Judgments,
    settled: Arc<Settled>,
    /// The powers that make probabilities honest, relevance first; `None`: too little gold to tell.
    powers: Vec<Option<f64>>,
}

impl<'a> Likelihoods<'a> {
    pub fn new(judgments: &'a Judgments, topic: &'a Topic, gold: &GoldAnswers) -> Self {
        let aggregator = judgments.applied().aggregator;
        let settled = Settled::of(judgments, topic, gold, aggregator);
        let powers = if gold.len() < GOLD_MIN {
            vec![None; settled.questions()]
        } else {
            let power = |one: &Examined| {
                let ours = one.held_out.iter().find(|(scored, _)| *scored == aggregator).map(|(_, scored)| scored);
                let scored = ours.filter(|scored| scored.len() >= GOLD_MIN)?;
                Some(fit_power(&scored.iter().collect::<Vec<_>>()))
            };
            examined(judgments, topic, gold).iter().map(power).collect()
        };
        Self { topic, judgments, settled, powers }
    }

    /// Questions whose probabilities were scaled on gold.
    pub fn scaled(&self) -> usize {
        self.powers.iter().flatten().count()
    }

    /// What one review may say.
    fn of(&self, position: usize) -> Chances {
        let of = |place: usize, asked: Asked| -> Option<Vec<f64>> {
            let row = self.settled.chances(asked, position)?;
            Some(self.powers[place].map_or_else(|| row.to_vec(), |power| sharpened(row, power)))
        };
        let fields = self.topic.schema.fields().iter().enumerate();
        let fields = fields
            .map(|(at, field)| of(at + 1, Asked::Field(at)).unwrap_or_else(|| vec![0.0; field.term.values.len()]));
        let mut chances =
            Chances { relevant: of(0, Asked::Relevance).map_or(0.0, |row| row[RELEVANT]), fields: fields.collect() };
        if let Some(correction) = self.judgments.correction(position) {
            match correction.relevant {
                Some(relevant) => chances.relevant = f64::from(u8::from(relevant)),
                None if !correction.values.is_empty() => chances.relevant = 1.0,
                None => {}
            }
            for (field, value) in &correction.values {
                chances.fields[*field].fill(0.0);
                chances.fields[*field][usize::from(*value)] = 1.0;
            }
        }
        chances
    }
}

/// One business under one policy.
pub(super) struct Weighed {
    pub business: usize,
    pub certainty: Certainty,
    /// Positions of the reviews that the verdict uses; an impact's item is an index into them.
    pub positions: Vec<usize>,
    pub impacts: Vec<Impact>,
}

/// Weighs the businesses that have a verdict. `movement_min`: below it a review cannot matter; `None` leaves impacts out.
pub(super) fn weigh(
    dataset: &OpenDataset,
    likelihoods: &Likelihoods<'_>,
    sight: &Sight<'_>,
    businesses: impl IntoParallelIterator<Item = usize>,
    k: u32,
    movement_min: Option<f64>,
) -> Vec<Weighed> {
    let weighed = businesses.into_par_iter().filter_map(|business| {
        let is_used = |position: &usize| likelihoods.judgments.is_used(*position, false);
        let positions: Vec<usize> = dataset.first(business, k).filter(is_used).collect();
        if positions.is_empty() {
            return None;
        }
        let reviews: Vec<_> =
            positions.iter().map(|position| (likelihoods.of(*position), dataset.date(*position))).collect();
        let outlook = Outlook::new(sight, &dataset.view.businesses[business].categories, k, &reviews);
        let options = CertaintyOptions::default();
        let (certainty, impacts) = match movement_min {
            None => (certainty(&outlook, outlook.items(), options), Vec::new()),
            Some(movement_min) => impacts(&outlook, outlook.items(), CertaintyOptions { movement_min, ..options }),
        };
        Some(Weighed { business, certainty, positions, impacts })
    });
    weighed.collect()
}

impl Quorum {
    /// The certainty of every verdict of a topic's policies at one K.
    pub fn verdict_certainties(&self, query: &TrustQuery) -> Result<VerdictCertainties, ApiError> {
        self.certainties(query, None)
    }

    /// The same for one business, with the reviews that could flip each verdict.
    pub fn business_certainty(&self, query: &TrustQuery, business: &str) -> Result<VerdictCertainties, ApiError> {
        self.certainties(query, Some(business))
    }

    fn certainties(&self, query: &TrustQuery, only: Option<&str>) -> Result<VerdictCertainties, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        let ks = ks_of(query.k, None)?;
        let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
        let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
        let gold = GoldAnswers::load(store, &dataset, topic)?;
        let likelihoods = Likelihoods::new(&judgments, topic, &gold);
        let docket = Docket::new(&dataset, &judgments, &ks, false);
        let wanted: Vec<usize> = match only {
            None => (0..dataset.businesses()).collect(),
            Some(id) => vec![dataset.business(&BusinessId::from(id))?],
        };
        let movement_min = only.map(|_| CertaintyOptions::default().movement_min);
        let all = All { dataset: &dataset, likelihoods: &likelihoods, docket: &docket, k: query.k, movement_min };
        let policies = topic.policies.iter().map(|policy| all.policy(store, topic, policy, &wanted));
        let policies = policies.collect::<Result<_, _>>()?;
        let applied = judgments.applied();
        Ok(VerdictCertainties {
            words: words(&likelihoods, &gold, applied.aggregator.name()),
            applied: shown(&applied),
            policies,
        })
    }
}

/// What the policies of a topic are weighed by.
struct All<'a> {
    dataset: &'a OpenDataset,
    likelihoods: &'a Likelihoods<'a>,
    docket: &'a Docket<'a>,
    k: u32,
    movement_min: Option<f64>,
}

impl All<'_> {
    fn policy(
        &self,
        store: &Store,
        topic: &Topic,
        policy: &Policy,
        wanted: &[usize],
    ) -> Result<PolicyCertainty, ApiError> {
        let judge = Judge::new(policy, &topic.schema);
        let sight = Sight::new(&judge);
        let wanted = wanted.to_vec();
        let weighed = weigh(self.dataset, self.likelihoods, &sight, wanted, self.k, self.movement_min);
        let flips = weighed.iter().flat_map(|one| one.impacts.iter().map(|impact| one.positions[impact.item]));
        let ids = self.dataset.review_ids(store, flips)?;
        let mut stated_counts = vec![0_u32; policy.verdicts.len()];
        let mut expected_wrong = 0.0;
        let mut businesses = Vec::with_capacity(weighed.len());
        for one in &weighed {
            let stated = self.docket.judge_business(&judge, one.business, 0).verdict;
            let place = stated.as_ref().and_then(|verdict| verdict.index).map(|index| index as usize);
            if let Some(count) = place.and_then(|place| stated_counts.get_mut(place)) {
                *count += 1;
            }
            let row = self.business(policy, one, stated, place, &ids);
            expected_wrong += 1.0 - row.probability;
            businesses.push(row);
        }
        businesses.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        businesses.truncate(SHOWN_MAX);
        let certainties: Vec<Certainty> = weighed.into_iter().map(|one| one.certainty).collect();
        let counts = verdict_counts(&certainties, policy.verdicts.len());
        let rows = policy.verdicts.iter().zip(counts.iter().zip(&stated_counts));
        Ok(PolicyCertainty {
            policy: policy.id.to_string(),
            counts: rows.map(|(verdict, (row, stated))| count_row(verdict, row, *stated)).collect(),
            expected_wrong,
            businesses,
        })
    }

    /// `place`: of the stated verdict among the policy's; `None` where it is none of them.
    fn business(
        &self,
        policy: &Policy,
        one: &Weighed,
        stated: Option<Verdict>,
        place: Option<usize>,
        ids: &BTreeMap<usize, ReviewId>,
    ) -> BusinessCertainty {
        let facts = &self.dataset.view.businesses[one.business];
        let outside = one.certainty.probabilities.len() - 1;
        let chance = |(verdict, probability): (&String, &f64)| VerdictChance {
            verdict: verdict.clone(),
            probability: *probability,
        };
        let start = self.dataset.first(one.business, 1).start;
        let flip = |impact: &Impact| {
            let position = one.positions[impact.item];
            Some(FlipReview {
                review_id: ids.get(&position)?.to_string(),
                position: count(position - start + 1),
                chance: impact.flip,
            })
        };
        BusinessCertainty {
            business: facts.id.to_string(),
            name: facts.name.clone(),
            verdict: stated.map(|verdict| verdict.verdict).unwrap_or_default(),
            probability: one.certainty.probabilities[place.unwrap_or(outside)],
            probabilities: policy.verdicts.iter().zip(&one.certainty.probabilities).map(chance).collect(),
            standard_error: match one.certainty.method {
                Method::Exact => None,
                Method::Simulated { .. } => Some(one.certainty.standard_errors.iter().copied().fold(0.0, f64::max)),
            },
            flips: one.impacts.iter().filter(|impact| impact.flip > 0.0).filter_map(flip).collect(),
        }
    }
}

fn count_row(verdict: &str, row: &VerdictCount, stated: u32) -> VerdictCountRow {
    VerdictCountRow {
        verdict: verdict.to_owned(),
        stated,
        expected: row.expected,
        low: count(row.low),
        high: count(row.high),
    }
}

/// What the probabilities rest on.
fn words(likelihoods: &Likelihoods<'_>, gold: &GoldAnswers, aggregator: &str) -> Vec<String> {
    let (scaled, all) = (likelihoods.scaled(), likelihoods.powers.len());
    let basis = if scaled == 0 {
        format!(
            "The probabilities are those that {aggregator} gives, taken at face value: whether 90 % means right in nine of \
             ten cannot be known from {} gold labels; {GOLD_MIN} would tell.",
            gold.len()
        )
    } else {
        format!(
            "The probabilities are those that {aggregator} gives, scaled on {} gold labels for {scaled} of {all} questions; \
             the others are taken at face value.",
            gold.len()
        )
    };
    vec![
        basis,
        "They cover doubt about what the reviews say. A wrong policy, or a question that all models misread, stays unseen."
            .to_owned(),
    ]
}

/// The positions of a topic's reviews with the probabilities of the verdicts they count for: what [`super::queue`] orders.
pub(super) fn weigh_topic(
    dataset: &OpenDataset,
    likelihoods: &Likelihoods<'_>,
    topic: &Topic,
    k: u32,
    movement_min: f64,
) -> BTreeMap<String, Vec<Weighed>> {
    let of = |policy: &quorum_core::policy::Policy| {
        let judge = Judge::new(policy, &topic.schema);
        let all = 0..dataset.businesses();
        (policy.id.to_string(), weigh(dataset, likelihoods, &Sight::new(&judge), all, k, Some(movement_min)))
    };
    topic.policies.iter().map(of).collect()
}
