//! Trust in a project's own votes: gold is labelled blind, an aggregator is chosen, results follow and name it.

use std::fs;

use quorum_api::{
    Address, OpenOptions, Quorum,
    dto::{
        error::ErrorCode,
        queue::{Doubt, QueueOrder, QueueQuery},
        trust::{AggregatorId, EvidenceId, GoldLabelRequest, LabelSession, LabelledField, TrustQuery},
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    queue::UNSURE_BELOW,
    trust::{aggregator_of, chosen},
    verdicts::{VerdictsRequest, verdicts},
};
use quorum_core::{ensemble::Ensemble, manifest::Realm, tally::Consensus, topic::Topic, trust::aggregate::Aggregator};
use tempfile::TempDir;

use crate::world::{Cast, DATASET, Random, World};

const TOPIC: &str = "G1_allergy";
const REVIEWS: [usize; 6] = [25, 25, 25, 25, 25, 25];

/// An open program on a world's store, looking at live votes; it sends nothing.
fn opened(world: World) -> (TempDir, Quorum) {
    let World { folder, store, .. } = world;
    drop(store);
    let mut options = OpenOptions::new(folder.path());
    options.provider = Some(Address::read("openai").expect("an address"));
    let quorum = Quorum::open(options).expect("opened");
    assert_eq!(quorum.realm().expect("a realm"), Realm::Live);
    (folder, quorum)
}

fn query() -> TrustQuery {
    TrustQuery { dataset: DATASET.to_owned(), topic: TOPIC.to_owned(), k: 25 }
}

/// The true severity of a review: most are of the first value.
fn truth(business: usize, review: usize) -> u8 {
    if (business * 7 + review * 3).is_multiple_of(5) { 2 } else { 0 }
}

/// gpt-5-mini is right 19 times of 20; the three runs of gpt-5-nano say the first value whatever the review, so that together
/// they outvote it.
fn one_strong_model() -> World {
    let world = World::new(&REVIEWS);
    let topic = world.topic(TOPIC).clone();
    let (severity, known) = topic.schema.field("incident_severity").expect("a field");
    let mut random = Random::new(7);
    for (business, count) in REVIEWS.iter().enumerate() {
        for review in 0..*count {
            let values = |value: u8| {
                let mut values = vec![Some(0); topic.schema.fields().len()];
                values[severity] = Some(value);
                values
            };
            let is_slip = random.one_in(20);
            let said = if is_slip { 1 } else { truth(business, review) };
            assert!(usize::from(said) < known.term.values.len());
            let cast = |model, run, value| Cast { model, run, relevant: true, values: values(value) };
            let nano = |run| cast("gpt-5-nano", run, if errs_alike(business, review) { 1 } else { 0 });
            world.cast(
                &topic,
                world.number(business, review),
                &[cast("gpt-5-mini", 1, said), nano(1), nano(2), nano(3)],
            );
        }
    }
    world
}

/// One answer in ten of gpt-5-nano is the second value, in all runs alike.
fn errs_alike(business: usize, review: usize) -> bool {
    (business * 11 + review * 5) % 10 == 3
}

fn places(review: &str) -> (usize, usize) {
    let (business, review) = review.trim_start_matches('b').split_once("::r").expect("an id");
    (business.parse().expect("a number"), review.parse().expect("a number"))
}

/// Labels a sample by the truth until it is done, or this many.
fn label(quorum: &Quorum, topic: &Topic, mut session: LabelSession, limit: usize) -> LabelSession {
    let (_, severity) = topic.schema.field("incident_severity").expect("a field");
    for _ in 0..limit {
        let Some(task) = session.next.clone() else { break };
        let (business, review) = places(&task.review_id);
        let values = vec![LabelledField {
            field: "incident_severity".to_owned(),
            value: severity.value_id(truth(business, review)).to_owned(),
        }];
        let draw = session.draw.expect("a sample");
        let request = GoldLabelRequest { query: query(), draw, review_id: task.review_id, relevant: true, values };
        session = quorum.gold_label(&request, "Ada").expect("kept");
    }
    session
}

#[test]
fn a_few_labels_show_that_the_strong_model_is_outvoted_and_choosing_it_changes_results_without_asking() {
    let world = one_strong_model();
    let topic = world.topic(TOPIC).clone();
    let (_folder, quorum) = opened(world);
    let before = quorum.trust_report(&query()).expect("a report");
    assert_eq!(
        (before.reviews, before.gold.labelled, before.applied.aggregator),
        (150, 0, AggregatorId::WeightedMajority)
    );
    assert_eq!(before.recommendation.evidence, EvidenceId::TooThin);
    assert!(before.questions.iter().all(|question| question.learned.is_none()), "there is nothing to learn from");
    assert!(before.aggregators.is_empty() && before.unknown[0].contains("agreement is not truth"));
    let refused = quorum.aggregator_choose(&query(), AggregatorId::BestSingle).expect_err("nothing to learn from");
    assert_eq!(
        (refused.code, refused.safe.as_deref()),
        (ErrorCode::InvalidInput, Some("The aggregator is unchanged."))
    );

    let session = quorum.gold_draw(&query(), 40, "Ada").expect("drawn");
    assert_eq!((session.total, session.labelled), (40, 0));
    let first = session.next.clone().expect("a review").review_id;
    let session = label(&quorum, &topic, session, 15);
    // Taken back, and then a stop: the session goes on where it was left.
    let undone = quorum.gold_undo(&query(), "Ada").expect("taken back");
    assert_eq!((session.labelled, undone.labelled), (15, 14));
    let resumed = quorum.label_session(&query()).expect("a session");
    assert_eq!(resumed, undone);
    assert_ne!(resumed.next.as_ref().map(|task| &task.review_id), Some(&first));
    let done = label(&quorum, &topic, resumed, 40);
    assert_eq!((done.labelled, done.next), (40, None));

    let report = quorum.trust_report(&query()).expect("a report");
    assert_eq!(report.gold.labelled, 40);
    let recommended = report.recommendation.aggregator;
    assert_ne!(recommended, AggregatorId::WeightedMajority, "{:?}", report.recommendation.words);
    assert_eq!(report.recommendation.evidence, EvidenceId::Clear);
    let severity =
        report.questions.iter().find(|one| one.field.as_deref() == Some("incident_severity")).expect("a field");
    assert!(severity.ordered);
    let of = |model: &str| {
        let found = severity.models.iter().find(|score| score.model == model).and_then(|score| score.accuracy.clone());
        found.expect("scored").percent
    };
    assert!(of("gpt-5-mini") > of("gpt-5-nano") + 10.0, "{:?}", severity.models);
    let learned = severity.learned.as_ref().expect("learned from 40 labels");
    let [mini, nano, ..] = learned.judges.as_slice() else { panic!("four runs: {learned:?}") };
    assert_eq!((mini.judge.as_str(), mini.configured, nano.configured), ("gpt-5-mini/1", 2.0, 1.0));
    // Right 19 times of 20, which 40 labels over three classes show in part only: the rest is the prior's caution.
    assert!(mini.right_percent > nano.right_percent + 20.0, "{learned:?}");
    assert!(mini.right_percent > 80.0 && mini.weight > 2.0 && nano.weight < 1.0, "{learned:?}");
    let sizes: f64 = learned.judges.iter().map(|judge| judge.weight.abs()).sum();
    assert!((sizes - 5.0).abs() < 1e-9, "{learned:?}");
    assert_eq!(learned.blend.len(), 5);
    assert!(learned.blend.iter().all(|part| part.exponent >= 0.0) && learned.words.contains("40 gold labels"));

    let dataset = OpenDataset::open(quorum.store(), Realm::Live, &DATASET.into()).expect("a dataset");
    let right = || {
        let judgments = Judgments::load(quorum.store(), &dataset, &topic, &Ensemble::standard()).expect("judgments");
        let (field, _) = topic.schema.field("incident_severity").expect("a field");
        let is_right =
            |position: &usize| judgments.values(*position)[field] == Some(truth(position / 25, position % 25));
        (0..150).filter(is_right).count()
    };
    let votes = |quorum: &Quorum| {
        let space =
            quorum.store().space(Realm::Live, &topic.id, &topic.schema.term_hash()).expect("read").expect("a space");
        let mut rows = Vec::new();
        quorum
            .store()
            .each_votes(space.number, |review, row| rows.push((review, row.as_bytes().to_vec())))
            .expect("votes");
        rows
    };
    let in_doubt = || {
        let query =
            QueueQuery { dataset: DATASET.to_owned(), topic: TOPIC.to_owned(), k: 25, order: QueueOrder::Verdicts };
        quorum.queue_list(&query).expect("a queue")
    };
    let (outvoted, asked, doubts) = (right(), votes(&quorum), in_doubt());
    let applied = quorum.aggregator_choose(&query(), recommended).expect("chosen");
    assert_eq!(applied.name, report.recommendation.name);
    assert!(right() > outvoted + 10, "{} is not above {outvoted}", right());
    assert_eq!(votes(&quorum), asked, "no vote changed");
    // What is in doubt is said by the aggregator in use: here it knows whom to believe where three outvote one.
    let now = in_doubt();
    assert_eq!((doubts.applied.name.as_str(), now.applied.name), ("weighted majority", report.recommendation.name));
    assert!(now.labels.len() < doubts.labels.len(), "{} of {}", now.labels.len(), doubts.labels.len());
    let unsure = now.labels.iter().filter(|label| label.doubt == Doubt::Unsure);
    assert!(unsure.into_iter().all(|label| label.confidence.is_some_and(|sure| sure < UNSURE_BELOW)));
    assert!(quorum.store().manifests().expect("manifests").is_empty(), "nothing was asked");

    let request = VerdictsRequest {
        dataset: DATASET.into(),
        policies: vec!["G1_allergy_V2".into()],
        ks: vec![25],
        ensemble: None,
        partial: false,
    };
    let catalog = quorum.catalog();
    let result =
        |quorum: &Quorum| verdicts(quorum.store(), &catalog, Realm::Live, &request).expect("verdicts").0.remove(0);
    assert_eq!(result(&quorum).aggregator.aggregator, aggregator_of(recommended));
    let (files, _) = quorum.ground_truth(&request, quorum.data_dir()).expect("written");
    let text = fs::read_to_string(&files[0].path).expect("read");
    let named = serde_json::to_string(&aggregator_of(recommended)).expect("a name");
    assert!(text.contains(&format!("\"aggregator\": {named}")), "{named}");

    quorum.aggregator_choose(&query(), AggregatorId::WeightedMajority).expect("chosen");
    assert_eq!((right(), result(&quorum).aggregator.aggregator), (outvoted, Aggregator::WeightedMajority));
}

#[test]
fn a_label_is_kept_only_for_what_was_drawn_and_what_the_terms_have() {
    let world = one_strong_model();
    let topic = world.topic(TOPIC).clone();
    let (_folder, quorum) = opened(world);
    assert_eq!(quorum.gold_draw(&query(), 5, "Ada").expect_err("too small").code, ErrorCode::InvalidInput);
    let session = quorum.gold_draw(&query(), 20, "Ada").expect("drawn");
    let drawn = session.next.clone().expect("a review").review_id;
    let request = |review: &str, values: &[(&str, &str)]| GoldLabelRequest {
        query: query(),
        draw: session.draw.expect("a sample"),
        review_id: review.to_owned(),
        relevant: true,
        values: values
            .iter()
            .map(|(field, value)| LabelledField { field: (*field).into(), value: (*value).into() })
            .collect(),
    };
    let refused =
        |request: GoldLabelRequest| quorum.gold_label(&request, "Ada").map(drop).expect_err("refused").message;
    assert!(refused(request("b9::r9", &[])).contains("is not in sample"));
    assert!(refused(request(&drawn, &[("colour", "red")])).contains("has no field colour"));
    assert!(refused(request(&drawn, &[("incident_severity", "awful")])).contains("has no value awful"));
    assert!(refused(GoldLabelRequest { draw: 99, ..request(&drawn, &[]) }).contains("no open sample 99"));
    let wrong = GoldLabelRequest { relevant: false, ..request(&drawn, &[("incident_severity", "severe")]) };
    assert!(refused(wrong).contains("has no values"));
    assert_eq!(quorum.label_session(&query()).expect("a session").labelled, 0);
    assert!(quorum.gold_undo(&query(), "Ada").expect_err("nothing").message.contains("no label"));
    // A second sample leaves out what has a label.
    let done = label(&quorum, &topic, session, 20);
    assert_eq!(done.labelled, 20);
    let again = quorum.gold_draw(&query(), 60, "Eve").expect("drawn");
    assert_eq!((again.total, again.labelled), (60, 0));
    label(&quorum, &topic, again, 60);
    assert_eq!(quorum.trust_report(&query()).expect("a report").gold.labelled, 80);
}

#[test]
fn plain_majority_settles_as_the_tally_does_with_equal_weights() {
    let reviews = [30, 4, 11];
    let world = World::new(&reviews);
    let topic = world.topic(TOPIC).clone();
    world.cast_at_random(&topic, &reviews, &mut Random::new(3));
    let (_folder, quorum) = opened(world);
    let equal = Ensemble::read("gpt-5-mini:2:1,gpt-5-nano:3:1").expect("an ensemble");
    let dataset = OpenDataset::open(quorum.store(), Realm::Live, &DATASET.into()).expect("a dataset");
    let settled = || -> Vec<(Consensus, Vec<Option<u8>>)> {
        let judgments = Judgments::load(quorum.store(), &dataset, &topic, &equal).expect("judgments");
        (0..45).map(|position| (judgments.consensus(position), judgments.values(position).to_vec())).collect()
    };
    let tallied = settled();
    quorum.aggregator_choose(&query(), AggregatorId::Majority).expect("chosen");
    assert_eq!(chosen(quorum.store(), Realm::Live, &topic.id).expect("read"), Aggregator::Majority);
    let mut fields = 0;
    for ((ours, our_values), (theirs, their_values)) in settled().into_iter().zip(tallied) {
        assert_eq!(
            (ours.relevant, ours.relevance_tied, ours.votes),
            (theirs.relevant, theirs.relevance_tied, theirs.votes)
        );
        assert_eq!(our_values, their_values);
        assert!((ours.relevance_confidence - theirs.relevance_confidence).abs() < 1e-9);
        for (ours, theirs) in ours.fields.iter().zip(&theirs.fields) {
            assert_eq!((ours.value, ours.tied), (theirs.value, theirs.tied));
            assert!((ours.confidence - theirs.confidence).abs() < 1e-9);
            fields += usize::from(ours.value.is_some());
        }
    }
    assert!(fields > 50, "{fields} fields were compared");
    // Another realm keeps its own choice.
    assert_eq!(chosen(quorum.store(), Realm::Sandbox, &topic.id).expect("read"), Aggregator::WeightedMajority);
}

#[test]
fn certain_votes_make_certain_verdicts_and_doubt_is_counted() {
    let world = one_strong_model();
    let (_folder, quorum) = opened(world);
    let found = quorum.verdict_certainties(&query()).expect("certainties");
    assert_eq!(found.policies.len(), 4);
    assert!(found.words[0].contains("taken at face value"), "{}", found.words[0]);
    for policy in &found.policies {
        assert_eq!(policy.businesses.len(), 6);
        assert_eq!(policy.counts.iter().map(|row| row.stated).sum::<u32>(), 6);
        let expected: f64 = policy.counts.iter().map(|row| row.expected).sum();
        assert!((expected - 6.0).abs() < 1e-6, "{expected}");
        for business in &policy.businesses {
            let sum: f64 = business.probabilities.iter().map(|chance| chance.probability).sum();
            assert!((sum - 1.0).abs() < 1e-6 && business.standard_error.is_none(), "{business:?}");
        }
    }
    let queue = quorum.value_queue(&query()).expect("a queue");
    assert!(!queue.entries.is_empty() && queue.entries.is_sorted_by(|a, b| a.expected_changes >= b.expected_changes));
    let one = quorum.business_certainty(&query(), "b2").expect("a business");
    assert!(one.policies.iter().all(|policy| policy.businesses.len() == 1));
    let advice = quorum.ensemble_advice(&query()).expect("advice");
    assert_eq!((advice.runs.len(), advice.alternatives.len()), (4, 4));
    // Runs that always agree: one of them alone says nothing new.
    assert!(
        advice.runs.iter().all(|run| run.usd.is_none())
            && advice.words.iter().any(|words| words.contains("Imported votes"))
    );
}

#[test]
fn without_votes_everything_says_so() {
    let (_folder, quorum) = opened(World::new(&[3, 2]));
    let report = quorum.trust_report(&query()).expect("a report");
    assert_eq!(
        (report.reviews, report.unknown.as_slice()),
        (0, ["There are no votes yet, so nothing can be said.".to_owned()].as_slice())
    );
    assert!(report.questions.iter().flat_map(|one| &one.figures).all(|figure| figure.value.is_none()));
    assert!(quorum.gold_draw(&query(), 20, "Ada").expect_err("nothing").message.contains("no review to draw"));
    let certainties = quorum.verdict_certainties(&query()).expect("certainties");
    assert!(certainties.policies.iter().all(|policy| policy.businesses.is_empty() && policy.expected_wrong == 0.0));
    assert!(quorum.value_queue(&query()).expect("a queue").stop);
    assert!(quorum.ensemble_advice(&query()).expect("advice").words[0].contains("no votes"));
    assert_eq!(
        quorum.trust_report(&TrustQuery { topic: "G9".into(), ..query() }).expect_err("unknown").code,
        ErrorCode::NotFound
    );
}
