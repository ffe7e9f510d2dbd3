//! What every picture of the window must satisfy: nothing is cut off, no rule of the content policy is broken, and axe-core finds
//! nothing that would keep somebody from using it.
//!
//! With `QUORUM_E2E_PICTURES=DIR` each is also kept as a picture.

use std::{fs, path::PathBuf};

use crate::{accessibility, page::Page};

/// The window's usual size, and the narrow one.
pub const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];

/// Where pictures are kept, if they are.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os("QUORUM_E2E_PICTURES").map(PathBuf::from)
}

/// Hears what the content policy refuses, from here on.
pub async fn listen(page: &Page) {
    page.run(
        "window.refused = []; document.addEventListener('securitypolicyviolation', \
         (e) => window.refused.push(e.violatedDirective + ' ' + e.blockedURI)); return true",
    )
    .await;
}

/// The page is no wider than the window, its panes no wider than their places, and the content policy had nothing to object to.
pub async fn check(page: &Page, name: &str) {
    if let Some(folder) = folder() {
        fs::create_dir_all(&folder).expect("a directory");
        fs::write(folder.join(format!("{name}.png")), page.screenshot().await).expect("a picture");
    }
    for wide in overflowing(page).await {
        page.note(format!("{name}: {wide}"));
    }
    let refused = page.run("const refused = window.refused ?? []; window.refused = []; return refused").await;
    if refused.as_array().is_none_or(|refused| !refused.is_empty()) {
        page.note(format!("{name}: the content policy refused {refused}"));
    }
    // The narrow views have the same elements.
    if !name.ends_with("-900") {
        for found in accessibility::problems(page).await {
            page.note(format!("{name}: {found}"));
        }
    }
}

/// What reaches beyond the right edge of its box, where it is cut off or would have to be scrolled to sideways. Text that ends in dots
/// says that it goes on; files and rows of tabs may be scrolled.
pub async fn overflowing(page: &Page) -> Vec<String> {
    let found = page.run(OVERFLOWING).await;
    let found = found.as_array().expect("a list");
    found.iter().map(|wide| wide.as_str().unwrap_or_default().to_owned()).collect()
}

const OVERFLOWING: &str = r#"
const found = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth - root.clientWidth} px wider than the window`);
const name = (e) => `${e.tagName.toLowerCase()}${e.dataset.testid ? `[${e.dataset.testid}]` : ''}${e.className && e.className.baseVal === undefined ? '.' + [...e.classList].join('.') : ''}`;
const cuts = (style) => style.overflowX !== 'visible';
for (const box of document.querySelectorAll('body *')) {
    const style = getComputedStyle(box);
    if (box.matches('pre, input, textarea, select, .tablist, .ctabs')) continue;
    if (!cuts(style) || style.textOverflow === 'ellipsis' || box.classList.contains('sr') || box.closest('svg')) continue;
    if (box.clientWidth === 0 || box.scrollWidth <= box.clientWidth + 1) continue;
    const edge = box.getBoundingClientRect().right;
    const guilty = [...box.querySelectorAll('*')].find((e) => !e.closest('svg') && e.getBoundingClientRect().right > edge + 1 && e.getBoundingClientRect().width > 0 && getComputedStyle(e).position !== 'absolute');
    if (guilty) found.push(`${name(guilty)} sticks out of ${name(box)} by ${Math.round(guilty.getBoundingClientRect().right - edge)} px: ${(guilty.textContent ?? '').trim().slice(0, 60)}`);
}
return found;
"#;

/// Chooses a theme and a size, and leaves the window on Settings.
pub async fn look(page: &Page, theme: &str, (width, height): (u32, u32)) {
    page.click("nav-settings").await;
    page.click(&format!("theme-{theme}")).await;
    page.find(&format!("html[data-theme=\"{theme}\"]")).await;
    page.resize(width, height).await;
    page.until("the window has its size", async || page.run("return innerWidth").await == width).await;
}
