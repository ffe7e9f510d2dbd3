//! Desktop notifications: once a run when it is done, gave up a batch or needs the person.
//!
//! A notification may fail to show; that is logged and nothing else, since the activity list in the window says the same.
//! Several of a kind within a minute become one. A click opens the page that the text is about.
//!
//! Deliberately not here: the words, which are the activity's own.

use std::{
    collections::VecDeque,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use quorum_api::dto::{
    activity::{Activity, ActivityKind},
    events::{Page, PageRequest},
    settings::NotificationSettings,
};
use tauri::{AppHandle, Manager, async_runtime::JoinHandle};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{
    desktop::{self, Message},
    program::Program,
    window,
};

/// Within this time a further one of the same kind joins the one that is shown.
const JOINED_WITHIN: Duration = Duration::from_secs(60);

/// Notices that may wait while the notification service is slow; more are dropped, the activity list has them.
const WAITING_MAX: usize = 64;

/// Notifications whose click is waited for; older ones are shown, but no longer lead anywhere.
const CLICKABLE_MAX: usize = 8;

/// Titles that are named in a joined notification.
const NAMED_MAX: usize = 3;

pub struct Notifier {
    queue: Sender<Notice>,
}

enum Notice {
    Activity(Activity),
    TrayExplained,
}

impl Notifier {
    pub fn start(app: &AppHandle) -> Self {
        let (queue, waiting) = channel(WAITING_MAX);
        tauri::async_runtime::spawn(speak(app.clone(), waiting));
        Self { queue }
    }

    /// Something happened; whether it is worth a notification is decided off the caller's path.
    pub fn activity(&self, activity: Activity) {
        if switch(activity.kind).is_some() {
            self.send(Notice::Activity(activity));
        }
    }

    /// The window was closed to the tray for the first time.
    pub fn explain_tray(&self) {
        self.send(Notice::TrayExplained);
    }

    fn send(&self, notice: Notice) {
        if let Err(error) = self.queue.try_send(notice) {
            tracing::warn!(%error, "a notification was left out");
        }
    }
}

async fn speak(app: AppHandle, mut waiting: Receiver<Notice>) {
    let mut spoken: Option<Spoken> = None;
    let mut clickable: VecDeque<JoinHandle<()>> = VecDeque::new();
    while let Some(notice) = waiting.recv().await {
        let (message, page) = match &notice {
            Notice::TrayExplained => (explanation(&app).await, None),
            Notice::Activity(activity) => {
                if !wanted(&app, activity).await {
                    continue;
                }
                let joined = Spoken::join(spoken.take(), activity, Instant::now());
                let message = joined.message();
                let page = joined.page.clone();
                spoken = Some(joined);
                (message, Some(page))
            }
        };
        match desktop::show(&message).await {
            Ok(shown) => {
                if let (Notice::Activity(_), Some(spoken)) = (&notice, &mut spoken) {
                    spoken.id = shown.id();
                }
                if clickable.len() == CLICKABLE_MAX
                    && let Some(oldest) = clickable.pop_front()
                {
                    oldest.abort();
                }
                let app = app.clone();
                clickable.push_back(tauri::async_runtime::spawn(async move {
                    if shown.clicked().await {
                        match page {
                            Some(page) => window::show_page(&app, page),
                            None => window::show(&app),
                        }
                    }
                }));
            }
            Err(error) => tracing::warn!(%error, "no notification could be shown, the activity list has it"),
        }
    }
}

/// Which switch of the settings decides.
fn switch(kind: ActivityKind) -> Option<fn(&NotificationSettings) -> bool> {
    match kind {
        ActivityKind::RunDone => Some(|settings| settings.run_done),
        ActivityKind::BatchFailed => Some(|settings| settings.batch_failed),
        ActivityKind::RunNeedsYou => Some(|settings| settings.needs_you),
        _ => None,
    }
}

async fn wanted(app: &AppHandle, activity: &Activity) -> bool {
    match app.state::<Program>().blocking(|quorum| quorum.settings_get()).await {
        Ok(settings) => {
            allowed(activity.kind, &settings.notifications, now()) && !window::shows_run(app, activity.run.as_deref())
        }
        Err(error) => {
            tracing::warn!(%error, "the settings could not be read, so the notification is shown");
            true
        }
    }
}

/// By the settings alone.
fn allowed(kind: ActivityKind, settings: &NotificationSettings, now: u32) -> bool {
    let is_quiet = settings.quiet_until_at.is_some_and(|until| now < until) && kind != ActivityKind::RunNeedsYou;
    !is_quiet && switch(kind).is_some_and(|is_on| is_on(settings))
}

fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

async fn explanation(app: &AppHandle) -> Message {
    let live = app.state::<Program>().blocking(|quorum| quorum.app_state()).await.map_or(0, |state| state.live_runs);
    let body = match live {
        0 => "It starts nothing by itself. Its menu in the tray opens the window again, or quits.".to_owned(),
        1 => "1 run is live. Quorum collects its answers while the window is closed.".to_owned(),
        more => format!("{more} runs are live. Quorum collects their answers while the window is closed."),
    };
    Message { title: "Quorum stays in the tray".to_owned(), body, replaces: 0, is_urgent: false }
}

/// The notification that is shown now, as far as later ones may join it.
struct Spoken {
    at: Instant,
    id: u32,
    kind: ActivityKind,
    titles: Vec<String>,
    body: String,
    page: PageRequest,
}

impl Spoken {
    fn join(before: Option<Self>, activity: &Activity, now: Instant) -> Self {
        let page = PageRequest { page: Page::Runs, run: activity.run.clone() };
        let (id, mut titles) = match before {
            Some(before) if before.kind == activity.kind && now.duration_since(before.at) < JOINED_WITHIN => {
                (before.id, before.titles)
            }
            _ => (0, Vec::new()),
        };
        titles.push(activity.title.clone());
        Self { at: now, id, kind: activity.kind, titles, body: activity.body.clone(), page }
    }

    fn message(&self) -> Message {
        let count = self.titles.len();
        let (title, body) = match self.titles.as_slice() {
            [only] => (only.clone(), self.body.clone()),
            titles => {
                let title = match self.kind {
                    ActivityKind::RunDone => format!("{count} runs are done"),
                    ActivityKind::BatchFailed => format!("{count} batches failed"),
                    _ => format!("{count} runs need you"),
                };
                let mut named = titles.iter().rev().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(". ");
                if count > NAMED_MAX {
                    named.push_str(&format!(". And {} more", count - NAMED_MAX));
                }
                (title, format!("{named}."))
            }
        };
        Message { title, body, replaces: self.id, is_urgent: self.kind == ActivityKind::RunNeedsYou }
    }
}

#[cfg(test)]
mod tests {
    use quorum_api::dto::activity::Severity;

    use super::*;

    fn activity(kind: ActivityKind, title: &str) -> Activity {
        Activity {
            activity: 1,
            at: 1,
            kind,
            severity: Severity::Info,
            title: title.to_owned(),
            body: format!("{title}, in numbers"),
            run: Some("r1".to_owned()),
            seen: false,
        }
    }

    const ALL: NotificationSettings =
        NotificationSettings { run_done: true, batch_failed: true, needs_you: true, quiet_until_at: None };

    #[test]
    fn each_kind_has_its_switch() {
        let kinds = [ActivityKind::RunDone, ActivityKind::BatchFailed, ActivityKind::RunNeedsYou];
        let off = [
            NotificationSettings { run_done: false, ..ALL },
            NotificationSettings { batch_failed: false, ..ALL },
            NotificationSettings { needs_you: false, ..ALL },
        ];
        for (i, kind) in kinds.into_iter().enumerate() {
            assert!(allowed(kind, &ALL, 1));
            for (j, settings) in off.iter().enumerate() {
                assert_eq!(allowed(kind, settings, 1), i != j, "{kind:?} {settings:?}");
            }
        }
        assert!(!allowed(ActivityKind::BatchIngested, &ALL, 1), "polling is not news");
    }

    #[test]
    fn quiet_holds_all_but_needs_you_until_its_end() {
        let quiet = NotificationSettings { quiet_until_at: Some(100), ..ALL };
        assert!(!allowed(ActivityKind::RunDone, &quiet, 99));
        assert!(!allowed(ActivityKind::BatchFailed, &quiet, 99));
        assert!(allowed(ActivityKind::RunNeedsYou, &quiet, 99));
        assert!(allowed(ActivityKind::RunDone, &quiet, 100));
    }

    #[test]
    fn several_of_a_kind_within_a_minute_are_one() {
        let start = Instant::now();
        let mut spoken = Spoken::join(None, &activity(ActivityKind::RunDone, "Allergy safety is done"), start);
        let alone = spoken.message();
        assert_eq!((alone.title.as_str(), alone.replaces), ("Allergy safety is done", 0));
        assert_eq!(alone.body, "Allergy safety is done, in numbers");
        spoken.id = 7;
        let soon = start + Duration::from_secs(59);
        let joined = Spoken::join(Some(spoken), &activity(ActivityKind::RunDone, "Hygiene is done"), soon);
        let message = joined.message();
        assert_eq!((message.title.as_str(), message.replaces), ("2 runs are done", 7));
        assert_eq!(message.body, "Hygiene is done. Allergy safety is done.");
        let other = Spoken::join(Some(joined), &activity(ActivityKind::BatchFailed, "A batch failed"), soon);
        assert_eq!((other.message().title.as_str(), other.message().replaces), ("A batch failed", 0));
    }

    #[test]
    fn after_a_minute_it_is_a_new_one() {
        let start = Instant::now();
        let mut spoken = Spoken::join(None, &activity(ActivityKind::RunDone, "Allergy safety is done"), start);
        spoken.id = 7;
        let late =
            Spoken::join(Some(spoken), &activity(ActivityKind::RunDone, "Hygiene is done"), start + JOINED_WITHIN);
        assert_eq!((late.message().title.as_str(), late.message().replaces), ("Hygiene is done", 0));
    }

    #[test]
    fn many_name_the_newest_and_count_the_rest() {
        let now = Instant::now();
        let mut spoken = None;
        for n in 1..=5 {
            spoken = Some(Spoken::join(spoken, &activity(ActivityKind::RunNeedsYou, &format!("Run {n}")), now));
        }
        let message = spoken.expect("five were joined").message();
        assert_eq!(message.title, "5 runs need you");
        assert_eq!(message.body, "Run 5. Run 4. Run 3. And 2 more.");
        assert!(message.is_urgent);
    }
}
