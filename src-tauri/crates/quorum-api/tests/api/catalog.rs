//! Editing the catalog through the open program: what is refused, what comes along, what becomes stale, and the way back.

use quorum_api::{
    OpenOptions, Quorum, SAMPLE_NAME,
    dto::catalog::{CatalogChange, CatalogSeverity, PromptQuery, TopicChangeKind},
};
use quorum_core::{
    manifest::Realm,
    votes::{Vote, encode},
};
use quorum_store::NewVote;
use tempfile::TempDir;

use crate::world::{AT, PANEL};

const TOPIC: &str = "G1_allergy";
const LIBRARY: &str = "terms/allergy.yaml";
const V2: &str = "policies/G1/allergy/V2.yaml";
const V3: &str = "policies/G1/allergy/V3.yaml";

fn open() -> (TempDir, Quorum) {
    let folder = TempDir::new().expect("a folder");
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("a store");
    quorum.dataset_import_sample().expect("the sample");
    (folder, quorum)
}

/// Every vote of the default ensemble on the first `k` reviews of each business, on the terms in force.
fn cast(quorum: &Quorum, k: usize) -> u32 {
    let (store, topic) = (quorum.store(), quorum.topic(TOPIC).expect("the topic"));
    let hash = topic.schema.term_hash();
    let space = store.intern_space(Realm::Sandbox, &topic.id, &hash, &topic.schema).expect("a space");
    let view = store.dataset(&SAMPLE_NAME.into()).expect("the sample");
    let mut votes = Vec::new();
    for review in view.businesses.iter().flat_map(|business| business.reviews.iter().take(k)) {
        for (model, runs, _) in PANEL {
            let model = store.intern_model(&model.into()).expect("a model");
            votes.extend((1..=runs).map(|run| NewVote {
                review: review.number,
                vote: Vote {
                    model,
                    run,
                    relevant: true,
                    imported: false,
                    at: AT,
                    codes: encode(&topic.schema, &vec![Some(0); topic.schema.fields().len()]),
                },
            }));
        }
    }
    let cast = u32::try_from(votes.len()).expect("few");
    store.add_votes(space.number, topic.schema.fields().len(), votes).expect("votes");
    cast
}

fn edit(quorum: &Quorum, path: &str, from: &str, to: &str) -> CatalogChange {
    let text = quorum.catalog_text(path).expect("the file").text;
    assert!(text.contains(from), "{path} says {from}");
    CatalogChange { path: path.to_owned(), text: Some(text.replacen(from, to, 1)) }
}

fn back(path: &str) -> CatalogChange {
    CatalogChange { path: path.to_owned(), text: None }
}

fn kinds(quorum: &Quorum, changes: &[CatalogChange]) -> Vec<(String, TopicChangeKind)> {
    let check = quorum.catalog_try(changes).expect("a check");
    assert_eq!(check.errors, 0, "{:?}", check.problems);
    check.topics.into_iter().map(|change| (change.topic, change.kind)).collect()
}

fn yours(quorum: &Quorum) -> Vec<String> {
    let overview = quorum.catalog_overview().expect("an overview");
    overview.files.into_iter().filter(|file| file.yours).map(|file| file.path).collect()
}

#[test]
fn the_overview_lists_every_file_and_what_it_holds() {
    let (_folder, quorum) = open();
    let overview = quorum.catalog_overview().expect("an overview");
    assert_eq!(overview.files.len(), 91);
    assert!(overview.problems.is_empty() && overview.files.iter().all(|file| file.builtin && !file.yours));
    let of_topic: Vec<_> = overview.files.iter().filter(|file| file.topic.as_deref() == Some(TOPIC)).collect();
    let variants: Vec<_> = of_topic.iter().filter_map(|file| file.variant.as_deref()).collect();
    assert_eq!(variants, ["V0", "V1", "V2", "V3"]);
    assert_eq!(overview.files.iter().filter(|file| file.domain.is_some()).count(), 19);
}

