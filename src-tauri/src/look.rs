//! How the window looks before its page has drawn: ground, theme and size of text, so that the first picture has the colours of
//! the later ones.
//!
//! Deliberately not here: later changes, see [`crate::window::follow`], and all other colours, which are the page's.

use std::time::Duration;

use quorum_api::dto::settings::Theme;
use tauri::{App, Manager, WebviewWindowBuilder, window::Color};

use crate::{program::Program, window};

/// The settings are known by then, unless the data is slow to open, as after a crash: the window does not wait for that.
const SETTINGS_WAIT: Duration = Duration::from_millis(100);

/// `--bg` of `tokens.css`.
const LIGHT: Color = Color(0xfb, 0xfb, 0xf9, 0xff);
const DARK: Color = Color(0x19, 0x1a, 0x1e, 0xff);

/// Makes the window, hidden.
pub fn make_window(app: &App) -> tauri::Result<()> {
    let config = app.config();
    let Some(config) = config.app.windows.iter().find(|config| config.label == window::LABEL) else { return Ok(()) };
    let asking = app.handle().clone();
    // A task of its own: whoever asks first opens the data, and that must not end half-way when the wait does.
    let asked =
        tauri::async_runtime::spawn(
            async move { asking.state::<Program>().blocking(|quorum| quorum.settings_get()).await },
        );
    let known = tauri::async_runtime::block_on(async { tokio::time::timeout(SETTINGS_WAIT, asked).await });
    // What keeps them from being read is said by the window's first command.
    let settings = known.ok().and_then(Result::ok).and_then(Result::ok);
    let theme = settings.as_ref().map_or(Theme::System, |settings| settings.theme);
    let made = WebviewWindowBuilder::from_config(app.handle(), config)?.initialization_script(script(theme)).build()?;
    match &settings {
        Some(settings) => window::follow(app.handle(), settings),
        None => {
            let app = app.handle().clone();
            tauri::async_runtime::spawn(async move { window::follow_settings(&app).await });
        }
    }
    let is_dark = match theme {
        Theme::System => made.theme().is_ok_and(|theme| theme == tauri::Theme::Dark),
        Theme::Light => false,
        Theme::Dark => true,
    };
    made.set_background_color(Some(if is_dark { DARK } else { LIGHT }))
}

/// Sets the page's theme before anything of it is drawn.
fn script(theme: Theme) -> String {
    let word = match theme {
        Theme::System => r#"matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light""#,
        Theme::Light => r#""light""#,
        Theme::Dark => r#""dark""#,
    };
    // Some web views run this before there is an element to set it on.
    format!(
        r#"(() => {{
    const set = () => {{ document.documentElement.dataset.theme = {word}; }};
    if (document.documentElement) set();
    else document.addEventListener("readystatechange", set, {{ once: true }});
}})();"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grounds_are_those_of_the_tokens() {
        let tokens = include_str!("../../ui/src/tokens.css");
        let grounds: Vec<&str> =
            tokens.lines().filter_map(|line| line.trim().strip_prefix("--bg: ")).map(|rest| &rest[..7]).collect();
        let hex = |Color(red, green, blue, _)| format!("#{red:02x}{green:02x}{blue:02x}");
        assert_eq!(grounds, [hex(LIGHT), hex(DARK)]);
    }
}
