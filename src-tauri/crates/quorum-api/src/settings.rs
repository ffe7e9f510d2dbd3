//! Settings as stored, and the provider beside them.

use quorum_provider::limits::BATCH_REQUESTS_MAX;
use quorum_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Quorum,
    dto::{
        app::ProviderKind,
        error::ApiError,
        settings::{NotificationSettings, Settings, Theme},
    },
    provider::Address,
};

const SETTING: &str = "settings";

/// What the store holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// `None`: never chosen; the sandbox then.
    pub provider: Option<Address>,
    pub settings: Settings,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            provider: None,
            settings: Settings {
                theme: Theme::System,
                notifications: NotificationSettings {
                    run_done: true,
                    batch_failed: true,
                    needs_you: true,
                    quiet_until_at: None,
                },
                close_to_tray: true,
                start_at_login: false,
                letter_keys: true,
                zoom_percent: 100,
                tour_seen: false,
                custom_url: None,
                batch_requests_max: quorum_core::plan::REQUESTS_MAX,
                budget_day_usd: None,
                poll_seconds: None,
                delete_remote_files: true,
            },
        }
    }
}

impl Stored {
    /// What an older Quorum kept lacks what is new since; the defaults stand in for that.
    fn read(kept: Value) -> Result<Self, serde_json::Error> {
        let mut whole = serde_json::to_value(Self::default())?;
        lay_over(&mut whole, kept);
        serde_json::from_value(whole)
    }
}

/// Takes every value of `top` into `base`, objects key by key.
fn lay_over(base: &mut Value, top: Value) {
    match (base, top) {
        (Value::Object(base), Value::Object(top)) => {
            for (key, value) in top {
                lay_over(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, top) => *base = top,
    }
}

pub(crate) fn stored(store: &Store) -> Result<Stored, ApiError> {
    let Some(kept) = store.setting(SETTING)? else { return Ok(Stored::default()) };
    Stored::read(kept).map_err(unreadable)
}

fn unreadable(source: serde_json::Error) -> ApiError {
    StoreError::Row { table: "settings_v1", key: SETTING.to_owned(), source }.into()
}

impl Quorum {
    pub(crate) fn stored_settings(&self) -> Result<Stored, ApiError> {
        stored(self.store())
    }

    pub fn settings_get(&self) -> Result<Settings, ApiError> {
        Ok(self.stored_settings()?.settings)
    }

    /// Stores settings after checking them; returns them as stored.
    pub fn settings_set(&self, settings: Settings) -> Result<Settings, ApiError> {
        if !(1..=BATCH_REQUESTS_MAX).contains(&settings.batch_requests_max) {
            return Err(ApiError::invalid(format!("Requests in a batch must be 1 to {BATCH_REQUESTS_MAX}.")));
        }
        if settings.poll_seconds.is_some_and(|seconds| !(5..=3_600).contains(&seconds)) {
            return Err(ApiError::invalid("Seconds between checks must be 5 to 3,600."));
        }
        if !(50..=200).contains(&settings.zoom_percent) {
            return Err(ApiError::invalid("The size must be 50 to 200 percent."));
        }
        let is_money = |usd: Option<f64>| usd.is_none_or(|usd| usd.is_finite() && usd >= 0.0);
        if !is_money(settings.budget_day_usd) {
            return Err(ApiError::invalid("An amount of money must be 0 or more."));
        }
        self.change_stored(|stored| stored.settings = settings)?;
        self.apply_settings()?;
        self.poke();
        self.settings_get()
    }

    /// Chooses where requests go from now on. Runs that are under way stay with their provider.
    pub(crate) fn choose_provider(&self, address: Address) -> Result<(), ApiError> {
        self.change_stored(|stored| {
            if address.kind() == ProviderKind::Custom {
                stored.settings.custom_url = Some(address.as_str().to_owned());
            }
            stored.provider = Some(address);
        })?;
        self.poke();
        Ok(())
    }

    /// In one transaction: a provider that is chosen while settings are saved, or the other way round, is not lost.
    fn change_stored(&self, change: impl FnOnce(&mut Stored)) -> Result<(), ApiError> {
        let lay = |kept: &mut Value| -> Result<(), serde_json::Error> {
            let mut stored = if kept.is_null() { Stored::default() } else { Stored::read(kept.clone())? };
            change(&mut stored);
            *kept = serde_json::to_value(&stored)?;
            Ok(())
        };
        self.store().change_setting(SETTING, lay)?.map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_chosen_while_settings_are_saved_is_not_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let quorum = Quorum::open(crate::OpenOptions::new(folder.path())).expect("the data");
        for port in 60_000..60_040 {
            let url = format!("http://127.0.0.1:{port}/v1");
            let mut settings = quorum.settings_get().expect("settings");
            (settings.custom_url, settings.zoom_percent) = (Some(url.clone()), port - 59_900);
            std::thread::scope(|scope| {
                scope.spawn(|| quorum.provider_set(ProviderKind::Custom, Some(&url)).expect("chosen"));
                scope.spawn(|| quorum.settings_set(settings.clone()).expect("saved"));
            });
            let stored = quorum.stored_settings().expect("stored");
            assert_eq!(stored.provider.expect("chosen").as_str(), url);
            assert_eq!(stored.settings.zoom_percent, settings.zoom_percent);
        }
    }

    #[test]
    fn settings_of_an_older_quorum_keep_what_was_chosen_and_get_defaults_for_what_is_new() {
        let mut kept = serde_json::to_value(Stored::default()).expect("plain data");
        let settings = kept["settings"].as_object_mut().expect("an object");
        for new in ["startAtLogin", "zoomPercent", "tourSeen"] {
            settings.remove(new).expect("a setting of today");
        }
        settings["notifications"]["runDone"] = false.into();
        settings["letterKeys"] = false.into();
        let read = Stored::read(kept).expect("readable").settings;
        assert!(!read.letter_keys && !read.notifications.run_done && read.notifications.batch_failed);
        assert_eq!((read.zoom_percent, read.start_at_login, read.tour_seen), (100, false, false));
    }
}
