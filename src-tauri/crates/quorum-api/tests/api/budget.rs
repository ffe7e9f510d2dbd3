//! Budgets, of a form and of a day: one for several topics holds for each, none is promised that cannot be kept, and nobody but
//! the user lifts one.

use std::fs;

use quorum_api::{
    Address, Again, OpenOptions, Quorum, SAMPLE_NAME, Wish,
    dto::{
        error::{ApiError, ErrorCode},
        model::ModelField,
        plan::{EnsembleMember, ExtractionStarted, Mode, ModelEstimate, PlanRequest, PlanWarningCode},
        run::RunState,
    },
};
use quorum_core::{
    ensemble::Ensemble,
    manifest::{self, Batch, BatchState, Manifest, ManifestId},
};
use quorum_engine::expected_usd;
use quorum_sim::{Fault, Kind, SimConfig, Simulator};
use tempfile::TempDir;

const TOPICS: [&str; 3] = ["G1_allergy", "G1_hygiene", "G2_romance"];

async fn opened(sim: &Simulator) -> (TempDir, Quorum) {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read(&sim.base_url()).expect("an address");
    let options = OpenOptions { provider: Some(address), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    (folder, quorum)
}

fn form(topics: &[&str], model: &str, mode: Mode) -> PlanRequest {
    PlanRequest {
        dataset: SAMPLE_NAME.to_owned(),
        topics: topics.iter().map(ToString::to_string).collect(),
        k: 1,
        ensemble: vec![EnsembleMember { model: model.to_owned(), runs: 1, weight: 1, replaces: Vec::new() }],
        mode,
        canary: Some(false),
    }
}

/// Starts a form with this share of its estimate as the budget.
fn start(quorum: &Quorum, form: &PlanRequest, share: f64) -> (f64, ExtractionStarted) {
    let estimate = quorum.plan_estimate(form).expect("an estimate");
    let budget = estimate.usd * share;
    (budget, quorum.extraction_start(form, Some(budget), &estimate.fingerprint).expect("room"))
}

fn budget_of(quorum: &Quorum, run: &str) -> f64 {
    let manifest = quorum.store().manifest(ManifestId(run.parse().expect("a number"))).expect("the run");
    manifest.budget_usd.expect("a budget")
}

#[tokio::test]
async fn a_budget_for_several_topics_holds_for_each_by_its_estimate() {
    for mode in [Mode::Batch, Mode::OnDemand] {
        let sim = Simulator::start(SimConfig::default()).await.expect("a port");
        let (_folder, quorum) = opened(&sim).await;
        let (budget, started) = start(&quorum, &form(&TOPICS, "gpt-5-mini", mode), 0.5);
        assert_eq!(started.runs.len(), 3);
        let parts: Vec<f64> = started.runs.iter().map(|run| budget_of(&quorum, run)).collect();
        assert!((parts.iter().sum::<f64>() - budget).abs() < 1e-12, "{parts:?} of {budget}");
        for _ in 0..5 {
            quorum.tick().await.expect("a tick");
        }
        for (run, part) in started.runs.iter().zip(&parts) {
            let run = quorum.run_detail(run).expect("the run").summary;
            assert!((part - run.usd_estimated / 2.0).abs() < 1e-12, "{run:?}");
            assert_eq!((run.state, run.completed), (RunState::NeedsYou, 0), "{run:?}");
        }
        assert_eq!((sim.batches().len(), sim.executed().len()), (0, 0), "nothing was sent beyond it");
    }
}

#[tokio::test]
async fn a_budget_that_is_the_estimate_is_enough_for_every_topic() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    let (_folder, quorum) = opened(&sim).await;
    let (_, started) = start(&quorum, &form(&TOPICS, "gpt-5-mini", Mode::Batch), 1.0);
    for _ in 0..50 {
        quorum.tick().await.expect("a tick");
    }
    for run in &started.runs {
        assert_eq!(quorum.run_detail(run).expect("the run").summary.state, RunState::Done);
    }
}

