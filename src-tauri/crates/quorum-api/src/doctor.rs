//! The doctor: whether everything that Quorum leans on is there. Looks only; changes nothing but a probe file that it removes.

use std::fs;

use quorum_core::words::counted;

use crate::{
    Quorum,
    errors::chain,
    provider::Address,
    secrets::{self, Kept},
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
}

impl Quorum {
    /// Checks store, disk, keyring, notifications and network.
    pub async fn doctor(&self) -> Vec<Check> {
        let quorum = self.clone();
        let local = tokio::task::spawn_blocking(move || {
            vec![quorum.check_store(), quorum.check_disk(), quorum.check_keyring(), check_notifications()]
        })
        .await;
        let mut checks =
            local.unwrap_or_else(|error| vec![Check { name: "doctor", ok: false, detail: error.to_string() }]);
        checks.push(self.check_network().await);
        checks
    }

    fn check_store(&self) -> Check {
        let read = || {
            let mut votes = 0;
            for space in self.store().spaces()? {
                votes += self.store().votes_stored(space.number)?;
            }
            let batches = self.store().all_batches()?.len();
            let failures: usize = self
                .store()
                .manifests()?
                .iter()
                .map(|manifest| Ok(self.store().failures(manifest.id)?.len()))
                .sum::<Result<usize, quorum_store::StoreError>>()?;
            Ok::<_, quorum_store::StoreError>(format!(
                "{}, {} and {} read",
                counted(votes, "vote", "votes"),
                counted(batches as u64, "batch", "batches"),
                counted(failures as u64, "failed request", "failed requests")
            ))
        };
        match read() {
            Ok(detail) => Check { name: "store", ok: true, detail },
            Err(error) => Check { name: "store", ok: false, detail: chain(&error) },
        }
    }

    fn check_disk(&self) -> Check {
        let probe = self.data_dir().join(".probe");
        let written = fs::write(&probe, vec![0_u8; 1 << 20]).and_then(|()| fs::remove_file(&probe));
        match written {
            Ok(()) => {
                let size = self.storage().map_or_else(
                    |error| error.to_string(),
                    |storage| format!("{:.1} MB in it", (storage.store_bytes + storage.other_bytes) / 1e6),
                );
                Check {
                    name: "disk",
                    ok: true,
                    detail: format!("{} can be written, {size}", self.data_dir().display()),
                }
            }
            Err(error) => Check { name: "disk", ok: false, detail: format!("{}: {error}", self.data_dir().display()) },
        }
    }

    fn check_keyring(&self) -> Check {
        let address = self.address().unwrap_or_else(|_| Address::sandbox());
        match self.inner.secrets.get(&address.key_host()) {
            Ok(Some((_, kept))) => Check {
                name: "keyring",
                ok: true,
                detail: format!("a key for {} is kept {}", address.key_host(), place(kept)),
            },
            Ok(None) => Check {
                name: "keyring",
                ok: true,
                detail: format!("works; no key for {} is stored", address.key_host()),
            },
            Err(error) => Check { name: "keyring", ok: false, detail: secrets::error(&error).to_string() },
        }
    }

    async fn check_network(&self) -> Check {
        let address = match self.address() {
            Ok(address) => address,
            Err(error) => return Check { name: "network", ok: false, detail: error.to_string() },
        };
        let asked = match self.inner.connections.connect(address.as_str().to_owned()).await {
            Ok(provider) => provider.list_models().await.map_err(|error| chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        match asked {
            Ok(models) => Check {
                name: "network",
                ok: true,
                detail: format!(
                    "{} answers and lists {}",
                    address.as_str(),
                    counted(models.len() as u64, "model", "models")
                ),
            },
            Err(detail) => Check { name: "network", ok: false, detail },
        }
    }
}

/// The desktop's notification service, where there is one to ask.
fn check_notifications() -> Check {
    #[cfg(target_os = "linux")]
    {
        match notify_rust::get_server_information() {
            Ok(server) => {
                Check { name: "notifications", ok: true, detail: format!("{} {}", server.name, server.version) }
            }
            Err(error) => Check {
                name: "notifications",
                ok: false,
                detail: format!("no notification service answers; the activity list has everything ({error})"),
            },
        }
    }
    #[cfg(not(target_os = "linux"))]
    Check { name: "notifications", ok: true, detail: "the system shows them".to_owned() }
}

fn place(kept: Kept) -> &'static str {
    match kept {
        Kept::Keyring => "in the keyring",
        Kept::Memory => "in memory, until Quorum ends",
        Kept::Environment => "in the environment",
    }
}
