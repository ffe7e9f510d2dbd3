//! Every view before there is anything in it, while it reads, and when that fails; light and dark, wide and narrow. What they look
//! like with much in them is in `full`, with little in `views`.

use quorum_sim::{AccountLimits, SimConfig, Simulator, Speed};

use crate::{
    desktop::Desktop,
    page::Page,
    pictures::{SIZES, check, listen, look},
    scenarios::{done, plan_allergy, send, use_server},
    wire::{fail, hold, let_go, lose_dataset, tap},
};

const THEMES: [&str; 2] = ["light", "dark"];

/// A view, what it asks the program first, and what it shows once it has the answer.
struct View {
    nav: &'static str,
    commands: &'static [&'static str],
    shown: &'static str,
}

const VIEWS: [View; 7] = [
    View { nav: "runs", commands: &["run_detail"], shown: "run-detail" },
    View { nav: "results", commands: &["results_overview"], shown: "results-row" },
    View { nav: "queue", commands: &["queue_list"], shown: "label" },
    View { nav: "trust", commands: &["trust_report"], shown: "trust" },
    // Before What-if, which reads the catalog as well.
    View { nav: "catalog", commands: &["catalog_overview"], shown: "questions" },
    View { nav: "whatif", commands: &["what_if_open"], shown: "whatif" },
    View { nav: "activity", commands: &["activity_list"], shown: "activity" },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_view_says_what_to_do_when_it_is_empty() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    listen(&page).await;
    for theme in THEMES {
        for size in SIZES {
            look(&page, theme, size).await;
            page.click("nav-welcome").await;
            page.find("page-welcome").await;
            check(&page, &format!("empty-welcome-{theme}-{}", size.0)).await;
            for (nav, shown) in [
                ("extraction", "page-extraction"),
                ("runs", "runs-empty"),
                ("results", "results-empty"),
                ("queue", "queue-empty"),
                ("trust", "trust-empty"),
                ("whatif", "whatif-empty"),
                ("catalog", "questions"),
                ("activity", "activity-empty"),
            ] {
                page.click(&format!("nav-{nav}")).await;
                page.find(shown).await;
                check(&page, &format!("empty-{nav}-{theme}-{}", size.0)).await;
            }
        }
    }
    // The page says how to go on, and it goes on from there.
    page.click("nav-queue").await;
    page.click("import-open").await;
    page.find("import-dialog").await;
    check(&page, "empty-import-dark-900").await;
    page.press("import-path", fantoccini::key::Key::Escape).await;
    page.until("the dialog is closed", async || !page.has("import-dialog").await).await;

    // With reviews and without votes.
    page.click("nav-extraction").await;
    page.click("use-sample").await;
    page.click("tour-end").await;
    for theme in THEMES {
        for size in SIZES {
            look(&page, theme, size).await;
            for (nav, shown) in [
                ("runs", "runs-empty"),
                ("results", "results-none"),
                ("queue", "queue-empty"),
                ("trust", "trust-none"),
                ("whatif", "whatif-empty"),
            ] {
                page.click(&format!("nav-{nav}")).await;
                page.find(shown).await;
                check(&page, &format!("unasked-{nav}-{theme}-{}", size.0)).await;
            }
        }
    }
    page.click("ask").await;
    page.find("page-extraction").await;
    page.settle();
    page.close().await;
}

/// A window on the sample with its reviews judged, read anew: it has asked for nothing that a view needs.
async fn judged(desktop: &mut Desktop) -> Page {
    let page = desktop.launch().await;
    page.click("open-sample").await;
    page.click("tour-end").await;
    plan_allergy(&page, 10).await;
    send(&page).await;
    done(&page).await;
    page
}

