//! The provider's address: which ones are accepted, and how a call's address is made from it.

use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

use crate::error::ProviderError;

/// Why an address is not accepted. The address itself is not shown: a key pasted into the wrong field may be in it.
#[derive(Debug, Error)]
pub enum AddressProblem {
    #[error("it is not a web address")]
    Unreadable(#[source] <Url as FromStr>::Err),
    #[error("it starts with {scheme}:, which is neither https nor http")]
    Scheme { scheme: String },
    #[error("it is not encrypted: https is required for every host but this machine")]
    NotEncrypted,
    #[error("it holds a user name or password")]
    Credentials,
    #[error("it holds a query (?) or a fragment (#)")]
    Trailing,
    #[error("it names no host")]
    NoHost,
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// In the one spelling that connections use, without the port: `127.1` is `127.0.0.1`.
    pub name: String,
    /// For people: the name with the port, where it is not the scheme's own.
    pub shown: String,
    /// This machine.
    pub is_loopback: bool,
}

impl Host {
    /// The host of a base address that is accepted.
    pub fn of(base_url: &str) -> Result<Self, AddressProblem> {
        let address = Address::parse(base_url)?;
        let name = address.base.host_str().unwrap_or_default();
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { name, shown: address.host(), is_loopback: address.is_loopback })
    }
}

/// A checked base address such as `https://api.openai.com/v1`.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    base: Url,
    pub(crate) is_loopback: bool,
}

impl Address {
    /// https everywhere; http on this machine only (127.0.0.0/8, ::1, localhost), where nobody listens in.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressProblem> {
        let base = Url::parse(text.trim()).map_err(AddressProblem::Unreadable)?;
        if !matches!(base.scheme(), "https" | "http") {
            return Err(AddressProblem::Scheme { scheme: base.scheme().to_owned() });
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(AddressProblem::Credentials);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(AddressProblem::Trailing);
        }
        let is_loopback = is_loopback(base.host_str().ok_or(AddressProblem::NoHost)?);
        if base.scheme() == "http" && !is_loopback {
            return Err(AddressProblem::NotEncrypted);
        }
        Ok(Address { base, is_loopback })
    }

    /// Without TLS; only ever on this computer.
    pub(crate) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// Host and, where it is not the scheme's own, port; for messages.
    pub(crate) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The address of a call. Segments are escaped, so an id from outside cannot lead elsewhere.
    pub(crate) fn join(&self, segments: &[&str]) -> Result<Url, ProviderError> {
        // `push` silently drops these, and a deletion of one file would become one of the list.
        if let Some(bad) = segments.iter().find(|s| matches!(**s, "" | "." | "..")) {
            return Err(ProviderError::BadId { id: (*bad).to_owned() });
        }
        let mut url = self.base.clone();
        url.path_segments_mut().expect("http and https addresses always have a path").pop_if_empty().extend(segments);
        Ok(url)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn accepts_https_and_this_machine() {
        for (text, joined) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/files/f%2F1"),
            ("https://api.openai.com/v1/ ", "https://api.openai.com/v1/files/f%2F1"),
            ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/files/f%2F1"),
            ("http://127.9.9.9:1", "http://127.9.9.9:1/files/f%2F1"),
            ("http://[::1]:8080/v1", "http://[::1]:8080/v1/files/f%2F1"),
            ("http://LOCALHOST:8080/v1", "http://localhost:8080/v1/files/f%2F1"),
        ] {
            let address = Address::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(address.join(&["files", "f/1"]).expect("an id").as_str(), joined);
        }
    }

    #[test]
    fn refuses_what_would_leak_or_mislead() {
        for (text, message) in [
            ("http://api.openai.com/v1", "it is not encrypted: https is required for every host but this machine"),
            (
                "http://127.0.0.1.evil.example/v1",
                "it is not encrypted: https is required for every host but this machine",
            ),
            ("http://localhost.evil.example", "it is not encrypted: https is required for every host but this machine"),
            ("http://10.0.0.1/v1", "it is not encrypted: https is required for every host but this machine"),
            ("ftp://localhost/v1", "it starts with ftp:, which is neither https nor http"),
            ("https://me:secret@host/v1", "it holds a user name or password"),
            ("https://host/v1?key=1", "it holds a query (?) or a fragment (#)"),
            ("https://host/v1#x", "it holds a query (?) or a fragment (#)"),
            ("sk-0123456789", "it is not a web address"),
            ("", "it is not a web address"),
        ] {
            let problem = Address::parse(text).map(|_| ()).expect_err(text);
            assert_eq!(problem.to_string(), message, "{text}");
        }
    }

    #[test]
    fn an_id_cannot_change_the_call() {
        let address = Address::parse("https://host/v1").expect("an address");
        for id in ["", ".", ".."] {
            assert!(address.join(&["files", id]).is_err(), "{id:?}");
        }
        let url = address.join(&["files", "../batches?x#y"]).expect("an id");
        assert_eq!(url.as_str(), "https://host/v1/files/..%2Fbatches%3Fx%23y");
    }
}