#[test]
fn another_description_makes_votes_stale_and_says_what_asking_again_costs() {
    let (_folder, quorum) = open();
    let votes = cast(&quorum, 10);
    let before = quorum.topic(TOPIC).expect("the topic").schema.term_hash();
    let changes = [edit(&quorum, LIBRARY, "Says how serious", "Says in a word how serious")];
    assert_eq!(kinds(&quorum, &changes), [(TOPIC.to_owned(), TopicChangeKind::Prompt)], "only values are hashed");
    let changes = [edit(&quorum, LIBRARY, "question: How bad", "question: Just how bad")];
    assert_eq!(kinds(&quorum, &changes), [(TOPIC.to_owned(), TopicChangeKind::Words)]);

    // A value's description is part of the hash.
    let changes = [edit(&quorum, LIBRARY, "No allergic incident took place", "No incident took place")];
    assert_eq!(kinds(&quorum, &changes), [(TOPIC.to_owned(), TopicChangeKind::Terms)]);
    let impact = quorum.catalog_impact(SAMPLE_NAME, &changes).expect("an impact");
    assert_eq!((impact.votes_stale, impact.topics.len(), impact.live_runs), (votes, 1, 0));
    let topic = &impact.topics[0];
    assert_eq!(topic.votes_known, 0);
    let reviews = quorum.store().dataset(&SAMPLE_NAME.into()).expect("the sample").businesses;
    let needed: usize = reviews.iter().map(|business| business.reviews.len().min(topic.k as usize) * 4).sum();
    assert_eq!(impact.requests as usize, needed);
    assert!(impact.usd > 0.0);

    // Nothing of this is saved yet; then it is, and the old votes are stale, not lost.
    assert_eq!(yours(&quorum), Vec::<String>::new());
    quorum.catalog_save(&changes).expect("saved");
    assert_eq!(yours(&quorum), [LIBRARY]);
    assert_ne!(quorum.topic(TOPIC).expect("the topic").schema.term_hash(), before);
    let coverage = |quorum: &Quorum| {
        let topics = quorum.topic_list(Some(SAMPLE_NAME)).expect("topics");
        topics.into_iter().find(|topic| topic.topic == TOPIC).and_then(|topic| topic.coverage).expect("coverage")
    };
    assert_eq!((coverage(&quorum).votes, coverage(&quorum).stale), (0, votes));

    // The way back finds every vote again.
    let impact = quorum.catalog_impact(SAMPLE_NAME, &[back(LIBRARY)]).expect("an impact");
    assert!(impact.topics.is_empty(), "nobody has asked the edited terms");
    quorum.catalog_save(&[back(LIBRARY)]).expect("reverted");
    assert_eq!(yours(&quorum), Vec::<String>::new());
    assert_eq!((coverage(&quorum).votes, coverage(&quorum).stale), (votes, 0));
}

#[test]
fn an_edited_policy_takes_the_rest_of_its_topic_along_and_gives_it_back() {
    let (folder, quorum) = open();
    cast(&quorum, 5);
    let change = edit(&quorum, V2, "points: 15", "points: 16");
    let check = quorum.catalog_try(std::slice::from_ref(&change)).expect("a check");
    let copied = ["V0", "V1", "V3"].map(|variant| format!("policies/G1/allergy/{variant}.yaml"));
    assert_eq!(check.copied, copied);
    assert_eq!(kinds(&quorum, std::slice::from_ref(&change)), [(TOPIC.to_owned(), TopicChangeKind::Policies)]);
    assert!(quorum.catalog_impact(SAMPLE_NAME, std::slice::from_ref(&change)).expect("an impact").topics.is_empty());
    quorum.catalog_save(&[change]).expect("saved");
    assert_eq!(yours(&quorum).len(), 4);
    let topic = quorum.topic(TOPIC).expect("the topic");
    assert_eq!(topic.policies.len(), 4);
    let points = topic.policies[2].scoring.as_ref().expect("points").severity_points.iter().map(|(_, points)| *points);
    assert_eq!(points.max(), Some(16));

    // A second edit copies nothing more, and survives a restart.
    let second = edit(&quorum, V3, "title:", "title: Mine,");
    assert_eq!(quorum.catalog_try(std::slice::from_ref(&second)).expect("a check").copied, Vec::<String>::new());
    quorum.catalog_save(&[second]).expect("saved");
    drop(quorum);
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the store again");
    let overview = quorum.catalog_overview().expect("an overview");
    let changed: Vec<_> = overview.files.iter().filter(|file| file.changed).map(|file| file.path.as_str()).collect();
    assert_eq!(changed, [V2, V3]);

    // One file goes back, the topic stays the user's; with the other, all of it is given back.
    quorum.catalog_save(&[back(V2)]).expect("reverted");
    assert_eq!(yours(&quorum).len(), 4);
    quorum.catalog_save(&[back(V3)]).expect("reverted");
    assert_eq!(yours(&quorum), Vec::<String>::new());
}

