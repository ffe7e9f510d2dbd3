//! What can be chosen of a plan, in the real window: several topics, prices of one's own, a model in another's place; and what
//! comes out at the end, as files.

use std::fs;

use fantoccini::key::Key;

use crate::{
    desktop::Desktop,
    page::Page,
    scenarios::{done, plan_allergy, send},
};

/// What a model's requests cost, as its row in the form says.
async fn cost_of(page: &Page, model: &str) -> String {
    page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
    let script = format!("return document.querySelector('[data-testid=\"member-{model}\"] td:last-child').textContent");
    page.run(&script).await.as_str().expect("a text").to_owned()
}

async fn requests(page: &Page) -> String {
    page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
    page.text_where("est-requests", |said| !said.is_empty()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_topics_an_edited_price_and_a_successor_go_by_what_is_known() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    page.click("tour-end").await;

    // Two topics are two runs of one plan, and the time to expect is said before there is any experience.
    assert_eq!(plan_allergy(&page, 1).await, 48);
    page.text_where("est-time", |said| said.ends_with(" s")).await;
    page.click("topic-G1_hygiene").await;
    page.text_where("est-requests", |said| said == "96").await;
    send(&page).await;
    page.until("both are done", async || page.count("button.ri[data-state=\"done\"]").await == 2).await;

    // A price of one's own: the estimate goes by it, and a reset that was not meant is undone.
    plan_allergy(&page, 100).await;
    let before = cost_of(&page, "gpt-5-mini").await;
    page.click("nav-settings").await;
    page.fill("model-outputUsd-gpt-5-mini", "2000").await;
    page.press("model-outputUsd-gpt-5-mini", Key::Tab).await;
    page.find("model-reset-gpt-5-mini").await;
    page.click("nav-extraction").await;
    page.until("the estimate goes by the price", async || cost_of(&page, "gpt-5-mini").await != before).await;
    let dear = cost_of(&page, "gpt-5-mini").await;
    page.click("nav-settings").await;
    page.click("models-reset-all").await;
    page.until("the reset is offered back", async || page.has("undo-bar").await).await;
    page.click("nav-extraction").await;
    page.until("the shipped price counts", async || cost_of(&page, "gpt-5-mini").await == before).await;
    page.click("undo").await;
    page.until("one's own counts again", async || cost_of(&page, "gpt-5-mini").await == dear).await;

    // A model of a compatible server, with its prices.
    page.click("nav-settings").await;
    page.click("model-add").await;
    page.fill("model-add-name", "llama-4").await;
    page.fill("model-add-input", "0").await;
    page.fill("model-add-output", "0.5").await;
    page.click("model-add-save").await;
    page.find("model-llama-4").await;

    // A successor is asked only what the one before it has not answered.
    assert_eq!(plan_allergy(&page, 2).await, 48);
    page.choose("replace-gpt-5-nano", "gpt-6-luna").await;
    page.find("replaced-gpt-6-luna").await;
    assert_eq!(requests(&page).await, "48");
    assert!(page.text_of("est-known").await.contains("48"), "votes of the one before count");
    send(&page).await;
    done(&page).await;
    assert_eq!(page.text_of("votes-stored").await, "48 votes stored");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ground_truth_is_written_and_a_removed_dataset_comes_back_with_it() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    page.click("tour-end").await;
    plan_allergy(&page, 5).await;
    send(&page).await;
    done(&page).await;

    page.click("nav-results").await;
    page.find("results-row").await;
    page.click("export").await;
    let folder = desktop.folder().join("ground truth");
    page.fill("export-dir", &folder.to_string_lossy()).await;
    page.click("export-write").await;
    page.text_where("export-report", |said| said.contains("4 files written")).await;
    let files: Vec<_> = fs::read_dir(&folder).expect("it was made").map(|file| file.expect("a file").path()).collect();
    assert!(files.contains(&folder.join("G1_allergy_V3_K5_groundtruth.json")), "{files:?}");
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert!(text.contains("G1_allergy") && !json.is_null(), "{file:?}");
    }
    page.press("export-dir", Key::Escape).await;
    page.until("the dialog is closed", async || !page.has("export-dialog").await).await;

    page.click("nav-settings").await;
    page.click("dataset-remove").await;
    page.click("remove-confirm").await;
    page.find("removed-row").await;
    page.until("it is out of sight", async || !page.has("dataset-row").await).await;
    page.click("undo").await;
    page.find("dataset-row").await;
    page.click("nav-results").await;
    page.until("its verdicts are there again", async || page.count("results-row").await == 12).await;
    page.close().await;
}
