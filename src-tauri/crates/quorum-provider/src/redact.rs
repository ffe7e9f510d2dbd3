//! Keeps the key out of every text that comes from outside: a server may send back what it was sent.

use secrecy::{ExposeSecret, SecretString};

use crate::limits::{SNIPPET_CHARS_MAX, WORDS_CHARS_MAX};

/// What stands where the key stood.
const MARK: &str = "[key]";

/// Below this length a "key" is a placeholder such as `-`, and replacing it would only garble words.
const KEY_CHARS_MIN: usize = 4;

pub(crate) struct Redactor<'a>(pub(crate) Option<&'a SecretString>);

impl Redactor<'_> {
    /// The provider's message: without the key, without control characters, bounded.
    pub(crate) fn words(&self, text: &str) -> String {
        self.clean(text, WORDS_CHARS_MAX)
    }

    /// The beginning of an unreadable answer.
    pub(crate) fn snippet(&self, body: &[u8]) -> String {
        // The key is looked for in more than is kept, so that a key at the cut does not stay in part.
        let head = &body[..body.len().min(64 * 1024)];
        self.clean(&String::from_utf8_lossy(head), SNIPPET_CHARS_MAX)
    }

    fn clean(&self, text: &str, chars_max: usize) -> String {
        let without_key = match self.0.map(ExposeSecret::expose_secret) {
            Some(key) if key.len() >= KEY_CHARS_MIN => text.replace(key, MARK),
            _ => text.to_owned(),
        };
        let mut clean = String::new();
        for word in without_key.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.push_str(word);
        }
        if let Some((end, _)) = clean.char_indices().nth(chars_max) {
            clean.truncate(end);
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn takes_the_key_out_before_it_cuts() {
        let key = "sk-marked-0123456789".to_owned().into();
        let redactor = Redactor(Some(&key));
        assert_eq!(redactor.words("bad key:\n sk-marked-0123456789\u{7}."), "bad key: [key] .");
        let body = format!("{}{}", "x".repeat(195), "sk-marked-0123456789");
        let snippet = redactor.snippet(body.as_bytes());
        assert_eq!(snippet, format!("{}[key]", "x".repeat(195)));
    }

    #[test]
    fn a_placeholder_key_garbles_nothing() {
        let key = "-".to_owned().into();
        assert_eq!(Redactor(Some(&key)).words("a-b"), "a-b");
    }
}
