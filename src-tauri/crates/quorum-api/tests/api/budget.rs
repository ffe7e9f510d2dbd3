//! Budgets of a form: one for several topics holds for each, and none is promised that cannot be kept.

use quorum_api::{
    Address, OpenOptions, Quorum, SAMPLE_NAME,
    dto::{
        error::ErrorCode,
        plan::{EnsembleMember, ExtractionStarted, Mode, PlanRequest},
        run::RunState,
    },
};
use quorum_core::manifest::ManifestId;
use quorum_sim::{SimConfig, Simulator};
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
    let refused = quorum.extraction_start(&form, None, &estimate.fingerprint).expect_err("no price");
    assert_eq!(refused.code, ErrorCode::BudgetExceeded);
    assert!(refused.message.contains("llama-4"), "{refused}");
    assert_eq!(quorum.run_list().expect("runs"), []);
}
