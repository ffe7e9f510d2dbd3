//! The main job: from the first launch to verdicts on screen, and through a crash.

use std::{fs, path::Path};

use quorum_sim::{BatchStatus, SimConfig, Simulator, Speed};

use crate::{desktop::Desktop, keyring, notifications::Notifications, page::Page};

/// From a page of a project with a dataset: chooses G1_allergy and K, and waits for the estimate.
pub async fn plan_allergy(page: &Page, k: u32) -> u32 {
    page.click("nav-extraction").await;
    page.find("page-extraction").await;
    page.until("the only topic is G1_allergy", async || {
        let chosen = page.run(CHOSEN_TOPICS).await;
        let chosen: Vec<&str> = chosen.as_array().expect("a list").iter().filter_map(|topic| topic.as_str()).collect();
        match chosen.iter().find(|topic| **topic != "topic-G1_allergy") {
            Some(other) => page.click(other).await,
            None if chosen.is_empty() => page.click("topic-G1_allergy").await,
            None => return true,
        }
        false
    })
    .await;
    page.click("k-other").await;
    page.fill("k-input", &k.to_string()).await;
    page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
    let said = page.text_where("est-requests", |said| !said.is_empty()).await;
    said.replace([',', '.', '\u{202f}', '\u{a0}'], "").parse().expect("a number of requests")
}

const CHOSEN_TOPICS: &str = "return [...document.querySelectorAll('[data-testid^=\"topic-G\"]')]\
    .filter((label) => label.querySelector('input').checked).map((label) => label.dataset.testid)";

/// Confirms the plan on screen and waits for the run's page.
pub async fn send(page: &Page) {
    page.click("send").await;
    page.find("confirm").await;
    page.click("confirm-send").await;
    page.find("run-detail").await;
}

pub async fn done(page: &Page) {
    page.find("[data-testid=\"run-detail\"][data-state=\"done\"]").await;
}

