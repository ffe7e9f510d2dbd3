//! The API key: in the OS keyring, in memory until Quorum quits, or in the environment for headless use. Nowhere else.
//!
//! One key per provider host. Keyring calls may block (the desktop may ask for a password), so callers run them off the
//! async threads. A keyring is asked for a host once: what it said, a refusal included, is kept until a key is stored or removed
//! or the person asks again ([`Secrets::ask_again`]). Nobody is asked for a password once a second.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};

use crate::dto::{
    app::KeyProblem,
    error::{ApiError, ErrorCode},
};

/// Name under which the keyring lists Quorum's keys.
const SERVICE: &str = "quorum";

/// Headless use: a key for one provider.
const ENVIRONMENT: &str = "QUORUM_API_KEY";

pub struct Secrets {
    /// The environment's key, and the one host that it is for: a key must not reach another provider than it was made at.
    environment: Option<(String, SecretString)>,
    /// Keys that no keyring could take, by host; gone when Quorum quits.
    memory: Mutex<BTreeMap<String, SecretString>>,
    keyring: Box<dyn Keyring>,
    /// What the keyring said, by host.
    said: Mutex<BTreeMap<String, Said>>,
    /// Held while the keyring is asked or told: one password prompt at a time, and nothing said before a change outlives it.
    at_keyring: Mutex<()>,
}

/// A key, none, or why it could not be said.
type Said = Result<Option<SecretString>, Arc<keyring::Error>>;

/// A key and where it was found, if there is one.
pub type Found = Result<Option<(SecretString, Kept)>, Arc<keyring::Error>>;

/// Where keys are kept by host.
trait Keyring: Send + Sync {
    fn get(&self, host: &str) -> Result<String, keyring::Error>;
    fn set(&self, host: &str, key: &str) -> Result<(), keyring::Error>;
    fn remove(&self, host: &str) -> Result<(), keyring::Error>;
}

/// The system's.
struct System;

impl Keyring for System {
    fn get(&self, host: &str) -> Result<String, keyring::Error> {
        keyring::v1::Entry::new(SERVICE, host)?.get_password()
    }

    fn set(&self, host: &str, key: &str) -> Result<(), keyring::Error> {
        keyring::v1::Entry::new(SERVICE, host)?.set_password(key)
    }

    fn remove(&self, host: &str) -> Result<(), keyring::Error> {
        keyring::v1::Entry::new(SERVICE, host)?.delete_credential()
    }
}

/// Where a key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Keyring,
    Memory,
    Environment,
}

impl Secrets {
    /// With the environment's key, if there is one, for the host that is chosen when the program starts.
    pub fn new(chosen: &str, has_keyring: bool) -> Self {
        let keyring: Box<dyn Keyring> = if has_keyring { Box::new(System) } else { Box::new(Absent) };
        Self::with(chosen, std::env::var(ENVIRONMENT).ok(), keyring)
    }

    fn with(chosen: &str, environment: Option<String>, keyring: Box<dyn Keyring>) -> Self {
        let key = environment.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        Self {
            environment: key.map(|key| (chosen.to_owned(), SecretString::from(key))),
            memory: Mutex::default(),
            keyring,
            said: Mutex::default(),
            at_keyring: Mutex::default(),
        }
    }

