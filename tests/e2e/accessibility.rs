//! What axe-core has to say about the page as it is drawn: names and roles, contrast, order of headings, keyboard.
//!
//! It is a development dependency of `ui` and never part of the app; WebDriver brings it into the page.

use std::{fs, path::Path};

use crate::page::Page;

/// Colours are judged when they have arrived: a button that is just being enabled is between two. What is dimmed while newer figures
/// come is judged once they are there.
const RUN: &str = "const done = arguments[arguments.length - 1];\
    const ends = document.getAnimations().filter((a) => Number.isFinite(a.effect?.getComputedTiming().endTime));\
    Promise.allSettled(ends.map((a) => a.finished)).then(() => axe.run({ exclude: [['.dimmed']] }, { resultTypes: ['violations'] })).then(\
        (found) => done(found.violations.map((v) => `${v.id}: ${v.help}\\n` + v.nodes.map((n) => `    ${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join('\\n'))),\
        (error) => done([`axe-core itself failed: ${error}`]))";

/// One entry a rule that is broken, with the elements that break it.
pub async fn problems(page: &Page) -> Vec<String> {
    if page.run("return typeof window.axe").await == "undefined" {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/node_modules/axe-core/axe.min.js");
        let source = fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        page.run(&format!("{source}\nreturn true")).await;
    }
    let found = page.run_async(RUN).await;
    let found = found.as_array().expect("a list");
    found.iter().map(|problem| problem.as_str().unwrap_or_default().to_owned()).collect()
}
