//! What floats above the pages, and the pages that no other look at the window opens: axe-core, the content policy and the edges.

use fantoccini::key::Key;

use crate::{
    desktop::Desktop,
    page::Page,
    pictures::{check, listen, look},
    scenarios::{done, plan_allergy, send},
};

const CONTROL: &str = "\u{e009}";
const RELEASE: &str = "\u{e000}";

/// Pictures an open dialog, then closes it by Esc.
async fn look_at(page: &Page, dialog: &str, name: &str) {
    page.find(dialog).await;
    check(page, name).await;
    page.press(dialog, Key::Escape).await;
    page.until(&format!("{dialog} is closed"), async || !page.has(dialog).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_and_costs_can_be_used_by_everybody() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    listen(&page).await;
    page.click("open-sample").await;
    page.click("tour-end").await;
    plan_allergy(&page, 5).await;
    send(&page).await;
    done(&page).await;

    for theme in ["light", "dark"] {
        look(&page, theme, (1280, 800)).await;
        page.click("dataset-remove").await;
        look_at(&page, "remove-dialog", &format!("remove-{theme}")).await;
        page.click("nav-runs").await;
        page.find("run-detail").await;
        page.keys("?").await;
        look_at(&page, "help", &format!("keys-{theme}")).await;
        page.keys(&format!("{CONTROL}k{RELEASE}")).await;
        page.find("palette").await;
        page.keys("a").await;
        page.until("it has found something", async || page.text_of("palette").await.contains("Topics")).await;
        look_at(&page, "palette-input", &format!("palette-{theme}")).await;
        page.click("look-costs").await;
        page.find("costs").await;
        page.find("chart-estimates").await;
        check(&page, &format!("costs-{theme}")).await;
        page.click("look-runs").await;
        page.click("nav-results").await;
        page.find("results-row").await;
        page.click("export").await;
        look_at(&page, "export-dialog", &format!("export-{theme}")).await;
        page.click("nav-queue").await;
        page.click("queue-trail").await;
        look_at(&page, "trail", &format!("trail-{theme}")).await;
    }
    page.settle();
    page.close().await;
}
