//! Each main flow by keyboard alone: where Tab leads, what Enter and Esc do, and where the focus is afterwards.

use crate::{desktop::Desktop, page::Page, scenarios::done};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESC: &str = "\u{e00c}";
const SPACE: &str = "\u{e00d}";
const DOWN: &str = "\u{e015}";
const RIGHT: &str = "\u{e014}";
const CONTROL: &str = "\u{e009}";
/// Lets go of what is held down.
const RELEASE: &str = "\u{e000}";

/// Presses Tab until the focus is there. How often that takes is bounded, and a control that shows no focus is a failure.
async fn tab_to(page: &Page, name: &str) {
    let mut passed = Vec::new();
    for _ in 0..80 {
        page.keys(TAB).await;
        let here = page.focus().await;
        let ring = page
            .run(
                "const it = document.activeElement; if (it === document.body) return true;\
                 const shown = (e) => { const s = getComputedStyle(e); return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; };\
                 return shown(it) || [...function* up(e) { while ((e = e.parentElement) && e.tagName !== 'MAIN') yield e; }(it)].slice(0, 3).some(shown)",
            )
            .await;
        assert_eq!(ring, true, "{here} has the focus and does not show it");
        if here == name {
            return;
        }
        passed.push(here);
    }
    panic!("Tab does not lead to {name}, but to {passed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_launch_to_a_business_without_a_mouse() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    tab_to(&page, "open-sample").await;
    page.keys(ENTER).await;
    page.find("tour").await;
    tab_to(&page, "tour-end").await;
    page.keys(ENTER).await;
    page.until("the tour is gone", async || !page.has("tour").await).await;

    // The primary action asks first, and the focus is on what costs nothing.
    page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
    tab_to(&page, "send").await;
    page.keys(ENTER).await;
    page.find("confirm").await;
    assert_eq!(page.focus().await, "confirm-cancel");
    page.keys(ESC).await;
    page.until("the dialog is closed", async || !page.has("confirm").await).await;
    assert_eq!(page.focus().await, "send", "the focus is back where it was");
    page.keys(ENTER).await;
    page.find("confirm").await;
    page.keys(&format!("{CONTROL}{ENTER}{RELEASE}")).await;
    page.find("run-detail").await;
    done(&page).await;

    // G E goes to Results; Down and Enter open a business, Esc comes back to its row.
    page.keys("ge").await;
    page.find("results-row").await;
    page.keys(DOWN).await;
    page.keys(DOWN).await;
    let chosen = page.run("return document.querySelector('tr.sel2').dataset.business").await;
    page.keys(ENTER).await;
    page.find("business-left").await;
    page.keys(ESC).await;
    page.find("results-row").await;
    assert_eq!(page.run("return document.querySelector('tr.sel2')?.dataset.business").await, chosen);

    page.until("the focus is back on the row", async || page.focus().await == "results-row").await;

    // By Tab as well: of all rows it reaches one, and Enter opens it.
    page.run("document.querySelector('[data-testid=\"results-search\"]').focus(); return true").await;
    tab_to(&page, "results-row").await;
    page.keys(ENTER).await;
    page.find("business-left").await;
    tab_to(&page, "tab-V0").await;
    page.keys(ENTER).await;
    page.find("rules").await;
    tab_to(&page, "review-correct").await;
    page.keys(ENTER).await;
    page.find("correct").await;
    page.keys(ESC).await;
    page.until("the dialog is closed", async || !page.has("correct").await).await;
    assert_eq!(page.focus().await, "review-correct");

    // Find, and out of it.
    page.keys("ge").await;
    page.find("results-row").await;
    page.keys("/").await;
    assert_eq!(page.focus().await, "results-search");
    page.keys("zzz").await;
    page.find("no-match").await;
    page.keys(ESC).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_and_the_palette_without_a_mouse() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    page.click("tour-end").await;
    crate::scenarios::plan_allergy(&page, 10).await;
    crate::scenarios::send(&page).await;
    done(&page).await;

    page.keys("gw").await;
    page.find("histogram").await;
    page.run("document.querySelector('[data-testid=\"whatif-policy\"]').focus(); return true").await;
    for _ in 0..40 {
        page.keys(TAB).await;
        if page.run("return document.activeElement.type === 'range'").await == true {
            break;
        }
    }
    page.keys(RIGHT).await;
    page.find("[data-testid=\"whatif\"][data-current=\"true\"]").await;
    page.until("something was moved", async || page.has("[data-testid=\"whatif-save\"]:enabled").await).await;
    page.keys(&format!("{CONTROL}{ENTER}{RELEASE}")).await;
    page.find("save-policy").await;
    assert_eq!(page.focus().await, "policy-name");
    page.keys(ESC).await;
    page.until("the dialog is closed", async || !page.has("save-policy").await).await;
    assert_eq!(page.run("return document.activeElement.type").await, "range", "the focus is back on the slider");

    page.keys(&format!("{CONTROL}k{RELEASE}")).await;
    page.find("palette").await;
    page.keys(ESC).await;
    page.until("the palette is closed", async || !page.has("palette").await).await;
    assert_eq!(page.run("return document.activeElement.type").await, "range", "the focus is back on the slider");
    page.keys(&format!("{CONTROL}k{RELEASE}")).await;
    page.find("palette").await;
    page.keys("settings").await;
    page.keys(ENTER).await;
    page.find("page-settings").await;

    // A switch by Space.
    tab_to(&page, "letter-keys").await;
    page.keys(SPACE).await;
    page.find("saved").await;
    page.keys("ge").await;
    assert!(page.has("page-settings").await, "single letters are off");
    page.close().await;
}
