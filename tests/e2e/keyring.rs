//! The Secret Service as a client of the test's own sees it, and a provider that wants a key.

use std::collections::HashMap;

use quorum_sim::{AccountLimits, SimConfig, Simulator};
use zbus::{OwnedObjectPath, OwnedVariant, Variant, proxy};

use crate::desktop::Desktop;

/// Session, parameters, value, content type: how the service hands out a secret.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

#[proxy(
    interface = "org.freedesktop.Secret.Service",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
trait Secrets {
    fn open_session(&self, algorithm: &str, input: &Variant<'_>) -> zbus::Result<(OwnedVariant, OwnedObjectPath)>;
    fn search_items(
        &self,
        attributes: HashMap<&str, &str>,
    ) -> zbus::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)>;
    fn get_secrets(
        &self,
        items: &[OwnedObjectPath],
        session: &OwnedObjectPath,
    ) -> zbus::Result<HashMap<OwnedObjectPath, Secret>>;
}

/// Every secret that is stored under Quorum's name.
pub async fn secrets(desktop: &Desktop) -> Vec<String> {
    let bus = desktop.bus().await;
    let service = SecretsProxy::new(&bus).await.expect("a Secret Service");
    let (_, session) = service.open_session("plain", &Variant::from("")).await.expect("a session");
    let (items, locked) = service.search_items(HashMap::from([("service", "quorum")])).await.expect("a search");
    assert!(locked.is_empty(), "the keyring is unlocked");
    let secrets = service.get_secrets(&items, &session).await.expect("secrets");
    secrets.into_values().map(|(_, _, value, _)| String::from_utf8(value).expect("a key is text")).collect()
}

pub async fn server_with_key(key: &str) -> Simulator {
    let limits = AccountLimits { keys: vec![key.to_owned()], key_required: true, ..AccountLimits::default() };
    Simulator::start(SimConfig { limits, ..SimConfig::default() }).await.expect("a simulator")
}