/// Reads the page anew, so that no view has anything yet.
async fn afresh(page: &Page) {
    page.run("document.body.dataset.old = 'yes'; location.reload(); return true").await;
    page.until("the page is a new one", async || page.has("body:not([data-old]) [data-testid=\"status\"]").await).await;
    listen(page).await;
    tap(page).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_shows_that_it_reads() {
    let mut desktop = Desktop::start();
    let page = judged(&mut desktop).await;
    for theme in THEMES {
        for size in SIZES {
            look(&page, theme, size).await;
            afresh(&page).await;
            let name = |view: &str| format!("loading-{view}-{theme}-{}", size.0);
            for view in VIEWS {
                hold(&page, view.commands).await;
                page.click(&format!("nav-{}", view.nav)).await;
                page.find("loading").await;
                check(&page, &name(view.nav)).await;
                let_go(&page).await;
                page.find(view.shown).await;
                page.until("nothing loads any more", async || !page.has("loading").await).await;
            }
            page.click("nav-results").await;
            for (look, command, shown) in
                [("compare", "results_compare", "flow"), ("charts", "results_by_k", "chart-agreement")]
            {
                hold(&page, &[command]).await;
                page.click(&format!("look-{look}")).await;
                page.find("loading").await;
                check(&page, &name(look)).await;
                let_go(&page).await;
                page.find(shown).await;
            }
            page.click("look-verdicts").await;
            hold(&page, &["business_detail"]).await;
            page.click("results-open").await;
            page.find("loading").await;
            check(&page, &name("business")).await;
            let_go(&page).await;
            page.find("business-left").await;
            hold(&page, &["plan_estimate"]).await;
            page.click("nav-extraction").await;
            page.find("[data-testid=\"estimate\"][data-counting=\"true\"]").await;
            check(&page, &name("extraction")).await;
            let_go(&page).await;
            page.find("[data-testid=\"estimate\"][data-counting=\"false\"]").await;
        }
    }
    page.settle();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_says_what_failed_and_comes_back() {
    let mut desktop = Desktop::start();
    let page = judged(&mut desktop).await;
    for theme in THEMES {
        for size in SIZES {
            look(&page, theme, size).await;
            afresh(&page).await;
            let name = |view: &str| format!("failing-{view}-{theme}-{}", size.0);
            for view in VIEWS {
                // What is about a dataset fails because there is none of this name; the rest as a disk fails.
                let about_dataset = matches!(view.nav, "results" | "queue" | "trust" | "whatif");
                lose_dataset(&page, about_dataset).await;
                fail(&page, if about_dataset { &[] } else { view.commands }).await;
                page.click(&format!("nav-{}", view.nav)).await;
                page.find("[data-testid=\"error\"]").await;
                check(&page, &name(view.nav)).await;
                lose_dataset(&page, false).await;
                fail(&page, &[]).await;
                page.click("error-retry").await;
                page.find(view.shown).await;
                assert!(!page.has("error").await, "{} came back and still says that it failed", view.nav);
            }
            page.click("nav-results").await;
            for (look, shown) in [("compare", "flow"), ("charts", "chart-agreement")] {
                lose_dataset(&page, true).await;
                page.click(&format!("look-{look}")).await;
                page.find("[data-testid=\"error\"]").await;
                check(&page, &name(look)).await;
                lose_dataset(&page, false).await;
                page.click("error-retry").await;
                page.find(shown).await;
            }
            page.click("look-verdicts").await;
            lose_dataset(&page, true).await;
            page.click("results-open").await;
            page.find("[data-testid=\"error\"]").await;
            check(&page, &name("business")).await;
            lose_dataset(&page, false).await;
            page.click("error-retry").await;
            page.find("business-left").await;
            lose_dataset(&page, true).await;
            page.click("nav-extraction").await;
            page.find("[data-testid=\"error\"]").await;
            check(&page, &name("extraction")).await;
            lose_dataset(&page, false).await;
        }
    }
    page.settle();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_or_refuses_is_said_on_every_page_it_concerns() {
    const KEY: &str = "sk-proj-e2eKeyOfStatesThatIsRevoked00Kp3";
    let limits = AccountLimits { keys: vec![KEY.to_owned()], key_required: true, ..AccountLimits::default() };
    let mut simulator = Simulator::start(SimConfig { speed: Speed::Manual, limits, ..SimConfig::default() })
        .await
        .expect("a simulator");
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    listen(&page).await;
    use_server(&page, &simulator.base_url()).await;
    page.fill("key-input", KEY).await;
    page.click("key-save").await;
    page.find("key-works").await;
    page.click("nav-extraction").await;
    page.click("use-sample").await;
    page.click("tour-end").await;
    plan_allergy(&page, 5).await;
    send(&page).await;
    desktop.until("the provider has a batch", async || !simulator.batches().is_empty()).await;

    simulator.go_offline().await.expect("the server stops");
    pictured(&page, "offline").await;
    page.text_where("connection", |said| said.starts_with("Offline")).await;

    simulator.go_online().await.expect("the server is back");
    simulator.fault(quorum_sim::Fault::once(quorum_sim::Kind::RevokeKey, None));
    page.until("the key is refused", async || {
        page.run("document.querySelector('[data-testid=\"check-now\"]:enabled')?.click(); return true").await;
        page.text_of("connection").await == "Key refused"
    })
    .await;
    pictured(&page, "refused").await;
    page.settle();
    page.close().await;
}

/// The pages that tell of the provider, with a live run, after one more look at it.
async fn pictured(page: &Page, state: &str) {
    page.until("it was looked at", async || {
        page.run("document.querySelector('[data-testid=\"check-now\"]:enabled')?.click(); return true").await;
        page.has("[data-testid=\"status\"] .dot.off, [data-testid=\"status\"] .dot.bad").await
    })
    .await;
    for theme in THEMES {
        for size in SIZES {
            look(page, theme, size).await;
            check(page, &format!("{state}-settings-{theme}-{}", size.0)).await;
            for (nav, shown) in
                [("runs", "run-detail"), ("extraction", "[data-testid=\"estimate\"][data-counting=\"false\"]")]
            {
                page.click(&format!("nav-{nav}")).await;
                page.find(shown).await;
                check(page, &format!("{state}-{nav}-{theme}-{}", size.0)).await;
            }
        }
    }
}
