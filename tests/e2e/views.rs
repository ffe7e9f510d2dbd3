//! Every view in the real window, light and dark, wide and narrow: nothing is cut off, no rule of the content policy is broken, and
//! axe-core finds nothing that would keep somebody from using it.
//!
//! With `QUORUM_E2E_PICTURES=DIR` each is also kept as a picture.

use std::{fs, path::PathBuf};

use crate::{
    accessibility,
    desktop::Desktop,
    page::Page,
    scenarios::{done, plan_allergy, send},
};

/// The page is no wider than the window, and the content policy had nothing to object to.
async fn check(page: &Page, name: &str) {
    if let Some(folder) = std::env::var_os("QUORUM_E2E_PICTURES").map(PathBuf::from) {
        fs::create_dir_all(&folder).expect("a directory");
        fs::write(folder.join(format!("{name}.png")), page.screenshot().await).expect("a picture");
    }
    let wider = page.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    if wider != 0 {
        page.note(format!("{name} is {wider} px wider than the window"));
    }
    let refused = page.run("const refused = window.refused ?? []; window.refused = []; return refused").await;
    if refused.as_array().is_none_or(|refused| !refused.is_empty()) {
        page.note(format!("{name}: the content policy refused {refused}"));
    }
    // The narrow views have the same elements.
    if !name.ends_with("-900") {
        for found in accessibility::problems(page).await {
            page.note(format!("{name}: {found}"));
        }
    }
}

const LISTEN: &str = "window.refused = []; document.addEventListener('securitypolicyviolation', \
    (e) => window.refused.push(e.violatedDirective + ' ' + e.blockedURI)); return true";

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
    page.run(LISTEN).await;
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
        page.click("nav-settings").await;
        page.click(&format!("theme-{theme}")).await;
        page.find(&format!("html[data-theme=\"{theme}\"]")).await;
        for (width, height) in [(1280, 800), (900, 600)] {
            page.resize(width, height).await;
            page.until("the window has its size", async || page.run("return innerWidth").await == width).await;
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
