//! Every view in the real window with the sample in it, light and dark, wide and narrow. The user guide has its pictures from here.

use crate::{
    desktop::Desktop,
    page::Page,
    pictures::{SIZES, check, listen, look},
    scenarios::{done, plan_allergy, send},
};

/// What-if as it is, with something moved, and before it is saved.
async fn what_if(page: &Page, name: &str) {
    page.click("nav-whatif").await;
    page.find("histogram").await;
    check(page, &format!("whatif-{name}")).await;
    for _ in 0..6 {
        page.press("[role=\"slider\"]", fantoccini::key::Key::Left).await;
    }
    page.find("[data-testid=\"whatif\"][data-current=\"true\"]").await;
    check(page, &format!("whatif-moved-{name}")).await;
    page.click("whatif-save").await;
    page.find("policy-yaml").await;
    check(page, &format!("whatif-save-{name}")).await;
    page.press("policy-name", fantoccini::key::Key::Escape).await;
    page.until("the dialog is closed", async || !page.has("save-policy").await).await;
    page.click("whatif-discard").await;
    page.find("whatif-none").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_fits_in_both_themes_and_sizes() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    listen(&page).await;
    check(&page, "welcome").await;
    page.click("open-sample").await;
    page.find("tour").await;
    check(&page, "tour").await;
    page.click("tour-end").await;
    plan_allergy(&page, 10).await;
    page.click("send").await;
    page.find("confirm").await;
    check(&page, "confirm").await;
    page.click("confirm-cancel").await;
    send(&page).await;
    done(&page).await;

    for theme in ["light", "dark"] {
        for (width, height) in SIZES {
            look(&page, theme, (width, height)).await;
            for view in ["extraction", "runs", "results", "activity", "settings"] {
                page.click(&format!("nav-{view}")).await;
                page.find(&format!("page-{view}")).await;
                match view {
                    "extraction" => drop(page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await),
                    "runs" => drop(page.find("run-detail").await),
                    "results" => drop(page.find("results-row").await),
                    "activity" => drop(page.find("activity").await),
                    _ => {}
                }
                check(&page, &format!("{view}-{theme}-{width}")).await;
            }
            page.click("nav-results").await;
            page.click("results-open").await;
            for variant in ["V0", "V3"] {
                page.click(&format!("tab-{variant}")).await;
                page.find(&format!("[data-testid=\"tab-{variant}\"][aria-selected=\"true\"]")).await;
                page.find(if variant == "V0" { "rules" } else { "waterfall" }).await;
                check(&page, &format!("business-{variant}-{theme}-{width}")).await;
            }
            page.click("review-correct").await;
            page.find("correct").await;
            check(&page, &format!("correct-{theme}-{width}")).await;
            page.press("[data-testid=\"correct\"] select", fantoccini::key::Key::Escape).await;
            page.until("the dialog is closed", async || !page.has("correct").await).await;
            page.click("nav-queue").await;
            page.find("label").await;
            check(&page, &format!("queue-{theme}-{width}")).await;
            what_if(&page, &format!("{theme}-{width}")).await;
            page.click("nav-results").await;
            for (look, shown) in [("compare", "flow"), ("charts", "chart-agreement"), ("verdicts", "results-row")] {
                page.click(&format!("look-{look}")).await;
                page.find(shown).await;
                check(&page, &format!("{look}-{theme}-{width}")).await;
            }
            page.click("nav-trust").await;
            page.find("trust-evidence").await;
            check(&page, &format!("trust-{theme}-{width}")).await;
            page.click("nav-catalog").await;
            for (tab, shown) in [("questions", "questions"), ("prompt", "prompt-user"), ("V2", "editor")] {
                page.click(&format!("tab-{tab}")).await;
                page.find(shown).await;
                check(&page, &format!("catalog-{tab}-{theme}-{width}")).await;
            }
        }
    }
    page.settle();
    page.close().await;
}
