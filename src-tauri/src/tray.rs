//! The tray icon: what runs, in two lines and one glyph, and the way back to a hidden window.
//!
//! There may be no tray: the library may be missing, which the tray crate answers with a panic, or the desktop may have no place
//! for icons. Then closing the window quits, see [`crate::window`].
//!
//! Deliberately not here: notifications, see [`crate::notify`].

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quorum_api::{
    Quorum,
    dto::{
        app::{AppState, ConnectionState},
        error::ApiError,
        run::{RunState, RunSummary},
    },
    words::{counted, grouped},
};
use tauri::{
    App, AppHandle, Manager,
    image::Image,
    menu::{Menu, MenuItem, PredefinedMenuItem},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};
use tokio::sync::Notify;

use crate::{program::Program, window};

/// The tray follows the program, but not faster than anyone reads.
const REFRESH_PAUSE: Duration = Duration::from_secs(1);

const OPEN: &str = "open";
const CHECK: &str = "check";
const PAUSE: &str = "pause";
const QUIT: &str = "quit";

pub struct Tray {
    parts: OnceLock<Parts>,
    /// The desktop has a place where the icon is seen.
    pub(crate) has_host: AtomicBool,
    changed: Notify,
}

struct Parts {
    icon: TrayIcon,
    headline: MenuItem<tauri::Wry>,
    detail: MenuItem<tauri::Wry>,
    check: MenuItem<tauri::Wry>,
    pause: MenuItem<tauri::Wry>,
}

impl Tray {
    /// Without an icon yet.
    pub fn new() -> Self {
        // Elsewhere a tray is part of the system; on Linux it is asked for, see `tray_host`.
        let has_host = AtomicBool::new(cfg!(not(target_os = "linux")));
        Self { parts: OnceLock::new(), has_host, changed: Notify::new() }
    }

    /// Makes the tray icon; without one the app goes on.
    pub fn make(&self, app: &App) {
        let made = catch_unwind(AssertUnwindSafe(|| Parts::make(app)));
        match made {
            Ok(Ok(parts)) => {
                self.parts.get_or_init(|| parts);
                self.refresh();
            }
            Ok(Err(error)) => tracing::warn!(%error, "there is no tray icon: closing the window quits"),
            Err(_panic_was_logged) => {
                tracing::warn!("there is no tray icon, libayatana-appindicator3 is missing: closing the window quits");
            }
        }
    }

    /// There is an icon, whether or not the desktop has a place for it.
    pub fn is_made(&self) -> bool {
        self.parts.get().is_some()
    }

    /// There is an icon that people can see.
    pub fn is_shown(&self) -> bool {
        self.is_made() && self.has_host.load(Ordering::Relaxed)
    }

    /// Something changed; the tray will look again.
    pub fn refresh(&self) {
        self.changed.notify_one();
    }

    /// Keeps the tray true for as long as the program is open.
    pub async fn follow(&self, app: &AppHandle) {
        let mut shown = None;
        loop {
            self.changed.notified().await;
            // Its making says that it changed.
            let Some(parts) = self.parts.get() else { continue };
            match app.state::<Program>().blocking(look).await {
                Ok(face) => {
                    if shown.as_ref() != Some(&face)
                        && let Err(error) = parts.show(&face, shown.as_ref())
                    {
                        tracing::warn!(%error, "the tray could not be brought up to date");
                    }
                    shown = Some(face);
                }
                Err(error) => tracing::warn!(%error, "the tray could not learn the state"),
            }
            tokio::time::sleep(REFRESH_PAUSE).await;
        }
    }
}

impl Parts {
    fn make(app: &App) -> tauri::Result<Self> {
        let headline = MenuItem::new(app, "Quorum", false, None::<&str>)?;
        let detail = MenuItem::new(app, "Opening…", false, None::<&str>)?;
        let open = MenuItem::with_id(app, OPEN, "Open Quorum", true, None::<&str>)?;
        let check = MenuItem::with_id(app, CHECK, "Check now", false, None::<&str>)?;
        let pause = MenuItem::with_id(app, PAUSE, PauseOffer::Pause.words(), false, None::<&str>)?;
        let quit = MenuItem::with_id(app, QUIT, "Quit Quorum", true, None::<&str>)?;
        let menu = Menu::with_items(
            app,
            &[
                &headline,
                &detail,
                &PredefinedMenuItem::separator(app)?,
                &open,
                &check,
                &pause,
                &PredefinedMenuItem::separator(app)?,
                &quit,
            ],
        )?;
        let icon = TrayIconBuilder::with_id("main")
            .icon(Glyph::Idle.image())
            .tooltip("Quorum")
            .menu(&menu)
            .show_menu_on_left_click(cfg!(target_os = "linux"))
            .on_menu_event(|app, event| chosen(app, event.id().as_ref()))
            .on_tray_icon_event(|icon, event| {
                if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } =
                    event
                {
                    window::show(icon.app_handle());
                }
            })
            .build(app)?;
        Ok(Self { icon, headline, detail, check, pause })
    }

    fn show(&self, face: &Face, before: Option<&Face>) -> tauri::Result<()> {
        self.headline.set_text(&face.headline)?;
        self.detail.set_text(&face.detail)?;
        self.check.set_enabled(face.can_check)?;
        self.pause.set_enabled(face.pause.is_some())?;
        self.pause.set_text(face.pause.unwrap_or(PauseOffer::Pause).words())?;
        self.icon.set_tooltip(Some(format!("Quorum: {}", face.headline)))?;
        // A new picture makes some panels flicker, so it is set only when it differs.
        if before.is_none_or(|before| before.glyph != face.glyph) {
            self.icon.set_icon(Some(face.glyph.image()))?;
        }
        Ok(())
    }
}

