//! Trust, in the real window: a sample is drawn and labelled by keyboard, the report reads it, another aggregator settles the
//! votes and is named, and nothing is asked again.

use crate::{
    desktop::Desktop,
    page::Page,
    pictures::check,
    scenarios::{done, plan_allergy, send},
};

const SAMPLE: usize = 30;

/// Answers the review on screen: relevant where its text speaks of an allergy, and then the first value of every field.
async fn label(page: &Page, nth: usize) {
    page.find("gold-text").await;
    let text = page.text_of("gold-text").await.to_lowercase();
    let relevant = ["allerg", "gluten", "celiac", "coeliac", "nut", "dairy"].iter().any(|cue| text.contains(cue));
    let said = format!("{} of {SAMPLE}", nth + 1);
    let keys = |keys: &'static str| async move {
        page.find("[data-testid=\"labelling\"] button:not([disabled])").await;
        page.find("gold-stop").await.send_keys(keys).await.expect("the keys are taken");
    };
    keys(if relevant { "1" } else { "2" }).await;
    // A relevant review asks its fields one after the other.
    page.until("the review is labelled", async || {
        if page.text_of("gold-progress").await == said {
            return true;
        }
        if page.has("gold-skip").await {
            keys("1").await;
        }
        false
    })
    .await;
}

/// Waits until the element says so. WebKit's driver calls text in a box that cuts it off invisible, so the page is asked itself.
async fn says(page: &Page, name: &str, wanted: &str) {
    let script = format!("return document.querySelector('[data-testid=\"{name}\"]')?.textContent ?? ''");
    page.until(&format!("{name} says {wanted:?}"), async || {
        page.run(&script).await.as_str().is_some_and(|said| said.contains(wanted))
    })
    .await;
}

/// The rows of the results page, as the page has them: counts, verdicts and how sure the least sure label is.
async fn rows(page: &Page) -> Vec<String> {
    page.click("nav-results").await;
    page.until("a row for each business", async || page.count("results-row").await == 12).await;
    let said = page
        .run("return [...document.querySelectorAll('[data-testid=\"results-row\"]')].map((it) => it.textContent)")
        .await;
    said.as_array().expect("a list").iter().map(|it| it.as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_labelled_sample_chooses_an_aggregator_and_nothing_is_asked_again() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    plan_allergy(&page, 10).await;
    send(&page).await;
    done(&page).await;
    let before = rows(&page).await;
    says(&page, "results-applied", "Settled by weighted majority").await;

    page.click("nav-trust").await;
    page.find("trust-evidence").await;
    page.run(
        "const list = document.querySelector('[data-testid=\"sample-size\"]');\
         list.value = '30'; list.dispatchEvent(new Event('change', { bubbles: true })); return true",
    )
    .await;
    page.click("sample-draw").await;
    page.find("labelling").await;
    page.find("gold-text").await;
    check(&page, "labelling").await;
    let blind = page.text_of("labelling").await.to_lowercase();
    assert!(!blind.contains("gpt") && !blind.contains("vote"), "the labeller sees what models said: {blind}");
    for nth in 0..SAMPLE {
        label(&page, nth).await;
    }
    page.find("gold-done").await;
    page.click("gold-stop").await;

    // The report reads the labels: accuracies with intervals, and a recommendation.
    page.text_where("gold-stand", |said| said.starts_with("30 reviews labelled")).await;
    page.text_where("trust-evidence", |said| !said.contains("Too few")).await;
    let recommended = page.text_of("trust-recommends").await;
    assert!(recommended.contains("30 gold labels") || recommended.starts_with("Keep"), "{recommended}");

    // One that learned from the labels settles the votes, and every page names it.
    page.click("use-stacked").await;
    says(&page, "trust-applied", "learned blend").await;
    page.click("nav-results").await;
    says(&page, "results-applied", "learned blend").await;
    let after = rows(&page).await;
    assert_eq!(after.len(), before.len());
    assert_ne!(after, before, "the blend is as sure of a label as the shares of votes are, everywhere");
    page.click("results-open").await;
    says(&page, "business-applied", "learned blend").await;
    page.find("sure-says").await;

    // Back, and the results are what they were; no run was started for any of it.
    page.click("nav-trust").await;
    page.click("use-weightedMajority").await;
    says(&page, "trust-applied", "Settled by weighted majority").await;
    page.click("nav-results").await;
    says(&page, "results-applied", "Settled by weighted majority").await;
    assert_eq!(rows(&page).await, before);
    page.click("nav-runs").await;
    page.find("page-runs").await;
    page.until("the only run is the first", async || {
        page.run("return document.querySelectorAll('button.ri').length").await.as_u64() == Some(1)
    })
    .await;
    page.settle();
    page.close().await;
}
