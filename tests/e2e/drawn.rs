//! How long it takes in the real window from an act until what it asked for is painted.
//!
//! Figures are printed and judged by people; a test that failed by the clock would fail by its neighbours on the machine.

use serde_json::Value;

use crate::page::Page;

/// Frames of scrolling, unless the end comes before.
pub const FRAMES: u64 = 200;

/// Rounds of each act.
pub const ROUNDS: usize = 9;

/// An act and the way back from it, each with what is true of the page once it is drawn. All are JavaScript; `seen` and `gone`
/// are expressions.
pub struct Act<'a> {
    pub name: &'a str,
    pub act: &'a str,
    pub seen: &'a str,
    pub back: &'a str,
    pub gone: &'a str,
}

/// A frame in which the page is as it should be, and the moment after it was painted.
const DRAWN: &str = "const drawn = (act, seen) => new Promise((resolve) => {\
    const start = performance.now(); act();\
    const look = () => { if (!seen()) return requestAnimationFrame(look);\
        const after = new MessageChannel();\
        after.port1.onmessage = () => resolve(performance.now() - start);\
        after.port2.postMessage(0); };\
    requestAnimationFrame(look); });\
    const one = (name) => document.querySelector(`[data-testid=\"${name}\"]`);\
    const all = (name) => document.querySelectorAll(`[data-testid=\"${name}\"]`);\
    const type = (field, text) => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })); };\
    const choose = (list, value) => { list.value = value; list.dispatchEvent(new Event('change', { bubbles: true })); };\
    const key = (key) => dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));";

impl Act<'_> {
    /// Does it there and back again, and prints what the ways there took.
    pub async fn time(&self, page: &Page) {
        let Self { name, act, seen, back, gone } = self;
        let took = page
            .run_async(&format!(
                "{DRAWN} const done = arguments[arguments.length - 1];\
                 (async () => {{ const took = [];\
                     for (let n = 0; n < {ROUNDS}; n++) {{\
                         took.push(await drawn(() => {{ {act} }}, () => {seen}));\
                         await drawn(() => {{ {back} }}, () => {gone}); }}\
                     return took; }})().then(done, (error) => done(String(error)))"
            ))
            .await;
        print(name, &took);
    }
}

fn print(name: &str, took: &Value) {
    let mut took: Vec<f64> =
        took.as_array().unwrap_or_else(|| panic!("{name}: {took}")).iter().filter_map(Value::as_f64).collect();
    took.sort_by(f64::total_cmp);
    println!("{name:<52} {:>5.0} ms at the median, {:>5.0} at most", took[took.len() / 2], took[took.len() - 1]);
}

/// Scrolls down in steps of most of a page, a step a frame, and counts the painted frames that showed a gap.
pub async fn blanks(page: &Page, name: &str, scroller: &str, row: &str) -> u64 {
    let found = page
        .run_async(&format!(
            "const done = arguments[arguments.length - 1];\
             const box = document.querySelector('[data-testid=\"{scroller}\"]');\
             const step = box.clientHeight * 0.8; let frames = 0, blank = 0;\
             const covered = () => {{ const view = box.getBoundingClientRect();\
                 const rows = [...box.querySelectorAll('[data-testid=\"{row}\"]')].map((it) => it.getBoundingClientRect());\
                 return rows.length > 0 && rows.at(-1).bottom >= Math.min(view.bottom, view.top + box.scrollHeight - box.scrollTop) - 1\
                     && rows[0].top <= view.top + 60; }};\
             const go = () => {{ if (frames === {FRAMES} || box.scrollTop + box.clientHeight >= box.scrollHeight - 1) return done([frames, blank]);\
                 box.scrollTop += step; frames += 1;\
                 requestAnimationFrame(() => {{ const after = new MessageChannel();\
                     after.port1.onmessage = () => {{ if (!covered()) blank += 1; go(); }};\
                     after.port2.postMessage(0); }}); }};\
             go()"
        ))
        .await;
    let (frames, blank) = (found[0].as_u64().expect("a count"), found[1].as_u64().expect("a count"));
    println!("{name:<52} {blank:>5} of {frames} frames showed a gap");
    frames
}
