//! The user's say in runs, in the real window: cancelling, asking again by cause, synchronous calls, and which notices are wanted.

use std::time::Duration;

use quorum_sim::{BatchStatus, Fault, Kind, SimConfig, Simulator, Speed};

use crate::{
    desktop::Desktop,
    notifications::Notifications,
    page::Page,
    pictures::check,
    scenarios::{done, plan_allergy, poll, send, use_server},
};

/// 12 businesses, one review each: a vote of gpt-5-mini and three of gpt-5-nano.
const OF_MINI: usize = 12;
const OF_NANO: usize = 36;

/// The app over a server of the test's own, whose clock stands still until it is moved, with the sample project.
async fn start(desktop: &mut Desktop) -> (Simulator, Page) {
    let simulator =
        Simulator::start(SimConfig { speed: Speed::Manual, ..SimConfig::default() }).await.expect("a simulator");
    let page = desktop.launch().await;
    use_server(&page, &simulator.base_url()).await;
    page.click("nav-extraction").await;
    page.click("use-sample").await;
    (simulator, page)
}

/// Lets the provider get on, looking every time, until the open run is in this state.
async fn until_run_is(desktop: &Desktop, page: &Page, simulator: &Simulator, state: &str) {
    let shown = format!("[data-testid=\"run-detail\"][data-state=\"{state}\"]");
    desktop
        .until(&format!("the run is {state}"), async || {
            simulator.advance(Duration::from_secs(600));
            poll(page).await;
            page.has(&shown).await
        })
        .await;
}

