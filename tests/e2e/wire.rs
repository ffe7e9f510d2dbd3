//! The wire between the page and the program, held or led astray by a test. What is at both ends of it is real.
//!
//! Holding is how a page is looked at while it reads: it lasts until the test lets go, and no clock has a say in it.

use serde_json::json;

use crate::page::Page;

/// The dataset that questions are about once they are led astray. There is none of this name.
pub const GONE: &str = "a dataset that is gone";

/// Puts a tap on the wire. It goes with the page.
pub async fn tap(page: &Page) {
    page.run(TAP).await;
}

const TAP: &str = "if (window.tap) return true;\
    const ask = window.fetch;\
    window.tap = { held: new Set(), waiting: [], lost: false, failing: {} };\
    window.fetch = async (url, init, ...rest) => {\
        const tap = window.tap; const command = decodeURIComponent(String(url)).split('/').pop();\
        if (tap.lost && typeof init?.body === 'string')\
            init = { ...init, body: init.body.replace(/\"dataset\":\"[^\"]*\"/g, `\"dataset\":${JSON.stringify(tap.lost)}`) };\
        if (tap.held.has(command)) await new Promise((go) => tap.waiting.push(go));\
        if (tap.failing[command])\
            return new Response(JSON.stringify(tap.failing[command]),\
                { headers: { 'content-type': 'application/json', 'Tauri-Response': 'error' } });\
        return ask(url, init, ...rest); };\
    return true";

/// Holds these commands' questions back until [`let_go`].
pub async fn hold(page: &Page, commands: &[&str]) {
    page.run(&format!("window.tap.held = new Set({}); return true", json!(commands))).await;
}

pub async fn let_go(page: &Page) {
    page.run("const { tap } = window; tap.held = new Set(); tap.waiting.splice(0).forEach((go) => go()); return true")
        .await;
}

/// Every question about a dataset is about one that is not there, as when somebody removed it meanwhile.
pub async fn lose_dataset(page: &Page, is_lost: bool) {
    page.run(&format!("window.tap.lost = {}; return true", if is_lost { json!(GONE) } else { json!(false) })).await;
}

/// These commands are answered as the program answers when its disk fails. The words are its own.
pub async fn fail(page: &Page, commands: &[&str]) {
    let error = json!({
        "code": "storeFailed",
        "message": "The store could not be read or written.",
        "safe": "Everything stored before is safe.",
        "action": null,
        "detail": "Input/output error (os error 5)",
    });
    let failing: serde_json::Map<_, _> =
        commands.iter().map(|command| ((*command).to_owned(), error.clone())).collect();
    page.run(&format!("window.tap.failing = {}; return true", json!(failing))).await;
}
