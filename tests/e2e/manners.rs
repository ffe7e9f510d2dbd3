//! What a program that is left open owes its desktop: it starts where it is wanted, keeps its size, and can be held from the tray.

use std::fs;

use quorum_sim::{SimConfig, Simulator, Speed};

use crate::{
    close::Screen,
    desktop::Desktop,
    scenarios::{plan_allergy, send, use_server},
    tray::TrayHost,
};

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_at_login_only_when_it_is_wanted() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    let entry = desktop.folder().join("home/.config/autostart/Quorum.desktop");
    page.click("nav-settings").await;
    page.find("start-at-login").await;
    assert!(!entry.exists(), "off by default");
    page.click("start-at-login").await;
    desktop.until("the entry is there", async || entry.exists()).await;
    let says = fs::read_to_string(&entry).expect("the entry can be read");
    assert!(says.contains("--hidden") && says.contains(&*desktop.data_dir().to_string_lossy()), "{says}");
    page.click("start-at-login").await;
    desktop.until("the entry is gone", async || !entry.exists()).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_start_waits_in_the_tray_and_shows_itself_where_there_is_none() {
    let desktop = Desktop::start();
    let mut host = TrayHost::serve(&desktop).await;
    let app = desktop.launch_hidden();
    let icon = host.icon().await;
    let screen = Screen::of(&desktop);
    icon.choose("Open Quorum").await;
    desktop.until("the tray opens the window", async || screen.is_shown()).await;
    icon.choose("Quit Quorum").await;
    desktop.app_ended().await;
    drop((icon, app));
    host.leave().await;

    let _app = desktop.launch_hidden();
    desktop.until("without a tray the window is shown", async || screen.is_shown()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_everything_is_kept() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("nav-settings").await;
    let width = page.run("return innerWidth").await.as_f64().expect("a width");
    page.click("[aria-label=\"Size in percent: more\"]").await;
    page.until("less fits in the window", async || {
        page.run("return innerWidth").await.as_f64().is_some_and(|now| now < width * 0.95)
    })
    .await;
    page.close().await;
    desktop.app_ended().await;
    let page = desktop.launch().await;
    page.until("it is as it was left", async || {
        page.run("return innerWidth").await.as_f64().is_some_and(|now| now < width * 0.95)
    })
    .await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_holds_what_is_not_sent_yet_and_lets_it_go() {
    let simulator =
        Simulator::start(SimConfig { speed: Speed::Manual, ..SimConfig::default() }).await.expect("a simulator");
    let mut desktop = Desktop::start();
    let mut host = TrayHost::serve(&desktop).await;
    let page = desktop.launch().await;
    let icon = host.icon().await;
    use_server(&page, &simulator.base_url()).await;
    page.click("nav-extraction").await;
    page.click("use-sample").await;
    plan_allergy(&page, 2).await;
    send(&page).await;
    desktop.until("the provider has a batch", async || !simulator.batches().is_empty()).await;

    let offers = async |words: &str| icon.lines().await.iter().any(|(_, said)| said == words);
    desktop.until("the tray offers to hold", async || offers("Send no more batches").await).await;
    icon.choose("Send no more batches").await;
    page.find("[data-testid=\"run-detail\"][data-state=\"paused\"]").await;
    desktop.until("the tray offers to go on", async || offers("Go on sending").await).await;
    icon.choose("Go on sending").await;
    page.find("[data-testid=\"run-detail\"]:not([data-state=\"paused\"])").await;
    page.close().await;
    simulator.shutdown().await.expect("the simulator ends in order");
}
