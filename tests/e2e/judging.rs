//! A person's part, in the real window: the review queue by keyboard, a correction from the business page, and What-if.

use crate::{
    desktop::Desktop,
    page::Page,
    scenarios::{done, plan_allergy, send},
};

/// A window on the sample with its reviews judged by the sandbox.
async fn judged(desktop: &mut Desktop) -> Page {
    let page = desktop.launch().await;
    page.click("open-sample").await;
    plan_allergy(&page, 10).await;
    send(&page).await;
    done(&page).await;
    page
}

/// Types keys that the page itself takes.
async fn keys(page: &Page, keys: &str) {
    page.find("[data-testid=\"label\"][data-ready=\"true\"]").await;
    page.find("label-field").await.send_keys(keys).await.expect("the keys are taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_review_queue_is_worked_by_keyboard() {
    let mut desktop = Desktop::start();
    let page = judged(&mut desktop).await;
    page.click("nav-queue").await;
    page.find("label").await;
    let labels: usize = page.text_of("count-queue").await.parse().expect("a number of labels");
    assert!(labels >= 3, "the sandbox's models disagree on {labels} labels");

    keys(&page, "a").await;
    page.text_where("tally-kept", |said| said == "1").await;
    page.find("[data-testid=\"queue-label\"][data-decided=\"true\"]").await;

    // Another value than the one that holds, with its digit.
    page.find("[data-testid=\"label\"][data-ready=\"true\"]").await;
    let digit = page.run(OTHER_DIGIT).await.as_u64().expect("a digit").to_string();
    keys(&page, &digit).await;
    page.find("label-reason").await.send_keys("The text says so.\u{e007}").await.expect("the reason is taken");
    page.text_where("tally-changed", |said| said == "1").await;

    page.click("queue-trail").await;
    page.until("both are in the trail", async || page.count("trail-entry").await == 2).await;
    assert!(page.text_of("trail").await.contains("The text says so."));
    page.press("[data-testid=\"trail\"] [data-autofocus]", fantoccini::key::Key::Escape).await;
    page.until("the trail is closed", async || !page.has("trail").await).await;

    keys(&page, "u").await;
    page.text_where("tally-changed", |said| said == "0").await;
    assert_eq!(page.text_of("tally-kept").await, "1");

    // Read anew, the queue lacks what was kept and has what was taken back.
    page.click("nav-results").await;
    page.click("nav-queue").await;
    page.until("the kept label is gone", async || {
        !page.has("[data-testid=\"queue-label\"][data-decided=\"true\"]").await
    })
    .await;
    page.text_where("count-queue", |said| said == (labels - 1).to_string()).await;
    page.close().await;
}

const OTHER_DIGIT: &str = "const values = [...document.querySelectorAll('[data-testid=\"label\"] .opt')];\
    return values.findIndex((value) => value.getAttribute('aria-pressed') === 'false') + 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_from_a_business_is_undone_from_its_toast() {
    let mut desktop = Desktop::start();
    let page = judged(&mut desktop).await;
    page.click("nav-results").await;
    page.click("results-open").await;
    page.find("votes").await;
    page.click("review-correct").await;
    let other = page.run(CHOOSE_OTHER).await;
    assert!(other.is_string(), "there is another value to choose");
    page.fill("correct-reason", "Read it again.").await;
    page.click("correct-save").await;
    page.find("[title=\"Set by a person\"]").await;
    page.click("toast-action").await;
    page.until("the correction is gone", async || !page.has("[title=\"Set by a person\"]").await).await;
    page.close().await;
}

/// A severity other than the present one, chosen in the dialog.
const CHOOSE_OTHER: &str = "const choose = (name, value) => {\
        const list = document.querySelector(`[data-testid=\"${name}\"]`);\
        list.value = value; list.dispatchEvent(new Event('change', { bubbles: true })); };\
    choose('correct-field', 'incident_severity');\
    const values = [...document.querySelectorAll('[data-testid=\"correct-value\"] option')];\
    const value = ['none', 'mild', 'moderate', 'severe'].find((id) => values.some((it) => it.value === id && !it.disabled));\
    choose('correct-value', value); return value";

#[tokio::test(flavor = "multi_thread")]
async fn what_if_flips_verdicts_at_once_and_saves_a_policy() {
    let mut desktop = Desktop::start();
    let page = judged(&mut desktop).await;
    page.click("nav-whatif").await;
    page.find("whatif").await;
    page.find("histogram").await;

    // Every threshold to its least: whoever has points gets the worst verdict.
    for _ in 0..30 {
        page.press("[role=\"slider\"]", fantoccini::key::Key::Left).await;
    }
    page.find("whatif-row").await;
    let said = page.text_where("whatif-flips", |said| said.contains("flip") && !said.starts_with("No")).await;
    assert!(said.contains(" of 12 verdicts"), "{said}");

    // From a slider's move until the new verdicts are drawn.
    page.run(MEASURE).await;
    page.until("every move is drawn", async || page.run("return window.moves.length").await == 20).await;
    let mut moves: Vec<f64> =
        page.run("return window.moves").await.as_array().expect("a list").iter().filter_map(|ms| ms.as_f64()).collect();
    moves.sort_by(f64::total_cmp);
    println!("a move is drawn after {:.0} ms at the median, {:.0} ms at most", moves[10], moves[19]);

    page.click("whatif-save").await;
    page.fill("policy-name", "Stricter").await;
    let yaml = page.text_where("policy-yaml", |said| said.contains("title: Stricter")).await;
    assert!(yaml.contains("policy_id: G1_allergy_V10"), "{yaml}");
    page.click("policy-save").await;
    page.until("the dialog is closed", async || !page.has("save-policy").await).await;
    page.click("nav-results").await;
    page.until("each business has its verdict", async || page.count("verdict-G1_allergy_V10").await == 12).await;
    assert_eq!(page.count("verdict-G1_allergy_V3").await, 12, "the original is there too");
    page.close().await;
}

/// Moves the first slider of points to and fro, each time the former move is drawn.
const MEASURE: &str = "window.moves = [];\
    const slider = document.querySelector('[data-testid=\"knobs-points\"] input');\
    const page = document.querySelector('[data-testid=\"whatif\"]');\
    const move = (n) => { if (n === 20) return; const start = performance.now();\
        slider.value = String(2 + n % 7); slider.dispatchEvent(new Event('input', { bubbles: true }));\
        const look = () => { if (page.dataset.current !== 'true') return requestAnimationFrame(look);\
            window.moves.push(performance.now() - start); move(n + 1); };\
        requestAnimationFrame(look); };\
    move(0); return true";
