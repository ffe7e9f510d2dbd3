//! What a desktop may lack, and what may be in the way: each is said, and nothing is lost.

use std::fs;

use crate::{
    close::Screen,
    desktop::Desktop,
    keyring,
    notifications::Notifications,
    scenarios::{plan_allergy, send, use_server},
    tray::TrayHost,
};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_notification_service_the_list_in_the_window_tells() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.click("open-sample").await;
    plan_allergy(&page, 2).await;
    send(&page).await;
    // Another page is in view, so there is something to notify of.
    page.click("nav-results").await;
    desktop.until("the failure is logged", async || desktop.log().contains("no notification could be shown")).await;
    page.click("nav-activity").await;
    page.find("[data-testid=\"activity\"][data-kind=\"runDone\"]").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_the_key_is_kept_until_the_end() {
    const KEY: &str = "sk-proj-e2eKeyThatStaysInMemoryOnly9Zr4";
    let mut desktop = Desktop::start();
    let simulator = keyring::server_with_key(KEY).await;
    let page = desktop.launch().await;
    use_server(&page, &simulator.base_url()).await;
    page.fill("key-input", KEY).await;
    page.click("key-save").await;
    page.find("key-works").await;
    assert_eq!(page.text_of("key-hint").await, "sk-proj-…9Zr4");
    page.until("it says where the key is", async || {
        page.text().await.contains("Kept in memory until you quit Quorum.")
    })
    .await;
    page.close().await;
    desktop.app_ended().await;
    let page = desktop.launch().await;
    page.click("nav-settings").await;
    page.find("key-input").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_hides_to_the_tray_and_says_so_once() {
    let mut desktop = Desktop::start();
    let mut notifications = Notifications::serve(&desktop).await;
    let mut host = TrayHost::serve(&desktop).await;
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    let screen = Screen::of(&desktop);
    let icon = host.icon().await;
    desktop
        .until("the tray tells the state", async || icon.lines().await.iter().any(|(_, said)| said == "No live runs"))
        .await;

    screen.ask_to_close();
    desktop.until("the window is hidden", async || !screen.is_shown()).await;
    let explained = notifications.next().await;
    assert_eq!(explained.title, "Quorum stays in the tray");
    icon.choose("Open Quorum").await;
    desktop.until("the tray opens the window", async || screen.is_shown()).await;
    // The window says it as well: notifications may be off.
    let said = page.text_of("toast").await;
    assert!(said.contains("Quorum was in the tray") && said.contains("Its menu there quits"), "{said}");
    page.click("[data-testid=\"toast\"] [aria-label=\"Dismiss\"]").await;

    screen.ask_to_close();
    desktop.until("the window is hidden again", async || !screen.is_shown()).await;
    assert!(desktop.launch_again().await.success());
    desktop.until("a second launch shows the first's window", async || screen.is_shown()).await;
    assert_eq!(notifications.waiting(), None, "it is explained once");
    page.find("page-welcome").await;
    assert!(!page.has("toast").await, "the window says it once as well");

    icon.choose("Quit Quorum").await;
    desktop.app_ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tray_that_goes_gives_the_window_back() {
    let mut desktop = Desktop::start();
    let mut host = TrayHost::serve(&desktop).await;
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    host.icon().await;
    let screen = Screen::of(&desktop);
    screen.ask_to_close();
    desktop.until("the window is hidden", async || !screen.is_shown()).await;
    host.leave().await;
    desktop.until("the window is back", async || screen.is_shown()).await;
    // Now there is nothing to hide to.
    screen.ask_to_close();
    desktop.app_ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tray_closing_quits() {
    let mut desktop = Desktop::start();
    let page = desktop.launch().await;
    page.find("page-welcome").await;
    Screen::of(&desktop).ask_to_close();
    desktop.app_ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_in_use_elsewhere_is_said_and_can_be_tried_again() {
    // Two buses: the second launch cannot find the first, as on two sessions of one person.
    let mut first = Desktop::start();
    let mut second = Desktop::start();
    let data_dir = first.data_dir();
    let open = first.launch().await;
    open.find("page-welcome").await;
    let page = second.launch_on(&data_dir).await;
    page.find("start-failed").await;
    page.find("[data-testid=\"error\"][data-code=\"storeLocked\"]").await;
    open.close().await;
    first.app_ended().await;
    // The first may still be letting go of the file when its process is gone from the list.
    page.until("it opens after another try", async || {
        page.run("document.querySelector('[data-testid=\"start-failed\"] button')?.click(); return true").await;
        page.has("[data-testid=\"page-welcome\"]").await
    })
    .await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_cannot_be_read_is_said_and_left_alone() {
    let mut desktop = Desktop::start();
    fs::create_dir(desktop.data_dir()).expect("a directory");
    let store = desktop.data_dir().join("quorum.redb");
    let bytes = b"this is no store of Quorum".repeat(100);
    fs::write(&store, &bytes).expect("a file");
    let page = desktop.launch().await;
    page.find("start-failed").await;
    page.find("[data-testid=\"error\"][data-code=\"storeDamaged\"]").await;
    page.close().await;
    assert_eq!(fs::read(&store).expect("the file is there"), bytes, "nothing was written");
}