fn chosen(app: &AppHandle, item: &str) {
    match item {
        OPEN => window::show(app),
        QUIT => app.exit(0),
        CHECK => act(app, "the check", |quorum| async move { quorum.poll_now().await.map(drop) }),
        PAUSE => act(app, "the pause", |quorum| async move {
            match pause_offer(&quorum.run_list()?) {
                Some(PauseOffer::Pause) => quorum.run_pause_all()?,
                Some(PauseOffer::Resume) => quorum.run_resume_all()?,
                None => 0,
            };
            Ok(())
        }),
        _ => {}
    }
}

/// Does what a line of the menu stands for, off the window's thread.
fn act<F>(app: &AppHandle, what: &'static str, act: impl FnOnce(Quorum) -> F + Send + 'static)
where
    F: Future<Output = Result<(), ApiError>> + Send,
{
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let done = match app.state::<Program>().quorum().await {
            Ok(quorum) => act(quorum.clone()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "{what} that the tray asked for failed");
        }
    });
}

/// What the tray shows.
#[derive(Debug, PartialEq, Eq)]
struct Face {
    glyph: Glyph,
    headline: String,
    detail: String,
    can_check: bool,
    pause: Option<PauseOffer>,
}

/// What can be done about sending, for all runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PauseOffer {
    Pause,
    Resume,
}

impl PauseOffer {
    fn words(self) -> &'static str {
        match self {
            Self::Pause => "Send no more batches",
            Self::Resume => "Go on sending",
        }
    }
}

fn pause_offer(runs: &[RunSummary]) -> Option<PauseOffer> {
    let is = |wanted: &[RunState]| runs.iter().any(|run| wanted.contains(&run.state));
    if is(&[RunState::Running, RunState::Waiting]) {
        return Some(PauseOffer::Pause);
    }
    is(&[RunState::Paused]).then_some(PauseOffer::Resume)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Glyph {
    Idle,
    /// A run is at the provider.
    Live,
    /// Key, budget or failures wait for the person.
    NeedsYou,
    Offline,
}

impl Glyph {
    fn image(self) -> Image<'static> {
        match self {
            Self::Idle => tauri::include_image!("icons/tray-idle.png"),
            Self::Live => tauri::include_image!("icons/tray-live.png"),
            Self::NeedsYou => tauri::include_image!("icons/tray-needs-you.png"),
            Self::Offline => tauri::include_image!("icons/tray-offline.png"),
        }
    }
}

fn look(quorum: &Quorum) -> Result<Face, ApiError> {
    Ok(face(&quorum.app_state()?, &quorum.run_list()?))
}

fn face(state: &AppState, runs: &[RunSummary]) -> Face {
    let (can_check, pause) = (state.live_runs > 0, pause_offer(runs));
    let live_runs = || counted(state.live_runs.into(), "run", "runs");
    let progress = format!(
        "{} of {} done",
        grouped(state.live_completed.into()),
        counted(state.live_requests.into(), "request", "requests")
    );
    let going_on = format!("{} at {}", live_runs(), provider(state, runs));
    if let Some(run) = runs.iter().find(|run| run.state == RunState::NeedsYou) {
        let detail = run.reason.clone().unwrap_or_else(|| going_on.clone());
        return Face {
            glyph: Glyph::NeedsYou,
            headline: format!("{} needs you", run.topic_name),
            detail,
            can_check,
            pause,
        };
    }
    let (glyph, headline, detail) = match state.connection.state {
        ConnectionState::KeyMissing => (Glyph::NeedsYou, "The key is missing".to_owned(), going_on),
        ConnectionState::KeyRefused => (Glyph::NeedsYou, "The key was refused".to_owned(), going_on),
        ConnectionState::Offline => (Glyph::Offline, "Offline".to_owned(), going_on),
        _ if state.live_runs == 0 => {
            (Glyph::Idle, "No live runs".to_owned(), format!("{} so far", counted(state.runs.into(), "run", "runs")))
        }
        _ => {
            let percent = u64::from(state.live_completed) * 100 / u64::from(state.live_requests.max(1));
            let live = runs.iter().find(|run| matches!(run.state, RunState::Running | RunState::Waiting));
            let name = match live {
                Some(run) if state.live_runs == 1 => run.topic_name.clone(),
                _ => live_runs(),
            };
            (Glyph::Live, format!("{name}: {percent} %"), progress)
        }
    };
    Face { glyph, headline, detail, can_check, pause }
}

