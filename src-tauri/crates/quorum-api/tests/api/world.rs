//! A small store with a dataset and random votes, and the plainest way to settle them.

use std::sync::Arc;

use quorum_catalog::{Catalog, builtin};
use quorum_core::{
    date::Date,
    ids::{BusinessId, DatasetName, ReviewId},
    manifest::Realm,
    prng::Prng,
    topic::Topic,
    votes::{ReviewNo, Vote, encode},
};
use quorum_store::{NewVote, PreparedBusiness, PreparedReview, ReviewRow, Store, StoreError};
use tempfile::TempDir;

pub const AT: u32 = 1_700_000_000;
pub const DATASET: &str = "town";

/// The default ensemble, as `domain.md` has it: (model, runs, weight).
pub const PANEL: [(&str, u8, u32); 2] = [("gpt-5-mini", 1, 2), ("gpt-5-nano", 3, 1)];

/// Draws from a seed.
pub struct Random(Prng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(Prng::new(seed))
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).expect("small")
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A vote as it was cast: relevant, and the place of each value in its term.
#[derive(Clone, Debug)]
pub struct Cast {
    pub model: &'static str,
    pub run: u8,
    pub relevant: bool,
    pub values: Vec<Option<u8>>,
}

/// What a review settled to, by the plain way.
#[derive(Clone, Debug)]
pub struct Settled {
    pub complete: bool,
    pub votes: usize,
    pub relevant: bool,
    pub values: Vec<Option<u8>>,
}

pub struct World {
    pub folder: TempDir,
    pub store: Store,
    pub catalog: Arc<Catalog>,
    realm: Realm,
}

pub const CATEGORIES: [&str; 3] = ["Thai, Restaurants", "Bakeries", "Bars, asian Fusion"];

impl World {
    /// Businesses with these numbers of reviews; review `b.r` is the `r`th of business `b`, both from 0.
    pub fn new(reviews: &[usize]) -> Self {
        Self::with_realm(reviews, Realm::Live)
    }

    pub fn with_realm(reviews: &[usize], realm: Realm) -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = Store::open(&folder.path().join("quorum.redb")).expect("a store");
        // Numbers that do not follow the dataset's order.
        let backwards: Vec<ReviewId> = (0..reviews.len())
            .rev()
            .flat_map(|business| (0..reviews[business]).rev().map(move |review| review_id(business, review)))
            .step_by(2)
            .collect();
        store.intern_reviews(&backwards).expect("numbers");
        import(&store, reviews, AT);
        Self { folder, store, catalog: Arc::clone(builtin()), realm }
    }

    /// Lets go of the store, so that a program can open it.
    pub fn close(self) -> TempDir {
        self.folder
    }

    pub fn topic(&self, id: &str) -> &Topic {
        self.catalog.topic(&id.into()).expect("a topic")
    }

    pub fn number(&self, business: usize, review: usize) -> ReviewNo {
        self.store.review_no(&review_id(business, review)).expect("a look-up").expect("a number")
    }

    /// Stores votes on the topic's present terms.
    pub fn cast(&self, topic: &Topic, review: ReviewNo, votes: &[Cast]) {
        let space =
            self.store.intern_space(self.realm, &topic.id, &topic.schema.term_hash(), &topic.schema).expect("a space");
        let votes = votes.iter().map(|vote| NewVote {
            review,
            vote: Vote {
                model: self.store.intern_model(&vote.model.into()).expect("a model"),
                run: vote.run,
                relevant: vote.relevant,
                imported: false,
                at: AT,
                codes: encode(&topic.schema, &vote.values),
            },
        });
        self.store.add_votes(space.number, topic.schema.fields().len(), votes.collect()).expect("votes");
    }

    /// Random votes on every review: most reviews complete, some short of votes, some not asked, and votes of models and runs
    /// outside the ensemble. Gives what was cast, in dataset order.
    pub fn cast_at_random(&self, topic: &Topic, reviews: &[usize], random: &mut Random) -> Vec<Vec<Vec<Cast>>> {
        let mut all = Vec::new();
        for (business, count) in reviews.iter().enumerate() {
            let mut of_business = Vec::new();
            for review in 0..*count {
                let mut cast = Vec::new();
                // A third of the reviews answer much alike, as real ones do.
                let (is_unasked, lean) = (random.one_in(20), random.below(3));
                for (model, runs) in [("gpt-5-mini", 2), ("gpt-5-nano", 4), ("gpt-9", 1)] {
                    for run in 1..=runs {
                        if is_unasked || random.one_in(40) {
                            continue;
                        }
                        let values = topic.schema.fields().iter().map(|field| {
                            let values = field.term.values.len();
                            let value = if random.one_in(3) { random.below(values) } else { lean % values };
                            (!random.one_in(15)).then(|| u8::try_from(value).expect("small"))
                        });
                        let values = values.collect();
                        cast.push(Cast { model, run, relevant: random.below(4) > 0, values });
                    }
                }
                self.cast(topic, self.number(business, review), &cast);
                of_business.push(cast);
            }
            all.push(of_business);
        }
        all
    }
}