/// Points the app at a server of the test's own.
pub async fn use_server(page: &Page, url: &str) {
    page.click("nav-settings").await;
    page.click("provider-custom").await;
    page.fill("provider-url", url).await;
    page.click("provider-use").await;
    page.find("key-input").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_run_to_verdicts() {
    let mut desktop = Desktop::start();
    let mut notifications = Notifications::serve(&desktop).await;
    let page = desktop.launch().await;

    page.find("page-welcome").await;
    page.click("open-sample").await;
    page.find("page-extraction").await;
    page.find("sandbox-badge").await;
    let requests = plan_allergy(&page, 10).await;
    assert_eq!(requests, 12 * 10 * 4, "12 businesses, 10 reviews each, 4 votes a review");
    send(&page).await;
    // Another page is in view, so the notification has something to say.
    page.click("nav-results").await;

    let shown = notifications.next().await;
    assert_eq!(shown.app, "Quorum");
    assert!(shown.title.contains("Allergy safety") && shown.title.contains("is complete"), "{shown:?}");
    assert!(shown.title.chars().count() <= 45, "{shown:?}");
    assert_eq!(shown.actions, ["default", "Open Quorum"]);

    // A click opens the page that it is about. The service shows it a moment before the app listens for clicks.
    page.until("the run's page is open", async || {
        notifications.click(&shown).await;
        page.has("[data-testid=\"run-detail\"]").await
    })
    .await;
    done(&page).await;
    assert_eq!(notifications.waiting(), None, "one notification a run");

    page.click("open-results").await;
    page.find("page-results").await;
    page.until("a row for each business", async || page.count("results-row").await == 12).await;
    for variant in ["V0", "V1", "V2", "V3"] {
        let name = format!("verdict-G1_allergy_{variant}");
        assert_eq!(page.count(&name).await, 12);
        // WebKit's driver calls text in a box that cuts it off invisible, so the page is asked itself.
        let said = page.run(&format!("return document.querySelector('[data-testid=\"{name}\"]').textContent")).await;
        let said = said.as_str().expect("a text");
        assert!(["Low", "High", "Critical"].iter().any(|word| said.contains(word)), "{variant}: {said}");
    }

    // One click further is what it rests on.
    page.click("results-open").await;
    page.find("business-name").await;
    page.click("tab-V0").await;
    page.find("rules").await;

    // The list in the window says what the notification said.
    page.click("nav-activity").await;
    page.find("[data-testid=\"activity\"][data-kind=\"runDone\"]").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_comes_in_by_its_path() {
    let mut desktop = Desktop::start();
    let file = desktop.folder().join("two cafés.jsonl");
    fs::write(&file, dataset()).expect("a dataset");
    let page = desktop.launch().await;

    page.find("page-welcome").await;
    page.fill("import-path", &file.with_extension("gone").to_string_lossy()).await;
    page.click("import-submit").await;
    page.find("[data-testid=\"error\"][data-code=\"fileUnreadable\"]").await;

    page.fill("import-path", &file.to_string_lossy()).await;
    page.fill("import-name", "Two cafés").await;
    page.click("import-submit").await;
    let report = page.text_where("import-report", |said| !said.is_empty()).await;
    assert!(report.contains("Two cafés imported: 2 businesses, 3 reviews, 1 skipped."), "{report}");
    assert!(report.contains("Line 2"), "{report}");
    page.click("import-done").await;
    assert_eq!(plan_allergy(&page, 10).await, 3 * 4);
    page.close().await;
}

/// Two businesses, and between them a line that is no JSON.
fn dataset() -> String {
    let review = |id: &str, text: &str| serde_json::json!({ "review_id": id, "stars": 4.0, "useful": 0, "date": "2024-05-01 12:00:00", "text": text });
    let business = |id: &str, name: &str, reviews: &[serde_json::Value]| {
        let facts = serde_json::json!({ "business_id": id, "name": name, "city": "Graz", "categories": "Cafes" });
        serde_json::json!({ "business_id": id, "business": facts, "reviews": reviews }).to_string()
    };
    let first =
        business("b1", "Café Ost", &[review("r1", "Fine coffee."), review("r2", "They knew of my nut allergy.")]);
    let second = business("b2", "Café West", &[review("r3", "Slow, but kind.")]);
    format!("{first}\n{{\"business_id\": \n{second}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_kept_in_the_keyring_and_nowhere_else() {
    const KEY: &str = "sk-proj-e2eSecretThatMayNotLeakAnywhereWx7Q";
    let mut desktop = Desktop::start();
    desktop.start_keyring().await;
    let simulator = keyring::server_with_key(KEY).await;
    let page = desktop.launch().await;

    use_server(&page, &simulator.base_url()).await;
    page.fill("key-input", "sk-proj-aKeyThatIsNotTheRightOne0000").await;
    page.click("key-save").await;
    page.find("[data-testid=\"error\"][data-code=\"keyRefused\"]").await;
    assert_eq!(keyring::secrets(&desktop).await, Vec::<String>::new(), "a refused key is not stored");

    page.fill("key-input", KEY).await;
    page.click("key-save").await;
    page.find("key-works").await;
    assert_eq!(page.text_of("key-hint").await, "sk-proj-…Wx7Q");
    assert_eq!(keyring::secrets(&desktop).await, [KEY]);
    let html = page.run("return document.documentElement.outerHTML").await;
    assert!(!html.as_str().expect("text").contains(KEY), "the page forgot the key");
    assert_eq!(files_with(desktop.folder(), KEY), Vec::<String>::new());

    // Another launch finds it.
    page.close().await;
    desktop.app_ended().await;
    let page = desktop.launch().await;
    page.click("nav-settings").await;
    assert_eq!(page.text_of("key-hint").await, "sk-proj-…Wx7Q");
    page.click("key-clear").await;
    page.click("key-clear-confirm").await;
    page.find("key-input").await;
    assert_eq!(keyring::secrets(&desktop).await, Vec::<String>::new());
    page.close().await;
    desktop.app_ended().await;
    assert_eq!(files_with(desktop.folder(), KEY), Vec::<String>::new());
}

/// Every file below that holds the text: data, settings, caches of the web view, logs.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    let mut read = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a directory").flatten() {
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let Ok(bytes) = fs::read(entry.path()) else { continue };
                read += 1;
                if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                    found.push(entry.path().display().to_string());
                }
            }
        }
    }
    assert!(read > 3, "there are files to look at");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_a_crash_and_sends_nothing_twice() {
    let simulator =
        Simulator::start(SimConfig { speed: Speed::Manual, ..SimConfig::default() }).await.expect("a simulator");
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    use_server(&page, &simulator.base_url()).await;
    page.click("nav-extraction").await;
    page.click("use-sample").await;
    assert_eq!(plan_allergy(&page, 10).await, 480);
    send(&page).await;
    desktop.until("the provider has both batches", async || simulator.batches().len() == 2).await;
    // Moves past validating, so that the crash comes in mid-run.
    simulator.advance(std::time::Duration::from_secs(10));
    desktop
        .until("a batch is in progress", async || {
            poll(&page).await;
            simulator.batches().iter().any(|batch| batch.status == BatchStatus::InProgress)
        })
        .await;

    desktop.kill_app().await;
    let page = desktop.launch().await;
    // What was live is on screen again, and goes on.
    page.find("run-detail").await;
    simulator.advance(std::time::Duration::from_secs(3_600));
    desktop
        .until("every batch is collected", async || {
            poll(&page).await;
            page.has("[data-testid=\"run-detail\"][data-state=\"done\"]").await
        })
        .await;
    assert_eq!(page.text_of("votes-stored").await, "480 votes stored");
    assert_eq!(simulator.executed().len(), 480);
    assert_eq!(simulator.duplicates(), []);
    assert_eq!(simulator.batches().len(), 2);
    page.close().await;
    simulator.shutdown().await.expect("the simulator ends in order");
}

/// Asks the app to look now, if there is anything to look at.
pub async fn poll(page: &Page) {
    let check =
        "const check = document.querySelector('[data-testid=\"check-now\"]:enabled'); check?.click(); return !!check";
    page.run(check).await;
}