#[tokio::test]
async fn no_budget_is_promised_over_a_model_without_a_price() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    let (_folder, quorum) = opened(&sim).await;
    let form = form(&TOPICS[..1], "llama-4", Mode::Batch);
    let estimate = quorum.plan_estimate(&form).expect("an estimate");
    let refused = quorum.extraction_start(&form, Some(5.0), &estimate.fingerprint).expect_err("no price");
    assert_eq!(refused.code, ErrorCode::BudgetExceeded);
    assert!(refused.message.contains("llama-4") && refused.message.contains("no budget can be kept"), "{refused}");
    assert_eq!(quorum.run_list().expect("runs"), []);
    quorum.extraction_start(&form, None, &estimate.fingerprint).expect("without a budget nobody is misled");
}

#[test]
fn todays_budget_does_not_take_a_model_without_a_price_for_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read("https://provider.invalid/v1").expect("an address");
    let options = OpenOptions { provider: Some(address), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    let mut settings = quorum.settings_get().expect("settings");
    settings.budget_day_usd = Some(0.01);
    quorum.settings_set(settings).expect("set");
    let form = form(&TOPICS[..1], "llama-4", Mode::Batch);
    let estimate = quorum.plan_estimate(&form).expect("an estimate");
    assert!(estimate.usd < 0.01, "what has no price is not in the sum");
    assert!(estimate.per_topic.iter().all(|topic| topic.usd.is_none()), "nor said to be for nothing: {estimate:?}");
    assert!(estimate.ladder.iter().all(|step| step.requests > 0 && step.usd.is_none()), "{estimate:?}");
    let prices = |part: &ModelEstimate| (part.input_price_usd, part.output_price_usd);
    assert_eq!(estimate.per_model.iter().map(prices).collect::<Vec<_>>(), [(None, None)]);
    let refused = quorum.extraction_start(&form, None, &estimate.fingerprint).expect_err("no price");
    assert_eq!(refused.code, ErrorCode::BudgetExceeded);
    assert!(refused.message.contains("llama-4"), "{refused}");
    assert_eq!(quorum.run_list().expect("runs"), []);
}

