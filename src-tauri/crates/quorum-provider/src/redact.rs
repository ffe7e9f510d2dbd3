//! Keeps the key out of every text that comes from outside: a server may send back what it was sent.

use bytes::Bytes;
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

    /// A whole answer, otherwise as it was. What is read from it is kept and shown later, by code that does not know the key.
    pub(crate) fn body(&self, body: Bytes) -> Bytes {
        match self.key() {
            Some(key) if memchr::memmem::find(&body, key.as_bytes()).is_some() => {
                String::from_utf8_lossy(&body).replace(key, MARK).into()
            }
            _ => body,
        }
    }

    /// For an answer that comes in pieces and is kept.
    pub(crate) fn mask(&self) -> Mask {
        Mask { key: self.key().map(|key| SecretString::from(key.to_owned())), held: Vec::new() }
    }

    fn key(&self) -> Option<&str> {
        self.0.map(|key| key.expose_secret()).filter(|key| key.len() >= KEY_CHARS_MIN)
    }

    fn clean(&self, text: &str, chars_max: usize) -> String {
        let without_key = match self.key() {
            Some(key) => text.replace(key, MARK),
            None => text.to_owned(),
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

/// Takes the key out of a stream and leaves its length, by which a download is checked and resumed.
pub(crate) struct Mask {
    key: Option<SecretString>,
    /// The beginning of a key at the end of what came, held back until it is known how it goes on.
    held: Vec<u8>,
}

impl Mask {
    /// The next piece without the key; its end may come with the next one.
    pub(crate) fn pass(&mut self, piece: Bytes) -> Bytes {
        let Some(key) = self.key.as_ref().map(|key| key.expose_secret().as_bytes()) else { return piece };
        let piece = if self.held.is_empty() { piece } else { [&self.held[..], &piece].concat().into() };
        self.held.clear();
        let masked: Bytes = if memchr::memmem::find(&piece, key).is_some() { masked(&piece, key) } else { piece };
        let begun = (1..key.len().min(masked.len() + 1)).rev().find(|begun| masked.ends_with(&key[..*begun]));
        let passed = masked.len() - begun.unwrap_or(0);
        self.held.extend_from_slice(&masked[passed..]);
        masked.slice(..passed)
    }

    /// Bytes that are held back.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// What was held back, when nothing more comes.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn masked(text: &[u8], key: &[u8]) -> Bytes {
    let mut masked = text.to_vec();
    for at in memchr::memmem::find_iter(text, key) {
        let place = &mut masked[at..at + key.len()];
        place.fill(b'*');
        if let Some(start) = place.get_mut(..MARK.len()) {
            start.copy_from_slice(MARK.as_bytes());
        }
    }
    masked.into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

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
    fn takes_the_key_out_of_an_answer_and_leaves_others_alone() {
        let key = "sk-marked-0123456789".to_owned().into();
        let redactor = Redactor(Some(&key));
        assert_eq!(&redactor.body(r#"{"message":"sk-marked-0123456789"}"#.into())[..], br#"{"message":"[key]"}"#);
        assert_eq!(&redactor.body(b"\xff sk-marked".as_slice().into())[..], b"\xff sk-marked");
    }

    #[test]
    fn a_placeholder_key_garbles_nothing() {
        let key = "-".to_owned().into();
        assert_eq!(Redactor(Some(&key)).words("a-b"), "a-b");
    }

    #[test]
    fn a_stream_loses_the_key_wherever_it_is_cut_and_keeps_its_length() {
        let key = "sk-marked-0123456789".to_owned().into();
        let text = b"sk-sk-marked-0123456789 and sk-marked-0123456789sk-marked-012345678 sk-marked";
        let wanted = b"sk-[key]*************** and [key]***************sk-marked-012345678 sk-marked";
        for size in 1..=text.len() {
            let mut mask = Redactor(Some(&key)).mask();
            let mut out = Vec::new();
            for piece in text.chunks(size) {
                out.extend_from_slice(&mask.pass(Bytes::copy_from_slice(piece)));
            }
            out.extend(mask.end());
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(wanted), "pieces of {size}");
        }
        let piece = Bytes::from_static(b"sk-marked");
        assert_eq!(Redactor(None).mask().pass(piece.clone()), piece);
    }
}
