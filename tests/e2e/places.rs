//! The same window in other places: another locale, another zone, a small display, a desktop that wants no motion.

use std::{fs, process::Command};

use crate::{
    desktop::Desktop,
    pictures::{check, listen},
    scenarios::{done, plan_allergy, send},
};

/// Makes the locale for this desktop alone; systems carry few of them.
fn install_german(desktop: &mut Desktop) {
    let folder = desktop.folder().join("locales");
    fs::create_dir(&folder).expect("a directory");
    let made = Command::new("localedef")
        .args(["-i", "de_DE", "-f", "UTF-8"])
        .arg(folder.join("de_DE.UTF-8"))
        .status()
        .unwrap_or_else(|error| panic!("localedef (Debian: libc-bin, locales): {error}"));
    assert!(made.success(), "localedef makes de_DE.UTF-8 (Debian: locales)");
    desktop.set("LOCPATH", folder.to_string_lossy());
    desktop.set("LANG", "de_DE.UTF-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_dates_follow_the_locale_and_the_zone() {
    let mut desktop = Desktop::start();
    install_german(&mut desktop);
    // Fourteen hours ahead of UTC: the day there is another one for most of the time.
    desktop.set("TZ", "Pacific/Kiritimati");
    let page = desktop.launch().await;
    listen(&page).await;
    page.click("open-sample").await;
    page.click("tour-end").await;
    assert_eq!(page.run("return navigator.language").await, "de-DE", "the window has the desktop's language");
    assert_eq!(page.run("return new Date().getTimezoneOffset()").await, -14 * 60, "and its zone");
    plan_allergy(&page, 25).await;
    let requests = page.text_of("est-requests").await;
    assert_eq!(requests, "1.200", "300 reviews, 4 votes each, with a point between thousands");
    check(&page, "german-extraction").await;
    send(&page).await;
    done(&page).await;
    assert_eq!(page.text_of("votes-stored").await, "1.200 votes stored");
    check(&page, "german-runs").await;

    // A confidence has a comma; what is typed into a number field is read as it is written there.
    page.click("nav-results").await;
    page.find("results-row").await;
    let sure = page
        .run("return [...document.querySelectorAll('[data-testid=\"results-row\"] td:last-child')].map((it) => it.textContent.trim())")
        .await;
    let sure: Vec<&str> = sure.as_array().expect("a list").iter().filter_map(|it| it.as_str()).collect();
    assert!(sure.iter().any(|it| it.starts_with("0,")) && sure.iter().all(|it| !it.contains('.')), "{sure:?}");

    // The day of a review is the dataset's, whatever the zone.
    page.click("results-open").await;
    page.click("tab-V3").await;
    page.find("review-text").await;
    page.click("all-reviews").await;
    let days = page
        .run("return [...document.querySelectorAll('[data-testid=\"review-row\"] span:first-child')].map((it) => it.textContent)")
        .await;
    let shown: Vec<&str> = days.as_array().expect("a list").iter().filter_map(|it| it.as_str()).collect();
    // WebKit's driver calls text in a box that cuts it off invisible, so the page is asked itself.
    let business = page.run("return document.querySelector('[data-testid=\"business-name\"]').textContent").await;
    let business = business.as_str().expect("a name");
    assert_eq!(shown, sample_days(business), "{business}");
    check(&page, "german-business").await;

    page.click("nav-settings").await;
    page.fill("budget", "12,5").await;
    page.keys("\u{e007}").await;
    page.find("saved").await;
    page.until("it is read as twelve and a half", async || {
        page.run("return document.querySelector('[data-testid=\"budget\"]').value")
            .await
            .as_str()
            .is_some_and(|it| it == "12,5" || it == "12.5")
    })
    .await;
    check(&page, "german-settings").await;
    page.settle();
    page.close().await;
}

/// The days of this business's reviews as the bundled sample has them, as `4 Nov 2017`.
fn sample_days(business: &str) -> Vec<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"];
    let sample = include_str!("../../src-tauri/crates/quorum-api/sample/sample.jsonl");
    let line = sample
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("the sample is JSON"))
        .find(|line| line["business"]["name"] == business)
        .unwrap_or_else(|| panic!("the sample has {business}"));
    let reviews = line["reviews"].as_array().expect("reviews").iter().map(|review| {
        let date = review["date"].as_str().expect("a date");
        let month: usize = date[5..7].parse().expect("a month");
        let day: u32 = date[8..10].parse().expect("a day");
        format!("{day} {} {}", MONTHS[month - 1], &date[..4])
    });
    reviews.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_of_800_by_600_is_enough() {
    let mut desktop = Desktop::with_display(800, 600);
    let page = desktop.launch().await;
    listen(&page).await;
    page.find("page-welcome").await;
    page.until("the window is within the display", async || {
        page.run("return innerWidth <= 800 && innerHeight <= 600").await == true
    })
    .await;
    check(&page, "small-welcome-900").await;
    page.click("open-sample").await;
    page.find("tour").await;
    check(&page, "small-tour-900").await;
    page.click("tour-end").await;
    plan_allergy(&page, 10).await;
    check(&page, "small-extraction-900").await;
    page.click("send").await;
    page.find("confirm").await;
    check(&page, "small-confirm-900").await;
    page.click("confirm-send").await;
    page.find("run-detail").await;
    done(&page).await;
    for (nav, shown) in [
        ("runs", "run-detail"),
        ("queue", "label"),
        ("trust", "trust-evidence"),
        ("whatif", "histogram"),
        ("catalog", "questions"),
        ("activity", "activity"),
        ("settings", "data-dir"),
        ("results", "results-row"),
    ] {
        page.click(&format!("nav-{nav}")).await;
        page.find(shown).await;
        check(&page, &format!("small-{nav}-900")).await;
    }
    for (look, shown) in [("compare", "flow"), ("charts", "chart-agreement"), ("verdicts", "results-row")] {
        page.click(&format!("look-{look}")).await;
        page.find(shown).await;
        check(&page, &format!("small-{look}-900")).await;
    }
    page.click("results-open").await;
    page.find("business-left").await;
    check(&page, "small-business-900").await;
    page.settle();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_without_motion_has_a_window_without() {
    let mut desktop = Desktop::start();
    let folder = desktop.folder().join("home/.config/gtk-3.0");
    fs::create_dir_all(&folder).expect("a directory");
    fs::write(folder.join("settings.ini"), "[Settings]\ngtk-enable-animations=0\n").expect("settings");
    let page = desktop.launch().await;
    page.click("open-sample").await;
    assert_eq!(page.run("return matchMedia('(prefers-reduced-motion: reduce)').matches").await, true);
    plan_allergy(&page, 5).await;
    page.click("send").await;
    page.find("confirm").await;
    let moving = page
        .run(
            "const slow = (list) => list.split(', ').some((it) => parseFloat(it) > 0.001);\
             return [...document.querySelectorAll('*')].filter((it) => { const style = getComputedStyle(it);\
                 return slow(style.transitionDuration) || (style.animationName !== 'none' && slow(style.animationDuration)); })\
                 .map((it) => it.tagName + '.' + it.classList)",
        )
        .await;
    assert_eq!(moving.as_array().map(Vec::len), Some(0), "{moving}");
    page.close().await;
}