/// A provider that costs money and is never asked, with this budget for today and batches of at most ten requests.
fn live(budget_day_usd: Option<f64>) -> (TempDir, Quorum) {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read("https://provider.invalid/v1").expect("an address");
    let options = OpenOptions { provider: Some(address), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    today(&quorum, budget_day_usd);
    (folder, quorum)
}

fn today(quorum: &Quorum, budget_day_usd: Option<f64>) {
    let mut settings = quorum.settings_get().expect("settings");
    (settings.budget_day_usd, settings.batch_requests_max) = (budget_day_usd, 10);
    quorum.settings_set(settings).expect("set");
}

fn wish(topic: &str, ensemble: &str) -> Wish {
    Wish {
        dataset: SAMPLE_NAME.into(),
        topic: topic.to_owned(),
        k: 1,
        ensemble: Ensemble::read(ensemble).expect("an ensemble"),
        mode: manifest::Mode::Batch,
        canary: Some(false),
    }
}

fn begin(quorum: &Quorum, wish: &Wish, budget_usd: Option<f64>) -> Result<Manifest, ApiError> {
    let (draft, topic) = quorum.draft(wish).expect("a draft");
    Ok(quorum.start(wish, draft, &topic, budget_usd)?.expect("something is missing"))
}

fn price(quorum: &Quorum, wish: &Wish) -> f64 {
    let (draft, topic) = quorum.draft(wish).expect("a draft");
    quorum.price_of(wish, &draft, &topic).expect("the table").expect("a price")
}

#[track_caller]
fn above_today<T: std::fmt::Debug>(refused: Result<T, ApiError>) {
    let refused = refused.expect_err("it is above today's budget");
    assert_eq!(refused.code, ErrorCode::BudgetExceeded, "{refused}");
    assert!(refused.message.contains("of today's budget"), "{refused}");
}

#[test]
fn todays_budget_holds_for_every_way_to_start_a_run() {
    let (_folder, quorum) = live(None);
    let (one, other) = (wish("G1_allergy", "gpt-5-mini:1"), wish("G1_hygiene", "gpt-5-mini:1"));
    let (first, second) = (price(&quorum, &one), price(&quorum, &other));
    today(&quorum, Some(first + second / 2.0));
    begin(&quorum, &one, None).expect("room");
    // What the first one will be charged is not there for the second, which no form stands behind.
    above_today(begin(&quorum, &other, None));
    above_today(begin(&quorum, &other, Some(second * 0.9)));
    assert_eq!(quorum.run_list().expect("runs").len(), 1);
    begin(&quorum, &other, Some(second)).expect("it was agreed to");
}

#[test]
fn what_is_asked_again_and_what_goes_on_keeps_to_todays_budget() {
    let (_folder, quorum) = live(None);
    let run = begin(&quorum, &wish("G1_allergy", "gpt-5-mini:1"), None).expect("no budget").id;
    let name = run.to_string();
    for batch in quorum.store().batches(run).expect("batches") {
        let fail = |batch: &mut Batch| batch.state = BatchState::Failed;
        quorum.store().change_batch(batch.id, fail).expect("written");
    }
    let offer = quorum.retry_offer(&name, None, None, false).expect("an offer");
    assert_eq!(offer.requests, 12);
    today(&quorum, Some(offer.usd / 2.0));
    above_today(quorum.run_retry(&name, None, None));
    above_today(quorum.ask_again(&name, &Again { at_once: true, agreed_usd: Some(offer.usd), ..Again::default() }));
    quorum.ask_again(&name, &Again { agreed_usd: Some(offer.usd), ..Again::default() }).expect("it was agreed to");

    quorum.run_pause(&name).expect("paused");
    above_today(quorum.run_resume(&name));
    assert!(quorum.run_resume_all().is_err());
    assert_eq!(quorum.run_detail(&name).expect("the run").summary.state, RunState::Paused);
    today(&quorum, Some(offer.usd * 1.01));
    quorum.run_resume(&name).expect("there is room: what it costs is not counted twice");
    quorum.run_pause(&name).expect("paused");
    today(&quorum, Some(0.0));
    quorum.resume_for(&name, Some(offer.usd * 1.01)).expect("it was agreed to");
}

#[test]
fn a_retry_costs_what_its_own_model_does_and_not_what_a_trial_did() {
    let (_folder, quorum) = live(None);
    let tried = Wish { canary: Some(true), ..wish("G1_allergy", "gpt-5.1:1,gpt-5-nano:1") };
    let manifest = begin(&quorum, &tried, None).expect("no budget");
    let batches = quorum.store().batches(manifest.id).expect("batches");
    for batch in &batches {
        let (is_answered, expected) =
            (batch.is_canary && batch.model.as_str() == "gpt-5.1", expected_usd(&manifest, batch));
        let settle = |batch: &mut Batch| {
            batch.state = if is_answered { BatchState::Ingested } else { BatchState::Failed };
            (batch.votes, batch.usd) = if is_answered { (batch.requests, expected) } else { (0, 0.0) };
        };
        quorum.store().change_batch(batch.id, settle).expect("written");
    }
    let groups = quorum.run_detail(&manifest.id.to_string()).expect("the run").failures;
    for model in ["gpt-5.1", "gpt-5-nano"] {
        let group = groups.iter().find(|group| group.model == model).expect("a group");
        let of_batch = batches.iter().find(|batch| batch.model.as_str() == model && !batch.is_canary).expect("a batch");
        let each = expected_usd(&manifest, of_batch) / f64::from(of_batch.requests);
        let usd = each * f64::from(group.count);
        assert!((group.usd_retry - usd).abs() < usd * 0.02, "{model}: {} is not {usd}", group.usd_retry);
    }
}

#[tokio::test]
async fn a_budget_that_is_the_estimate_is_enough_for_the_trial_too() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    let (_folder, quorum) = opened(&sim).await;
    let form = PlanRequest { canary: Some(true), ..form(&TOPICS, "gpt-5-mini", Mode::Batch) };
    let plain = quorum.plan_estimate(&PlanRequest { canary: Some(false), ..form.clone() }).expect("an estimate");
    let (estimate, started) = start(&quorum, &form, 1.0);
    // Four of twelve requests at twice the price of the others.
    let share = estimate / plain.usd;
    assert!((1.3..1.34).contains(&share), "{share}");
    for run in &started.runs {
        let id = ManifestId(run.parse().expect("a number"));
        let (manifest, batches) =
            (quorum.store().manifest(id).expect("a run"), quorum.store().batches(id).expect("batches"));
        assert_eq!(batches.iter().filter(|batch| batch.is_canary).count(), 1);
        let expected: f64 = batches.iter().map(|batch| expected_usd(&manifest, batch)).sum();
        assert!((budget_of(&quorum, run) - expected).abs() < 1e-12, "{} {expected}", budget_of(&quorum, run));
        assert!((manifest.usd_estimated - expected).abs() < 1e-12, "{} {expected}", manifest.usd_estimated);
    }
    for _ in 0..50 {
        quorum.tick().await.expect("a tick");
    }
    for run in &started.runs {
        let run = quorum.run_detail(run).expect("the run").summary;
        assert_eq!(run.state, RunState::Done, "{run:?}");
    }
}