fn executed(simulator: &Simulator, model: &str) -> usize {
    simulator.executed().iter().filter(|row| &*row.model == model).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_and_another_is_asked_again_by_its_causes() {
    let mut desktop = Desktop::start();
    let (simulator, page) = start(&mut desktop).await;

    // Cancelled before anything is answered: nothing is charged, and nothing is left at the provider.
    plan_allergy(&page, 1).await;
    send(&page).await;
    desktop.until("the provider has both batches", async || simulator.batches().len() == 2).await;
    page.click("cancel").await;
    let said = page.text_of("cancel-dialog").await;
    assert!(said.contains("48 requests are not answered yet"), "{said}");
    check(&page, "cancel-dialog").await;
    page.click("cancel-keep").await;
    page.until("it goes on", async || !page.has("cancel-dialog").await).await;
    page.click("cancel").await;
    page.click("cancel-confirm").await;
    // The clock stands still until the provider knows: batches that end before are answered, and paid.
    let is_cancelled = |status| matches!(status, BatchStatus::Cancelling | BatchStatus::Cancelled);
    desktop
        .until("both batches are being cancelled", async || {
            poll(&page).await;
            simulator.batches().iter().all(|batch| is_cancelled(batch.status))
        })
        .await;
    until_run_is(&desktop, &page, &simulator, "cancelled").await;
    assert!(simulator.batches().iter().all(|batch| batch.status == BatchStatus::Cancelled));
    assert_eq!(simulator.executed().len(), 0);

    // Somebody else cancels one batch half way, and the provider refuses the other.
    let of = |model: &str, kind| Fault { model: Some(model.to_owned()), ..Fault::from(kind) };
    simulator.fault(of("gpt-5-mini", Kind::Cancel { fraction: 0.5 }));
    simulator.fault(of(
        "gpt-5-nano",
        Kind::FailValidation {
            code: "invalid_json_line".to_owned(),
            message: "This line is not parseable as valid JSON.".to_owned(),
            param: None,
            line: Some(7),
        },
    ));
    assert_eq!(plan_allergy(&page, 1).await, 48);
    send(&page).await;
    until_run_is(&desktop, &page, &simulator, "needsYou").await;
    simulator.clear_faults();
    page.find("failure-batchRefused").await;
    let words = page.content("failure-words").await;
    assert!(words.starts_with("invalid_json_line: This line is not parseable"), "{words}");
    check(&page, "failures").await;
    let answered = executed(&simulator, "gpt-5-mini");
    assert!((1..OF_MINI).contains(&answered), "{answered} of {OF_MINI} were answered");
    let retry = page.content("[data-testid=\"failure-cancelled\"] [data-testid=\"retry\"]").await;
    assert_eq!(retry, format!("Retry {} · no cost", OF_MINI - answered));

    // One cause is asked again: what the button counts, and nothing of the refused batch.
    page.click("[data-testid=\"failure-cancelled\"] [data-testid=\"retry\"]").await;
    page.find(
        "[data-testid=\"run-detail\"][data-state=\"running\"], [data-testid=\"run-detail\"][data-state=\"waiting\"]",
    )
    .await;
    until_run_is(&desktop, &page, &simulator, "needsYou").await;
    page.until("that cause is gone", async || !page.has("failure-cancelled").await).await;
    assert_eq!((executed(&simulator, "gpt-5-mini"), executed(&simulator, "gpt-5-nano")), (OF_MINI, 0));
    page.click("retry-all").await;
    until_run_is(&desktop, &page, &simulator, "done").await;
    assert_eq!(page.text_of("votes-stored").await, "48 votes stored");
    assert_eq!((executed(&simulator, "gpt-5-mini"), executed(&simulator, "gpt-5-nano")), (OF_MINI, OF_NANO));
    assert_eq!(simulator.duplicates(), []);

    // On demand: asked at once, as synchronous calls, and no batch is made.
    let batches = simulator.batches().len();
    page.click("nav-extraction").await;
    page.find("page-extraction").await;
    page.click("mode-onDemand").await;
    assert_eq!(plan_allergy(&page, 2).await, 48);
    page.click("send").await;
    let said = page.text_of("confirm").await;
    assert!(said.contains("on demand"), "{said}");
    check(&page, "confirm-on-demand").await;
    page.click("confirm-send").await;
    page.find("run-detail").await;
    until_run_is(&desktop, &page, &simulator, "done").await;
    assert_eq!(simulator.batches().len(), batches);
    assert_eq!(simulator.executed().iter().filter(|row| &*row.batch == "chat").count(), 48);
    page.settle();
    page.close().await;
    simulator.shutdown().await.expect("the simulator ends in order");
}

/// Plans this topic alone, sends it, and leaves its page, as no notification tells what is in view.
async fn run_of(page: &Page, k: u32, topic: &str) {
    plan_allergy(page, k).await;
    if topic != "G1_allergy" {
        page.click(&format!("topic-{topic}")).await;
        page.click("topic-G1_allergy").await;
        page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
    }
    send(page).await;
    page.click("nav-activity").await;
}

async fn until_done(page: &Page, runs: usize) {
    page.until("the activity says that it is done", async || {
        page.count("[data-testid=\"activity\"][data-kind=\"runDone\"]").await == runs || {
            page.run("document.querySelector('[data-testid=\"activity-new\"]')?.click(); return true").await;
            false
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_are_switched_off_or_held_are_not_shown_and_the_activity_has_them() {
    let mut desktop = Desktop::start();
    let mut notifications = Notifications::serve(&desktop).await;
    let page = desktop.launch().await;
    page.click("open-sample").await;
    page.click("tour-end").await;

    page.click("nav-settings").await;
    page.click("notify-done").await;
    page.find("saved").await;
    run_of(&page, 1, "G1_allergy").await;
    until_done(&page, 1).await;

    page.click("nav-settings").await;
    page.click("notify-done").await;
    page.click("quiet").await;
    page.find("[data-testid=\"quiet\"]:checked").await;
    page.find("[data-testid=\"notify-done\"]:checked").await;
    run_of(&page, 2, "G1_allergy").await;
    until_done(&page, 2).await;

    // The first that is shown is the first that is wanted.
    page.click("nav-settings").await;
    page.click("quiet").await;
    page.find("[data-testid=\"quiet\"]:not(:checked)").await;
    page.find("saved").await;
    run_of(&page, 1, "G1_hygiene").await;
    let shown = notifications.next().await;
    assert!(shown.title.starts_with("Hygiene") && shown.title.contains("is complete"), "{shown:?}");
    until_done(&page, 3).await;
    assert_eq!(notifications.waiting(), None);
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_run_goes_on_where_it_stopped() {
    let mut desktop = Desktop::start();
    let (simulator, page) = start(&mut desktop).await;
    page.click("nav-settings").await;
    page.fill("batch-size", "10").await;
    page.press("batch-size", fantoccini::key::Key::Tab).await;
    page.find("saved").await;
    plan_allergy(&page, 1).await;
    send(&page).await;
    desktop.until("the provider has a batch", async || !simulator.batches().is_empty()).await;
    page.click("pause").await;
    page.find("[data-testid=\"run-detail\"][data-state=\"paused\"]").await;
    page.find("resume").await;
    page.click("resume").await;
    until_run_is(&desktop, &page, &simulator, "done").await;
    done(&page).await;
    assert_eq!(page.text_of("votes-stored").await, "48 votes stored");
    page.close().await;
    simulator.shutdown().await.expect("the simulator ends in order");
}
