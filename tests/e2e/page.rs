//! The window's page, by the names that its elements have for tests.

use std::sync::Mutex;

use fantoccini::{
    Client, Locator,
    elements::Element,
    error::{CmdError, ErrorStatus},
    key::Key,
};
use serde_json::Value;

use crate::desktop::SOON;

pub struct Page(Client, Mutex<Vec<String>>);

impl Page {
    pub fn new(client: Client) -> Self {
        Self(client, Mutex::default())
    }

    /// Keeps a complaint, so that one does not hide the next; [`Page::settle`] fails with all of them.
    pub fn note(&self, complaint: String) {
        self.1.lock().expect("no test panics in between").push(complaint);
    }

    pub fn settle(&self) {
        let noted = self.1.lock().expect("no test panics in between");
        assert!(noted.is_empty(), "{}", noted.join("\n"));
    }

    fn selector(name: &str) -> String {
        if name.contains(['[', ' ', '#', '.']) { name.to_owned() } else { format!("[data-testid=\"{name}\"]") }
    }

    /// Waits for the element, by its test name or a selector.
    pub async fn find(&self, name: &str) -> Element {
        let selector = Self::selector(name);
        match self.0.wait().at_most(SOON).for_element(Locator::Css(&selector)).await {
            Ok(element) => element,
            Err(error) => panic!("waited in vain for {selector}: {error}\n{}", self.text().await),
        }
    }

    pub async fn has(&self, name: &str) -> bool {
        let found = settled(self.0.find_all(Locator::Css(&Self::selector(name))).await);
        found.is_some_and(|found| !found.is_empty())
    }

    pub async fn count(&self, name: &str) -> usize {
        self.0.find_all(Locator::Css(&Self::selector(name))).await.expect("the page can be searched").len()
    }

    /// Clicks, once the element is there and takes clicks.
    pub async fn click(&self, name: &str) {
        self.until(&format!("{name} is enabled"), async || {
            let element = self.find(name).await;
            settled(element.is_enabled().await).unwrap_or(false)
        })
        .await;
        self.until(&format!("{name} takes a click"), async || {
            let element = self.find(name).await;
            settled(element.click().await).is_some()
        })
        .await;
    }

    /// Types into a field, in place of what it held.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.find(name).await;
        field.clear().await.expect("a field can be cleared");
        field.send_keys(text).await.expect("a field takes text");
    }

    /// Chooses from a list, as a person does: the page hears of it.
    pub async fn choose(&self, name: &str, value: &str) {
        self.find(name).await;
        let selector = Self::selector(name).replace('\'', "\\'");
        let chosen = self
            .run(&format!(
                "const list = document.querySelector('{selector}'); list.value = '{value}'; \
                 list.dispatchEvent(new Event('change', {{ bubbles: true }})); return list.value || '{value}'"
            ))
            .await;
        assert_eq!(chosen, value, "{name} offers it");
    }

    pub async fn press(&self, name: &str, key: Key) {
        self.find(name).await.send_keys(&char::from(key).to_string()).await.expect("the key is taken");
    }

    /// Types keys to whatever has the focus.
    pub async fn keys(&self, keys: &str) {
        let focused = self.0.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("the keys are taken");
    }

    /// The test name of what has the focus, else its tag.
    pub async fn focus(&self) -> String {
        let it =
            self.run("const it = document.activeElement; return it.dataset.testid ?? it.tagName.toLowerCase()").await;
        it.as_str().expect("a name").to_owned()
    }

    pub async fn text_of(&self, name: &str) -> String {
        self.find(name).await.text().await.expect("an element has text")
    }

    /// What an element holds. WebKit's driver calls text in a box that may cut it off invisible, such as a cell of a table.
    pub async fn content(&self, name: &str) -> String {
        self.find(name).await;
        let selector = Self::selector(name).replace('\'', "\\'");
        let said = self.run(&format!("return document.querySelector('{selector}').textContent.trim()")).await;
        said.as_str().expect("a text").to_owned()
    }

    /// Waits until the element says so, and answers what it says.
    pub async fn text_where(&self, name: &str, mut fits: impl FnMut(&str) -> bool) -> String {
        let mut said = String::new();
        self.until(&format!("{name} says something else"), async || {
            let element = self.find(name).await;
            match settled(element.text().await) {
                Some(text) => {
                    said = text;
                    fits(&said)
                }
                None => false,
            }
        })
        .await;
        said
    }

    /// All that can be read on the page.
    pub async fn text(&self) -> String {
        match self.0.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => format!("(no page: {error})"),
        }
    }

    pub async fn run(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.expect("the page runs scripts of the test")
    }

    /// As [`Page::run`], for a script that answers through the function that is its last argument.
    pub async fn run_async(&self, script: &str) -> Value {
        self.0.execute_async(script, Vec::new()).await.expect("the page runs scripts of the test")
    }

    pub async fn screenshot(&self) -> Vec<u8> {
        self.0.screenshot().await.expect("the window can be pictured")
    }

    pub async fn resize(&self, width: u32, height: u32) {
        self.0.set_window_size(width, height).await.expect("the window can be resized");
    }

    /// Ends the WebDriver session, and with it the app.
    pub async fn close(self) {
        self.0.close().await.expect("the session ends");
    }

    /// Waits by asking the page.
    pub async fn until(&self, what: &str, is_so: impl AsyncFnMut() -> bool) {
        let mut is_so = is_so;
        let start = std::time::Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < SOON, "waited in vain: {what}\n{}", self.text().await);
        }
    }
}

/// `None` where the page drew the element anew between finding and using it, or was itself read anew: to be tried again.
fn settled<T>(result: Result<T, CmdError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(CmdError::Standard(error))
            if matches!(
                error.error,
                ErrorStatus::StaleElementReference
                    | ErrorStatus::NoSuchFrame
                    | ErrorStatus::NoSuchElement
                    | ErrorStatus::ElementClickIntercepted
                    | ErrorStatus::ElementNotInteractable
            ) =>
        {
            None
        }
        Err(error) => panic!("WebDriver: {error}"),
    }
}