#[tokio::test]
async fn going_on_with_all_runs_lifts_no_budget() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    sim.fault(Fault::from(Kind::LongRunning { seconds: 3_600, observations: 0 }));
    let (_folder, quorum) = opened(&sim).await;
    today(&quorum, None);
    let two_batches = wish("G1_allergy", "gpt-5-mini:1");
    let budget = price(&quorum, &two_batches) * 0.9;
    let run = begin(&quorum, &two_batches, Some(budget)).expect("room").id.to_string();
    quorum.tick().await.expect("a tick");
    let stopped = quorum.run_detail(&run).expect("the run").summary;
    assert_eq!((sim.batches().len(), stopped.state), (1, RunState::NeedsYou), "{stopped:?}");
    assert_eq!(quorum.run_resume_all().expect("the store"), 0);
    quorum.tick().await.expect("a tick");
    assert_eq!((sim.batches().len(), budget_of(&quorum, &run)), (1, budget), "nobody said to go beyond it");

    // A person's own pause is what going on ends.
    quorum.run_resume(&run).and_then(|_| quorum.run_pause(&run)).expect("paused by the user");
    assert_eq!(quorum.run_resume_all().expect("the store"), 1);
}

#[test]
fn an_allowance_that_would_make_crumbs_of_a_plan_is_said_before_it_is_agreed_to() {
    let (_folder, quorum) = live(None);
    let form = PlanRequest { k: 25, ..form(&TOPICS[..1], "gpt-5-mini", Mode::Batch) };
    let warned = || {
        let warnings = quorum.plan_estimate(&form).expect("an estimate").warnings;
        warnings.into_iter().find(|warning| warning.code == PlanWarningCode::QueueAllowance)
    };
    assert_eq!(warned(), None);
    quorum.model_edit("gpt-5-mini", ModelField::QueueTokens, "2,000,000").expect("a limit");
    assert_eq!(warned(), None);
    quorum.model_edit("gpt-5-mini", ModelField::QueueTokens, "2,000").expect("a slip of the pen");
    let warning = warned().expect("it is said");
    assert_eq!(warning.model.as_deref(), Some("gpt-5-mini"));
    assert!(warning.message.contains("300 batches"), "{warning:?}");
    assert!(quorum.plan_estimate(&form).expect("an estimate").batches.len() < 40, "and nothing is cut by it");
}

/// What is warned of a plan that asks `k` reviews of a business with one, as it is said; shutdowns come and go with the calendar.
fn warned(address: &str, k: u32) -> Vec<(PlanWarningCode, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read(address).expect("an address");
    let options = OpenOptions { provider: Some(address), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    let one = folder.path().join("one.jsonl");
    fs::write(&one, r#"{"business_id": "b", "reviews": [{"review_id": "r", "text": "Fine."}]}"#).expect("a file");
    quorum.dataset_import(&one, Some("one")).expect("imported");
    let mut settings = quorum.settings_get().expect("settings");
    settings.budget_day_usd = Some(0.0);
    quorum.settings_set(settings).expect("set");
    let form = PlanRequest { dataset: "one".to_owned(), k, ..form(&TOPICS[..1], "gpt-5-mini", Mode::Batch) };
    let estimate = quorum.plan_estimate(&form).expect("an estimate");
    let said = estimate.warnings.into_iter().map(|warning| (warning.code, warning.message));
    said.filter(|(code, _)| matches!(code, PlanWarningCode::FewReviews | PlanWarningCode::OverBudget)).collect()
}

#[test]
fn a_server_on_this_computer_is_above_no_budget_and_figures_are_counted_as_people_count() {
    let few = (PlanWarningCode::FewReviews, "1 of 1 business has fewer than 25 reviews.".to_owned());
    assert_eq!(warned("http://127.0.0.1:9/v1", 25), std::slice::from_ref(&few));
    let over = "The plan is under $0.01 above what is left of today's budget.".to_owned();
    assert_eq!(warned("https://provider.invalid/v1", 25), [(PlanWarningCode::OverBudget, over), few]);
}