/// Where the live runs are, which need not be the provider that is chosen now.
fn provider(state: &AppState, runs: &[RunSummary]) -> String {
    let is_live = |run: &&RunSummary| matches!(run.state, RunState::Waiting | RunState::Running | RunState::Cancelling);
    let at: BTreeSet<&str> = runs.iter().filter(is_live).map(|run| run.provider.as_str()).collect();
    match at.len() {
        0 => state.provider.name.clone(),
        _ => at.into_iter().collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use quorum_api::dto::app::{Connection, KeyPlace, KeyState, Provider, ProviderKind};

    use super::*;

    fn state(live_runs: u32, connection: ConnectionState) -> AppState {
        AppState {
            version: "0.1.0".into(),
            data_dir: "/data".into(),
            provider: Provider {
                kind: ProviderKind::Openai,
                name: "OpenAI".into(),
                url: "https://api.openai.com/v1".into(),
                sandbox: false,
                needs_key: true,
            },
            key: KeyState {
                looked: true,
                stored: true,
                hint: None,
                kept: Some(KeyPlace::Keyring),
                accepted_at: None,
                problem: None,
            },
            first_run: false,
            connection: Connection {
                state: connection,
                since_at: None,
                last_checked_at: None,
                next_check_at: None,
                checking: false,
                detail: None,
            },
            live_runs,
            live_requests: 18_440 * live_runs,
            live_completed: 11_062 * live_runs,
            spent_today_usd: 0.0,
            outstanding_usd: 0.0,
            budget_day_usd: None,
            datasets: 1,
            runs: 4,
            activity_unseen: 0,
        }
    }

    fn run(state: RunState, reason: Option<&str>) -> RunSummary {
        RunSummary {
            run: "r1".into(),
            dataset: "d1".into(),
            dataset_name: "yelp".into(),
            topic: "G1_allergy".into(),
            topic_name: "Allergy safety".into(),
            k: 50,
            provider: "OpenAI".into(),
            state,
            reason: reason.map(str::to_owned),
            requests: 18_440,
            completed: 11_062,
            answered: 11_062,
            ingested: 0,
            failed: 0,
            usd_estimated: 3.32,
            usd_spent: 0.0,
            created_at: 1,
            finished_at: None,
            sandbox: false,
        }
    }

    fn shown(state: &AppState, runs: &[RunSummary]) -> (Glyph, String, String, bool) {
        let face = face(state, runs);
        (face.glyph, face.headline, face.detail, face.can_check)
    }

    #[test]
    fn tells_what_runs() {
        assert_eq!(
            shown(&state(0, ConnectionState::Idle), &[run(RunState::Done, None)]),
            (Glyph::Idle, "No live runs".into(), "4 runs so far".into(), false)
        );
        assert_eq!(
            shown(&state(1, ConnectionState::Online), &[run(RunState::Running, None)]),
            (Glyph::Live, "Allergy safety: 59 %".into(), "11,062 of 18,440 requests done".into(), true)
        );
        assert_eq!(
            shown(&state(2, ConnectionState::Online), &[run(RunState::Running, None), run(RunState::Waiting, None)]),
            (Glyph::Live, "2 runs: 59 %".into(), "22,124 of 36,880 requests done".into(), true)
        );
    }

    #[test]
    fn needing_you_comes_before_being_offline() {
        let offline = state(1, ConnectionState::Offline);
        assert_eq!(
            shown(&offline, &[run(RunState::Running, None)]),
            (Glyph::Offline, "Offline".into(), "1 run at OpenAI".into(), true)
        );
        assert_eq!(
            shown(&offline, &[run(RunState::NeedsYou, Some("budget reached"))]),
            (Glyph::NeedsYou, "Allergy safety needs you".into(), "budget reached".into(), true)
        );
        assert_eq!(shown(&state(1, ConnectionState::KeyRefused), &[run(RunState::Running, None)]).0, Glyph::NeedsYou);
    }

    #[test]
    fn offers_to_pause_what_sends_and_to_go_on_with_what_is_paused() {
        assert_eq!(pause_offer(&[run(RunState::Done, None)]), None);
        assert_eq!(pause_offer(&[run(RunState::Paused, None), run(RunState::Running, None)]), Some(PauseOffer::Pause));
        assert_eq!(pause_offer(&[run(RunState::Paused, None)]), Some(PauseOffer::Resume));
    }

    #[test]
    fn names_the_provider_that_runs_are_at_not_the_one_that_is_chosen() {
        let mut state = state(2, ConnectionState::Offline);
        state.provider.name = "llm.example".into();
        let local = RunSummary { provider: "the sandbox".into(), ..run(RunState::Waiting, None) };
        assert_eq!(face(&state, &[run(RunState::Running, None), local]).detail, "2 runs at OpenAI and the sandbox");
    }
}