#[test]
fn what_is_typed_and_not_saved_outlives_the_program_and_changes_nothing() {
    let (folder, quorum) = open();
    let draft = edit(&quorum, V2, "points: 15", "points: 16");
    quorum.catalog_drafts_keep(std::slice::from_ref(&draft)).expect("kept");
    drop(quorum);
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the store again");
    assert_eq!(quorum.catalog_drafts().expect("drafts"), [draft]);
    assert_eq!(yours(&quorum), Vec::<String>::new());
    quorum.catalog_drafts_keep(&[]).expect("let go of");
    assert_eq!(quorum.catalog_drafts().expect("drafts"), []);
}

#[test]
fn an_error_is_shown_with_its_line_and_keeps_everything_as_it_was() {
    let (_folder, quorum) = open();
    let change = edit(&quorum, V2, "ref: allergy:INCIDENT_SEVERITY", "ref: allergy:SEVERITY");
    let text = change.text.clone().expect("a text");
    let line = 1 + text.lines().position(|line| line.contains("allergy:SEVERITY")).expect("the line");
    let check = quorum.catalog_try(std::slice::from_ref(&change)).expect("a check");
    let error = check.problems.iter().find(|it| it.severity == CatalogSeverity::Error).expect("an error");
    assert_eq!((error.file.as_str(), error.line as usize), (V2, line));
    assert!(error.message.contains("no term `SEVERITY`"), "{}", error.message);
    assert_eq!(check.topics[0].kind, TopicChangeKind::Removed);
    let refused = quorum.catalog_save(std::slice::from_ref(&change)).expect_err("refused");
    assert!(refused.detail.expect("the problems").contains(&format!("{V2}:{line}:")));
    assert_eq!(yours(&quorum), Vec::<String>::new());
    assert!(quorum.topic(TOPIC).is_ok());

    // Half-typed YAML is an error too, never a panic.
    for cut in (0..text.len()).step_by(211).filter(|at| text.is_char_boundary(*at)) {
        let half = CatalogChange { path: V2.to_owned(), text: Some(text[..cut].to_owned()) };
        quorum.catalog_try(&[half]).expect("a check");
    }
    // A term and the policy that uses it change together.
    let library = edit(&quorum, LIBRARY, "\nINCIDENT_SEVERITY:", "\nSEVERITY:");
    let both = quorum.catalog_try(&[library, change]).expect("a check");
    let others = both.problems.iter().filter(|problem| problem.severity == CatalogSeverity::Error);
    assert!(
        others.into_iter().all(|problem| problem.file != V2 || problem.line as usize != line),
        "{:?}",
        both.problems
    );
    for path in ["../x.yaml", "/etc/x.yaml", "terms/x.txt", ""] {
        let change = CatalogChange { path: path.to_owned(), text: Some(String::new()) };
        assert!(quorum.catalog_try(&[change]).is_err(), "{path}");
    }
}

#[test]
fn the_prompt_is_that_of_the_edited_words_and_the_chosen_review() {
    let (_folder, quorum) = open();
    let change = edit(&quorum, LIBRARY, "Says how serious", "Says in a word how serious");
    let business = quorum.store().dataset(&SAMPLE_NAME.into()).expect("the sample").businesses[3].clone();
    let query = |business: Option<&str>, place| PromptQuery {
        topic: TOPIC.to_owned(),
        dataset: Some(SAMPLE_NAME.to_owned()),
        business: business.map(str::to_owned),
        place,
    };
    let part = business.name.to_uppercase();
    let prompt = quorum.catalog_prompt(&query(Some(&part), 2), &[change]).expect("a prompt");
    let review = prompt.review.expect("a review");
    assert_eq!((review.business, review.place), (business.id.to_string(), 2));
    let row = quorum.store().review(business.reviews[1].number).expect("read").expect("a review");
    assert!(prompt.user.expect("the review").contains(&row.text));
    assert!(prompt.system.contains("Says in a word how serious") && prompt.answer.contains("\"incident_severity\""));
    assert!(prompt.fixed_tokens > 100 && prompt.review_tokens > 5);
    // The last review stands in for one that does not exist; an unknown business is said.
    let last = quorum.catalog_prompt(&query(None, 9_999), &[]).expect("a prompt").review.expect("a review");
    assert_eq!(last.place, last.reviews);
    assert!(quorum.catalog_prompt(&query(Some("no such place"), 1), &[]).is_err());
    let bare = PromptQuery { dataset: None, ..query(None, 1) };
    assert_eq!(quorum.catalog_prompt(&bare, &[]).expect("a prompt").user, None);
}