/// Imports the dataset, in the place of the one before.
pub fn import(store: &Store, reviews: &[usize], at: u32) {
    let businesses = reviews.iter().enumerate().map(|(business, count)| {
        Ok(PreparedBusiness {
            line: business as u64 + 1,
            id: BusinessId::new(format!("b{business}")),
            name: format!("Business \"{business}\""),
            categories: CATEGORIES[business % CATEGORIES.len()].to_owned(),
            reviews: (0..*count).map(|review| prepared(business, review)).collect(),
        })
    });
    store.import_dataset::<StoreError>(&DatasetName::from(DATASET), "test", at, businesses).expect("a dataset");
}

pub fn review_id(business: usize, review: usize) -> ReviewId {
    ReviewId::new(format!("b{business}::r{review}"))
}

/// Every fifth review has no date; the others go back a few months each.
pub fn date(review: usize) -> Option<Date> {
    let text = format!("{}-{:02}-05", 2025 - review % 9, 1 + review % 12);
    (review % 5 != 4).then(|| Date::read(&text).expect("a date"))
}

fn prepared(business: usize, review: usize) -> PreparedReview {
    PreparedReview {
        row: ReviewRow {
            id: review_id(business, review),
            text: format!("Review {review} of business {business}: the soup was \"fine\"."),
            stars: Some(4.0),
            date: date(review),
            useful: Some(3),
        },
        tokens: 10,
        bytes: 60,
    }
}

/// Settles votes as `domain.md` words it.
pub fn settle(topic: &Topic, votes: &[Cast]) -> Settled {
    let weight = |vote: &&Cast| {
        let seat = PANEL.iter().find(|(model, runs, _)| *model == vote.model && vote.run <= *runs);
        seat.map_or(0, |(_, _, weight)| *weight)
    };
    let seated: Vec<&Cast> = votes.iter().filter(|vote| weight(vote) > 0).collect();
    let sum = |wanted: bool| -> u32 { seated.iter().filter(|vote| vote.relevant == wanted).map(weight).sum() };
    let relevant = !seated.is_empty() && sum(true) >= sum(false);
    let values = topic.schema.fields().iter().enumerate().map(|(at, field)| {
        let mut best: Option<(u32, u8)> = None;
        for value in 0..u8::try_from(field.term.values.len()).expect("small") {
            let votes = seated.iter().filter(|vote| vote.relevant && vote.values[at] == Some(value));
            let weight: u32 = votes.map(weight).sum();
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, value));
            }
        }
        best.filter(|_| relevant).map(|(_, value)| value)
    });
    let values = values.collect();
    Settled { complete: seated.len() == 4, votes: seated.len(), relevant, values }
}
