//! The menu bar: what the window can do, by name, with the keys that do the same.
//!
//! An item acts nowhere but in the window, which is told what was chosen and does as on the key: one place knows what an act means
//! on the page that is open. Closing and quitting are done here, so that a window that does not answer cannot keep them.
//!
//! Deliberately not here: the tray's menu, see [`crate::tray`]. Undo has no key here, as a text field has an undo of its own, which
//! the system's key for a menu would take away.

use serde::{Deserialize, Serialize};
use tauri::{
    AppHandle, Manager, Wry,
    menu::{AboutMetadata, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu},
};
use tauri_specta::Event as _;

use crate::window;

/// What an item of the menu asks the window for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum MenuAct {
    NewExtraction,
    Import,
    Export,
    CheckNow,
    Settings,
    Undo,
    Find,
    FindAnything,
    Runs,
    Results,
    Queue,
    WhatIf,
    Trust,
    Catalog,
    Activity,
    Back,
    Larger,
    Smaller,
    ActualSize,
    Keys,
}

/// An item was chosen.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct MenuChosen(pub MenuAct);

const CLOSE: &str = "menu:close";
const QUIT: &str = "menu:quit";

/// Act, words, key.
type Item = (MenuAct, &'static str, Option<&'static str>);

const FILE: &[&[Item]] = &[
    &[
        (MenuAct::NewExtraction, "New Extraction", Some("CmdOrCtrl+N")),
        (MenuAct::Import, "Import a Dataset…", None),
        (MenuAct::Export, "Save This Table…", Some("CmdOrCtrl+E")),
    ],
    &[(MenuAct::CheckNow, "Check Now", Some("CmdOrCtrl+R"))],
    &[(MenuAct::Settings, "Settings", Some("CmdOrCtrl+,"))],
];

const EDIT: &[&[Item]] = &[
    &[(MenuAct::Undo, "Undo", None)],
    &[
        (MenuAct::Find, "Find in This Page", Some("CmdOrCtrl+F")),
        (MenuAct::FindAnything, "Find Anything…", Some("CmdOrCtrl+K")),
    ],
];

const VIEW: &[&[Item]] = &[
    &[
        (MenuAct::Runs, "Runs", Some("CmdOrCtrl+2")),
        (MenuAct::Results, "Results", Some("CmdOrCtrl+3")),
        (MenuAct::Queue, "Review Queue", Some("CmdOrCtrl+4")),
        (MenuAct::WhatIf, "What-if", Some("CmdOrCtrl+5")),
        (MenuAct::Trust, "Trust", Some("CmdOrCtrl+6")),
        (MenuAct::Catalog, "Catalog", Some("CmdOrCtrl+7")),
        (MenuAct::Activity, "Activity", Some("CmdOrCtrl+8")),
    ],
    &[(MenuAct::Back, "Back", Some("Alt+Left"))],
    &[
        (MenuAct::Larger, "Larger", Some("CmdOrCtrl+=")),
        (MenuAct::Smaller, "Smaller", Some("CmdOrCtrl+-")),
        (MenuAct::ActualSize, "Actual Size", Some("CmdOrCtrl+0")),
    ],
];

const HELP: &[&[Item]] = &[&[(MenuAct::Keys, "Keys", None)]];

/// The menu bar; on macOS the system's first menu comes before it.
pub fn make(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let (file, edit) = (submenu(app, "File", FILE)?, submenu(app, "Edit", EDIT)?);
    let (view, help) = (submenu(app, "View", VIEW)?, submenu(app, "Help", HELP)?);
    let close = MenuItem::with_id(app, CLOSE, "Close Window", true, Some("CmdOrCtrl+W"))?;
    file.append_items(&[&PredefinedMenuItem::separator(app)?, &close])?;
    let about = AboutMetadata {
        name: Some("Quorum".to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        license: Some("MIT".to_owned()),
        comments: Some("Turns reviews into audited ground truth".to_owned()),
        ..AboutMetadata::default()
    };
    let about = PredefinedMenuItem::about(app, Some("About Quorum"), Some(about))?;
    #[cfg(not(target_os = "macos"))]
    {
        file.append(&MenuItem::with_id(app, QUIT, "Quit", true, Some("CmdOrCtrl+Q"))?)?;
        help.append_items(&[&PredefinedMenuItem::separator(app)?, &about])?;
    }
    // Elsewhere the web view has these by itself.
    #[cfg(target_os = "macos")]
    edit.append_items(&[
        &PredefinedMenuItem::separator(app)?,
        &PredefinedMenuItem::cut(app, None)?,
        &PredefinedMenuItem::copy(app, None)?,
        &PredefinedMenuItem::paste(app, None)?,
        &PredefinedMenuItem::select_all(app, None)?,
    ])?;
    let menu = Menu::new(app)?;
    #[cfg(target_os = "macos")]
    menu.append(&Submenu::with_items(
        app,
        "Quorum",
        true,
        &[
            &about,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::hide(app, None)?,
            &PredefinedMenuItem::hide_others(app, None)?,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, QUIT, "Quit Quorum", true, Some("CmdOrCtrl+Q"))?,
        ],
    )?)?;
    menu.append_items(&[&file, &edit, &view, &help])?;
    Ok(menu)
}

/// Groups of items with lines between them.
fn submenu(app: &AppHandle, name: &str, groups: &[&[Item]]) -> tauri::Result<Submenu<Wry>> {
    let submenu = Submenu::new(app, name, true)?;
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            submenu.append(&PredefinedMenuItem::separator(app)?)?;
        }
        for (act, words, key) in *group {
            let item: &dyn IsMenuItem<Wry> = &MenuItem::with_id(app, id(*act), words, true, *key)?;
            submenu.append(item)?;
        }
    }
    Ok(submenu)
}

fn id(act: MenuAct) -> String {
    format!("menu:{act:?}")
}

/// Something of a menu was chosen: of this one or of the tray's, which has other ids.
pub fn chosen(app: &AppHandle, event: &MenuEvent) {
    let chosen = event.id().as_ref();
    if chosen == QUIT {
        app.exit(0);
    } else if chosen == CLOSE {
        if let Some(window) = app.get_webview_window(window::LABEL)
            && let Err(error) = window.close()
        {
            tracing::warn!(%error, "the window could not be closed");
        }
    } else if let Some(act) = acts().find(|act| id(*act) == chosen)
        && let Err(error) = MenuChosen(act).emit(app)
    {
        tracing::warn!(%error, "the window did not hear of the menu");
    }
}

fn acts() -> impl Iterator<Item = MenuAct> {
    [FILE, EDIT, VIEW, HELP].into_iter().flatten().flat_map(|group| group.iter().map(|(act, ..)| *act))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_item_and_every_key_is_there_once() {
        let items: Vec<Item> =
            [FILE, EDIT, VIEW, HELP].into_iter().flatten().flat_map(|group| group.to_vec()).collect();
        let ids: BTreeSet<String> = items.iter().map(|(act, ..)| id(*act)).collect();
        assert_eq!(ids.len(), items.len());
        let keys: Vec<&str> = items.iter().filter_map(|(.., key)| *key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }
}
