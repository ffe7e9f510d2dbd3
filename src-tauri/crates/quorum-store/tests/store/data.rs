//! Small things to store.

use std::collections::BTreeMap;

use quorum_core::{
    date::Date,
    ensemble::Ensemble,
    ids::{BusinessId, ReviewId},
    manifest::{Batch, BatchId, Cause, Failure, Manifest, ManifestId, Mode, Price, Realm},
    models::Usage,
    plan::Request,
    schema::{Schema, Term, TermValue},
    votes::{ModelNo, PackedVotes, ReviewNo, Vote},
};
use quorum_store::{
    Activity, ActivityKind, DrawnReview, GoldEvent, GoldKind, Ingest, NewBatch, NewManifest, NewVote, OverrideEvent,
    OverrideKind, PreparedBusiness, PreparedReview, ReviewRow, Store, StoreError,
};

/// Unix seconds of everything.
pub const AT: u32 = 1_790_000_000;
pub const FIELDS: usize = 2;

pub fn memory() -> Store {
    Store::open_with_backend(quorum_store::testing::FrozenBackend::new()).expect("a new store in memory")
}

pub fn schema() -> Schema {
    let term = |id: &str, values: &[&str]| Term {
        domain: "allergy".to_owned(),
        id: id.to_owned(),
        name: id.to_lowercase(),
        question: None,
        description: format!("what {id} means"),
        values: values
            .iter()
            .map(|id| TermValue {
                id: (*id).to_owned(),
                label: id.to_uppercase(),
                description: format!("it is {id}"),
                cues: Vec::new(),
            })
            .collect(),
        default: None,
    };
    Schema::new([term("SEVERITY", &["none", "mild", "severe"]), term("ACCOUNT", &["firsthand", "hearsay"])])
}

pub fn space(store: &Store) -> u32 {
    let schema = schema();
    let space = store.intern_space(Realm::Sandbox, &"G1_allergy".into(), &schema.term_hash(), &schema);
    space.expect("a space").number
}

pub fn vote(review: u32, model: u16, run: u8, code: u8) -> NewVote {
    NewVote {
        review: ReviewNo(review),
        vote: Vote { model: ModelNo(model), run, relevant: true, imported: false, at: AT, codes: vec![code, 1] },
    }
}

pub fn review(id: &str, text: &str) -> PreparedReview {
    PreparedReview {
        row: ReviewRow {
            id: ReviewId::from(id),
            text: text.to_owned(),
            stars: Some(4.5),
            date: Date::read("2019-12-15 19:02:50"),
            useful: None,
        },
        tokens: 12,
        bytes: 34,
    }
}

pub fn business(line: u64, id: &str, reviews: Vec<PreparedReview>) -> PreparedBusiness {
    PreparedBusiness {
        line,
        id: BusinessId::from(id),
        name: format!("Café {id}"),
        categories: "Thai, Bars".to_owned(),
        reviews,
    }
}

/// As an import without problems gives it.
pub fn prepared(businesses: Vec<PreparedBusiness>) -> impl Iterator<Item = Result<PreparedBusiness, StoreError>> {
    businesses.into_iter().map(Ok)
}

pub fn manifest(space: u32) -> Manifest {
    Manifest {
        id: ManifestId(0),
        key: "key".to_owned(),
        realm: Realm::Sandbox,
        provider: "sandbox".to_owned(),
        dataset: "d".into(),
        topic: "G1_allergy".into(),
        term_hash: schema().term_hash(),
        space,
        k: 25,
        ensemble: Ensemble::standard(),
        mode: Mode::Batch,
        prompt_version: 1,
        created_at: AT,
        usd_estimated: 1.5,
        budget_usd: Some(2.0),
        paused: None,
        skips_canary: false,
        takes_crumbs: false,
        strangers: Vec::new(),
        cancelled: false,
        finished_at: None,
        round: 0,
        prices: vec![Price {
            model: "gpt-5-nano".into(),
            input_usd: 0.05,
            cached_usd: 0.005,
            write_usd: Some(0.05),
            output_usd: 0.4,
            output_tokens: 310.5,
        }],
    }
}

/// A batch that asks `runs` of each of these reviews.
pub fn batch(reviews: std::ops::RangeInclusive<u32>, runs: u8) -> NewBatch {
    let requests: Vec<Request> =
        reviews.flat_map(|review| (1..=runs).map(move |run| Request { review: ReviewNo(review), run })).collect();
    let id = BatchId { manifest: ManifestId(0), number: 0 };
    let count = u32::try_from(requests.len()).expect("few");
    NewBatch { batch: Batch::planned(id, "gpt-5-nano".into(), count, 1_000, 500), requests }
}

/// The same, of another model.
pub fn of(model: &str, new: NewBatch) -> NewBatch {
    NewBatch { batch: Batch { model: model.into(), ..new.batch }, ..new }
}

pub fn plan(space: u32, batches: Vec<NewBatch>) -> NewManifest {
    NewManifest { manifest: manifest(space), batches }
}

pub fn id(manifest: u32, number: u32) -> BatchId {
    BatchId { manifest: ManifestId(manifest), number }
}

pub fn failure(words: &str) -> Failure {
    Failure { cause: Cause::Temporary, status: 500, code: "server_error".to_owned(), words: words.to_owned() }
}

pub fn ingest(batch: BatchId, space: u32, votes: Vec<NewVote>, failures: Vec<(Request, Failure)>) -> Ingest {
    let usage = Usage { input: 1_000, cached: 300, written: 0, output: 200, reasoning: 100 };
    let width = votes.first().map_or(FIELDS, |new| new.vote.codes.len());
    let mut packed = PackedVotes::with_capacity(width, votes.len());
    for new in &votes {
        assert!(packed.push(new.review, new.vote.borrow()), "the votes of a batch are of one width");
    }
    Ingest { batch, space, votes: packed, failures, usage, usd: 0.25, at: AT + 60 }
}

pub fn correction(review: &str, value: &str) -> OverrideEvent {
    let fields = |value: &str| BTreeMap::from([("severity".to_owned(), serde_json::Value::from(value))]);
    OverrideEvent {
        number: 0,
        at: AT,
        realm: Realm::Sandbox,
        topic: "G1_allergy".into(),
        review: review.into(),
        business: Some("b1".into()),
        kind: OverrideKind::Set { original: fields("none"), corrected: fields(value) },
        reason: "read it myself".to_owned(),
    }
}

pub fn gold(kind: GoldKind) -> GoldEvent {
    GoldEvent {
        number: 0,
        at: AT,
        who: "Ada".to_owned(),
        realm: Realm::Sandbox,
        topic: "G1_allergy".into(),
        term_hash: schema().term_hash(),
        kind,
    }
}

pub fn drawn(reviews: &[&str]) -> GoldEvent {
    let reviews = reviews.iter().map(|review| DrawnReview { review: (*review).into(), weight: 2.5 }).collect();
    gold(GoldKind::Drawn { dataset: "d".into(), k: 25, seed: 7, population: 90, reviews })
}

pub fn labelled(draw: u32, review: &str, severity: &str) -> GoldEvent {
    let values = BTreeMap::from([("severity".to_owned(), severity.to_owned())]);
    gold(GoldKind::Labelled { draw, review: review.into(), relevant: true, values })
}

pub fn activity(title: &str) -> Activity {
    Activity {
        number: 0,
        at: AT,
        kind: ActivityKind::BatchIngested,
        manifest: Some(ManifestId(1)),
        title: title.to_owned(),
        body: "2 votes, $0.25".to_owned(),
    }
}
