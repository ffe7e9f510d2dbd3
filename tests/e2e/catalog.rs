//! The catalog in the real window: words are changed, the price of it is named, verdicts are kept as a file, and all goes back.

use std::fs;

use serde_json::Value;

use crate::{
    desktop::Desktop,
    page::Page,
    pictures::check,
    scenarios::{done, plan_allergy, send},
};

/// Types into the editor as a person who replaces one text by another would.
async fn replace(page: &Page, from: &str, to: &str) {
    page.find("editor").await;
    let script = format!(
        "const area = document.querySelector('[data-testid=\"editor\"]');\
         if (!area.value.includes({from})) return false;\
         area.value = area.value.replace({from}, {to});\
         area.dispatchEvent(new Event('input', {{ bubbles: true }})); return true",
        from = Value::from(from),
        to = Value::from(to),
    );
    page.until("the editor shows the file", async || page.run(&script).await == true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_words_make_votes_stale_and_the_way_back_finds_them_again() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    plan_allergy(&page, 10).await;
    send(&page).await;
    done(&page).await;

    page.click("nav-catalog").await;
    page.text_where("questions", |said| said.contains("How bad was the reaction?")).await;
    page.click("tab-prompt").await;
    page.text_where("prompt-user", |said| said.contains("<review fence=")).await;

    // An error is named with its line, and cannot be saved.
    page.click("tab-V2").await;
    replace(&page, "points: 15", "points: many").await;
    let problem = page.text_where("problem", |said| said.contains("many")).await;
    assert!(problem.starts_with("error") && problem.contains("line 32"), "{problem}");
    assert!(page.has("[data-testid=\"catalog-save\"]:disabled").await);
    page.click("catalog-discard").await;

    // Other words of an answer: votes become stale, and asking again has a price.
    page.click("shelf-terms").await;
    page.click("[data-testid=\"file-terms/allergy.yaml\"]").await;
    replace(&page, "No allergic incident took place", "No incident took place").await;
    assert_eq!(page.text_where("votes-stale", |said| !said.is_empty()).await, "480");
    assert_eq!(page.text_of("reask-usd").await, "no cost");
    page.click("catalog-save").await;
    page.find("catalog-confirm").await;
    check(&page, "catalog-dialog").await;
    page.click("catalog-confirm").await;
    page.text_where("file-state", |said| said.starts_with("Yours")).await;
    page.click("nav-results").await;
    page.find("results-none").await;

    // Back to the built-in words: every vote counts again.
    page.click("nav-catalog").await;
    page.click("shelf-yours").await;
    page.click("[data-testid=\"remove-terms/allergy.yaml\"]").await;
    page.click("catalog-confirm").await;
    page.find("yours-empty").await;
    page.click("nav-results").await;
    page.until("a row for each business", async || page.count("results-row").await == 12).await;

    // Two policies side by side, and the topic as charts.
    page.click("look-compare").await;
    let changes = page.text_where("compare-count", |said| said.contains("of 12 verdicts")).await;
    let changes: usize = changes.split(' ').next().and_then(|count| count.parse().ok()).expect("a number");
    assert_eq!(page.count("compare-row").await, changes);
    page.click("look-charts").await;
    page.find("chart-agreement").await;
    page.settle();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_becomes_a_picture_and_the_window_writes_nothing_else() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    plan_allergy(&page, 5).await;
    send(&page).await;
    done(&page).await;
    page.click("open-results").await;
    page.click("look-charts").await;
    page.find("chart-policies-png").await;

    // The answer of the system's dialog is the test's own; everything around it is real.
    let path = desktop.folder().join("verdicts.png");
    let answer = format!(
        "window.refused = []; document.addEventListener('securitypolicyviolation', (e) => window.refused.push(e.blockedURI));\
         const ask = window.fetch; const path = {};\
         const headers = {{ 'content-type': 'application/json', 'Tauri-Response': 'ok' }};\
         window.fetch = (url, ...rest) => decodeURIComponent(String(url)).endsWith('plugin:dialog|save')\
         ? Promise.resolve(new Response(JSON.stringify(path), {{ headers }})) : ask(url, ...rest); return true",
        Value::from(path.display().to_string())
    );
    page.run(&answer).await;
    page.click("chart-policies-png").await;
    desktop.until("the picture is written", async || path.is_file()).await;
    let picture = fs::read(&path).expect("the picture");
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() > 4_000, "{} bytes", picture.len());
    if let Some(folder) = std::env::var_os("QUORUM_E2E_PICTURES").map(std::path::PathBuf::from) {
        fs::create_dir_all(&folder).expect("a directory");
        fs::copy(&path, folder.join("chart.png")).expect("a copy");
    }
    assert_eq!(page.run("return window.refused.length").await, 0);

    // The same path under another ending is refused.
    let notes = desktop.folder().join("notes.txt");
    let script = format!(
        "const path = {};\
         window.__TAURI_INTERNALS__.invoke('file_save', {{ path, content: {{ csv: 'a' }} }})\
         .then(() => window.said = 'written', (error) => window.said = error.message); return true",
        Value::from(notes.display().to_string())
    );
    page.run(&script).await;
    page.until("the program refuses", async || page.run("return window.said ?? ''").await != "").await;
    let said = page.run("return window.said").await;
    assert!(said.as_str().is_some_and(|said| said.contains("does not end in .csv")), "{said}");
    assert!(!notes.exists());
    page.close().await;
}
