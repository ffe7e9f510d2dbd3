//! Where requests go: the sandbox inside the process, OpenAI, or another server; and which realm its votes belong to.

use quorum_core::manifest::Realm;
use quorum_provider::Host;
use serde::{Deserialize, Serialize};

use crate::dto::{app::ProviderKind, error::ApiError};

pub const SANDBOX: &str = "sandbox";
pub const OPENAI: &str = "https://api.openai.com/v1";

/// A provider's address: `sandbox` or a base address without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    pub fn sandbox() -> Self {
        Self(SANDBOX.to_owned())
    }

    pub fn openai() -> Self {
        Self(OPENAI.to_owned())
    }

    /// Reads what a person typed: `sandbox`, `openai` or a base address, https except on this computer.
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let text = text.trim().trim_end_matches('/');
        match text {
            SANDBOX => Ok(Self::sandbox()),
            "openai" => Ok(Self::openai()),
            _ => {
                // The address alone: a client of it would read every certificate of the system.
                Host::of(text).map_err(|error| {
                    ApiError::invalid(format!("\"{text}\" is not an address that a provider can have."))
                        .action("Give https://host/v1, or http:// only for this computer.")
                        .detail(crate::errors::chain(&error))
                })?;
                Ok(Self(text.to_owned()))
            }
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_sandbox(&self) -> bool {
        self.0 == SANDBOX
    }

    pub fn kind(&self) -> ProviderKind {
        match self.as_str() {
            SANDBOX => ProviderKind::Sandbox,
            OPENAI => ProviderKind::Openai,
            _ => ProviderKind::Custom,
        }
    }

    /// What people call it, within a sentence.
    pub fn name(&self) -> String {
        match self.kind() {
            ProviderKind::Sandbox => "the sandbox".to_owned(),
            ProviderKind::Openai => "OpenAI".to_owned(),
            ProviderKind::Custom => Host::of(&self.0).map_or_else(|_| self.0.clone(), |host| host.shown),
        }
    }

    /// What people call the provider that a run was stored with.
    pub fn name_of(stored: &str) -> String {
        Self(stored.to_owned()).name()
    }

    /// Whatever runs on this computer is a trial: its votes are kept apart from those of a paid provider.
    pub fn realm(&self) -> Realm {
        let is_local = self.is_sandbox() || Host::of(&self.0).is_ok_and(|host| host.is_loopback);
        if is_local { Realm::Sandbox } else { Realm::Live }
    }

    /// The name that its key is kept under; for the sandbox that of OpenAI, whose key a person means there.
    pub fn key_host(&self) -> String {
        Host::of(if self.is_sandbox() { OPENAI } else { &self.0 })
            .map_or_else(|_| "provider".to_owned(), |host| host.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_on_this_computer_is_the_sandbox_realm() {
        for (address, realm) in [
            ("sandbox", Realm::Sandbox),
            ("openai", Realm::Live),
            ("http://127.0.0.1:4010/v1/", Realm::Sandbox),
            ("http://localhost:1/v1", Realm::Sandbox),
            ("http://[::1]:9/v1", Realm::Sandbox),
            ("https://127.evil.example/v1", Realm::Live),
            // As everything that opens an address reads it.
            ("http://127.1/v1", Realm::Sandbox),
            ("http://2130706433:8080/v1", Realm::Sandbox),
            ("http://0x7f.1/v1", Realm::Sandbox),
            ("HTTP://LocalHost:1/v1", Realm::Sandbox),
            ("https://localhost.evil.example/v1", Realm::Live),
        ] {
            assert_eq!(Address::read(address).expect(address).realm(), realm, "{address}");
        }
        assert!(Address::read("http://example.com/v1").is_err());
        assert!(Address::read("nonsense").is_err());
    }

    #[test]
    fn a_provider_is_called_by_its_name_or_its_host() {
        for (address, name) in [
            ("sandbox", "the sandbox"),
            ("openai", "OpenAI"),
            ("https://LLM.Example/v1", "llm.example"),
            ("http://127.0.0.1:4010/v1", "127.0.0.1:4010"),
        ] {
            let address = Address::read(address).expect(address);
            assert_eq!((address.name(), Address::name_of(address.as_str())), (name.to_owned(), name.to_owned()));
        }
    }

    #[test]
    fn a_key_is_kept_under_the_host_that_it_is_sent_to() {
        for (address, host) in [
            ("sandbox", "api.openai.com"),
            ("openai", "api.openai.com"),
            ("https://LLM.Example:8443/v1", "llm.example"),
            ("http://[::1]:9/v1", "::1"),
            ("http://127.1:9/v1", "127.0.0.1"),
        ] {
            assert_eq!(Address::read(address).expect(address).key_host(), host, "{address}");
        }
    }
}