    /// The key for a host, wherever it is. The environment's goes before one that is kept: who sets it means it. Asks the keyring
    /// where nothing is known yet, and may wait for a person there.
    pub fn get(&self, host: &str) -> Found {
        if let Some(known) = self.known(host) {
            return known;
        }
        let _alone = lock(&self.at_keyring);
        // Whoever was there before may have asked the same.
        if let Some(known) = self.known(host) {
            return known;
        }
        let said: Said = match self.keyring.get(host) {
            Ok(key) => Ok(Some(SecretString::from(key))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(Arc::new(error)),
        };
        lock(&self.said).insert(host.to_owned(), said.clone());
        found(said)
    }

    /// As [`Secrets::get`], without asking the keyring: `None` where that would be needed.
    pub fn known(&self, host: &str) -> Option<Found> {
        if let Some((_, key)) = self.environment.as_ref().filter(|(of, _)| of == host) {
            return Some(Ok(Some((key.clone(), Kept::Environment))));
        }
        if let Some(key) = lock(&self.memory).get(host) {
            return Some(Ok(Some((key.clone(), Kept::Memory))));
        }
        lock(&self.said).get(host).cloned().map(found)
    }

    /// Lets the keyring be asked again where it could not say: the person has unlocked it, or wants to.
    pub fn ask_again(&self) {
        lock(&self.said).retain(|_, said| said.is_ok());
    }

    /// Stores a key in the keyring.
    pub fn set(&self, host: &str, key: &SecretString) -> Result<(), keyring::Error> {
        let _alone = lock(&self.at_keyring);
        self.keyring.set(host, key.expose_secret())?;
        lock(&self.memory).remove(host);
        lock(&self.said).insert(host.to_owned(), Ok(Some(key.clone())));
        Ok(())
    }

    /// Keeps a key until Quorum quits, where there is no keyring.
    pub fn set_for_session(&self, host: &str, key: SecretString) {
        lock(&self.memory).insert(host.to_owned(), key);
    }

    /// Forgets a key everywhere but in the environment.
    pub fn clear(&self, host: &str) -> Result<(), keyring::Error> {
        let _alone = lock(&self.at_keyring);
        let was_in_memory = lock(&self.memory).remove(host).is_some();
        match self.keyring.remove(host) {
            Ok(()) | Err(keyring::Error::NoEntry) => {}
            // There was none to put it into, either.
            Err(keyring::Error::NoDefaultStore) if was_in_memory => {}
            Err(error) => return Err(error),
        }
        lock(&self.said).insert(host.to_owned(), Ok(None));
        Ok(())
    }
}

fn found(said: Said) -> Found {
    said.map(|key| key.map(|key| (key, Kept::Keyring)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// None, as on a system without one.
struct Absent;

impl Keyring for Absent {
    fn get(&self, _: &str) -> Result<String, keyring::Error> {
        Err(keyring::Error::NoDefaultStore)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), keyring::Error> {
        Err(keyring::Error::NoDefaultStore)
    }

    fn remove(&self, _: &str) -> Result<(), keyring::Error> {
        Err(keyring::Error::NoDefaultStore)
    }
}

/// Prefix and last four characters, enough to tell keys apart and too little to use.
pub fn hint(key: &SecretString) -> String {
    let key = key.expose_secret();
    let characters: Vec<char> = key.chars().collect();
    if characters.len() < 16 {
        return "…".to_owned();
    }
    let prefix: String =
        if key.starts_with("sk-proj-") { "sk-proj-".to_owned() } else { characters[..3].iter().collect() };
    let last: String = characters[characters.len() - 4..].iter().collect();
    format!("{prefix}…{last}")
}

/// What is wrong with the keyring, by what a person can do.
pub fn problem(error: &keyring::Error) -> KeyProblem {
    match error {
        keyring::Error::NoDefaultStore => KeyProblem::KeyringAbsent,
        keyring::Error::NoStorageAccess(cause) => {
            // The store names its reasons only in words: `Prompt` is locked, `NoResult` is a collection never made.
            let words = format!("{cause:?}");
            if words.contains("NoResult") { KeyProblem::KeyringNotSetUp } else { KeyProblem::KeyringLocked }
        }
        _ => KeyProblem::KeyringFailed,
    }
}

/// The same as an error for a person.
pub fn error(error: &keyring::Error) -> ApiError {
    let detail = error.to_string();
    match problem(error) {
        KeyProblem::KeyringAbsent => ApiError::new(ErrorCode::KeyringAbsent, "Your system has no keyring.").action(
            "Quorum can keep the key until you quit, or read it from QUORUM_API_KEY; it is never written to a file.",
        ),
        KeyProblem::KeyringLocked => {
            ApiError::new(ErrorCode::KeyringLocked, "The keyring is locked.").action("Unlock it and try again.")
        }
        KeyProblem::KeyringNotSetUp => ApiError::new(ErrorCode::KeyringFailed, "The keyring is not set up yet.")
            .action("Create a default keyring (for example in Passwords and Keys) and try again."),
        KeyProblem::KeyringFailed | KeyProblem::Refused => {
            ApiError::new(ErrorCode::KeyringFailed, "The keyring could not be used.")
        }
    }
    .detail(detail)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    /// A keyring that counts how often it is asked, and is locked at will.
    #[derive(Default)]
    struct Counting {
        keys: Mutex<BTreeMap<String, String>>,
        asked: AtomicU32,
        is_locked: AtomicBool,
    }

    impl Counting {
        fn open(&self) -> Result<MutexGuard<'_, BTreeMap<String, String>>, keyring::Error> {
            if self.is_locked.load(Ordering::Relaxed) {
                return Err(keyring::Error::NoStorageAccess("Prompt dismissed".into()));
            }
            Ok(lock(&self.keys))
        }

        fn asked(&self) -> u32 {
            self.asked.swap(0, Ordering::Relaxed)
        }
    }

    impl Keyring for Arc<Counting> {
        fn get(&self, host: &str) -> Result<String, keyring::Error> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.open()?.get(host).cloned().ok_or(keyring::Error::NoEntry)
        }

        fn set(&self, host: &str, key: &str) -> Result<(), keyring::Error> {
            self.open()?.insert(host.to_owned(), key.to_owned());
            Ok(())
        }

        fn remove(&self, host: &str) -> Result<(), keyring::Error> {
            self.open()?.remove(host).map(drop).ok_or(keyring::Error::NoEntry)
        }
    }

    fn shown(found: Found) -> Option<(String, Kept)> {
        found.ok().flatten().map(|(key, kept)| (key.expose_secret().to_owned(), kept))
    }

    #[test]
    fn the_environments_key_is_for_one_host() {
        let keyring = Arc::new(Counting::default());
        let with = |key: &str| Secrets::with("api.openai.com", Some(key.to_owned()), Box::new(Arc::clone(&keyring)));
        let secrets = with(" sk-of-openai \n");
        let found = |host| shown(secrets.get(host));
        assert_eq!(found("api.openai.com"), Some(("sk-of-openai".to_owned(), Kept::Environment)));
        for other in ["llm.example", "api.openai.com.evil.example", "openai.com"] {
            assert_eq!(found(other), None, "{other}");
        }
        secrets.set_for_session("llm.example", SecretString::from("theirs"));
        assert_eq!(found("llm.example"), Some(("theirs".to_owned(), Kept::Memory)));
        assert!(with("  ").environment.is_none());
    }

    #[test]
    fn the_keyring_is_asked_once_for_each_host() {
        let keyring = Arc::new(Counting::default());
        lock(&keyring.keys).insert("llm.example".to_owned(), "theirs".to_owned());
        let secrets = Secrets::with("api.openai.com", None, Box::new(Arc::clone(&keyring)));
        assert!(secrets.known("llm.example").is_none() && keyring.asked() == 0, "to know is not to ask");
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    assert_eq!(shown(secrets.get("llm.example")), Some(("theirs".to_owned(), Kept::Keyring)));
                    assert_eq!(shown(secrets.get("other.example")), None);
                });
            }
        });
        assert_eq!(keyring.asked(), 2, "once for a key, once for none");
    }

    #[test]
    fn a_locked_keyring_is_not_asked_again_before_the_person_wants_it() {
        let keyring = Arc::new(Counting::default());
        lock(&keyring.keys).insert("llm.example".to_owned(), "theirs".to_owned());
        keyring.is_locked.store(true, Ordering::Relaxed);
        let secrets = Secrets::with("api.openai.com", None, Box::new(Arc::clone(&keyring)));
        for _ in 0..3 {
            let error = secrets.get("llm.example").expect_err("it is locked");
            assert_eq!(problem(&error), KeyProblem::KeyringLocked);
        }
        assert_eq!(keyring.asked(), 1);
        keyring.is_locked.store(false, Ordering::Relaxed);
        secrets.ask_again();
        assert_eq!(shown(secrets.get("llm.example")), Some(("theirs".to_owned(), Kept::Keyring)));
        secrets.ask_again();
        assert!(secrets.known("llm.example").is_some(), "what it did say is kept");
    }

    #[test]
    fn what_was_said_ends_with_a_key_that_is_stored_or_removed() {
        let keyring = Arc::new(Counting::default());
        let secrets = Secrets::with("api.openai.com", None, Box::new(Arc::clone(&keyring)));
        let host = "llm.example";
        assert_eq!(shown(secrets.get(host)), None);
        secrets.set(host, &SecretString::from("new")).expect("a keyring");
        assert_eq!(shown(secrets.get(host)), Some(("new".to_owned(), Kept::Keyring)));
        secrets.clear(host).expect("a keyring");
        assert_eq!(shown(secrets.get(host)), None);
        assert_eq!(keyring.asked(), 1, "of a change of its own it need not ask");
        keyring.is_locked.store(true, Ordering::Relaxed);
        secrets.set(host, &SecretString::from("newer")).expect_err("it is locked");
        assert_eq!(shown(secrets.get(host)), None, "what failed changed nothing");
    }

    #[test]
    fn a_hint_never_gives_a_short_key_away() {
        assert_eq!(hint(&SecretString::from("sk-short")), "…");
        assert_eq!(hint(&SecretString::from("sk-proj-abcdefghijkk3Qw")), "sk-proj-…k3Qw");
        assert_eq!(hint(&SecretString::from("sk-abcdefghijklm9999")), "sk-…9999");
    }
}
