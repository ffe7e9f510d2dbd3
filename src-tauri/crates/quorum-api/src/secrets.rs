//! The API key: in the OS keyring, in memory until Quorum quits, or in the environment for headless use. Nowhere else.
//!
//! One key per provider host. Keyring calls may block (the desktop may ask for a password), so callers run them off the
//! async threads.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

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
    pub fn new(chosen: &str) -> Self {
        Self::with(chosen, std::env::var(ENVIRONMENT).ok())
    }

    fn with(chosen: &str, environment: Option<String>) -> Self {
        let key = environment.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        Self { environment: key.map(|key| (chosen.to_owned(), SecretString::from(key))), memory: Mutex::default() }
    }

    /// The key for a host, wherever it is. The environment's goes before one that is kept: who sets it means it.
    pub fn get(&self, host: &str) -> Result<Option<(SecretString, Kept)>, keyring::Error> {
        if let Some((_, key)) = self.environment.as_ref().filter(|(of, _)| of == host) {
            return Ok(Some((key.clone(), Kept::Environment)));
        }
        if let Some(key) = self.memory().get(host) {
            return Ok(Some((key.clone(), Kept::Memory)));
        }
        match keyring::v1::Entry::new(SERVICE, host).and_then(|entry| entry.get_password()) {
            Ok(key) => Ok(Some((SecretString::from(key), Kept::Keyring))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a key in the keyring.
    pub fn set(&self, host: &str, key: &SecretString) -> Result<(), keyring::Error> {
        keyring::v1::Entry::new(SERVICE, host)?.set_password(key.expose_secret())?;
        self.memory().remove(host);
        Ok(())
    }

    /// Keeps a key until Quorum quits, where there is no keyring.
    pub fn set_for_session(&self, host: &str, key: SecretString) {
        self.memory().insert(host.to_owned(), key);
    }

    /// Forgets a key everywhere but in the environment.
    pub fn clear(&self, host: &str) -> Result<(), keyring::Error> {
        self.memory().remove(host);
        match keyring::v1::Entry::new(SERVICE, host).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SecretString>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::*;

    #[test]
    fn the_environments_key_is_for_one_host() {
        let secrets = Secrets::with("api.openai.com", Some(" sk-of-openai \n".to_owned()));
        let found = |host| secrets.get(host).ok().flatten().map(|(key, kept)| (key.expose_secret().to_owned(), kept));
        assert_eq!(found("api.openai.com"), Some(("sk-of-openai".to_owned(), Kept::Environment)));
        for other in ["llm.example", "api.openai.com.evil.example", "openai.com"] {
            assert_eq!(found(other), None, "{other}");
        }
        secrets.set_for_session("llm.example", SecretString::from("theirs"));
        assert_eq!(found("llm.example"), Some(("theirs".to_owned(), Kept::Memory)));
        assert!(Secrets::with("api.openai.com", Some("  ".to_owned())).environment.is_none());
    }

    #[test]
    fn a_hint_never_gives_a_short_key_away() {
        assert_eq!(hint(&SecretString::from("sk-short")), "…");
        assert_eq!(hint(&SecretString::from("sk-proj-abcdefghijkk3Qw")), "sk-proj-…k3Qw");
        assert_eq!(hint(&SecretString::from("sk-abcdefghijklm9999")), "sk-…9999");
    }
}
