//! The state of the whole program, and the choices of provider and key.

use quorum_core::{
    manifest::{ManifestState, Realm},
    models::total_usd,
};
use quorum_provider::{Provider, ProviderConfig, ProviderError, wire::Model};
use secrecy::SecretString;

use crate::{
    Quorum,
    dto::{
        app::{AppState, ConnectionState, KeyPlace, KeyProblem, KeyState, Provider as ProviderState, ProviderKind},
        error::{ApiError, ErrorCode},
        events::Event,
        run::RunSummary,
    },
    provider::Address,
    secrets::{self, Kept},
};

/// The setting that says when a provider last accepted the key that it has now.
fn accepted_at(host: &str) -> String {
    format!("key_accepted_at:{host}")
}

impl Quorum {
    pub fn app_state(&self) -> Result<AppState, ApiError> {
        let address = self.address()?;
        let runs = self.store().manifests()?;
        let datasets = self.store().datasets()?.len();
        let (mut live_runs, mut live_requests, mut live_completed) = (0, 0, 0);
        for manifest in runs.iter().filter(|manifest| manifest.finished_at.is_none()) {
            let batches = self.store().batches(manifest.id)?;
            if manifest.state(&batches) == ManifestState::Live {
                let summary = self.run_summary(manifest, &batches)?;
                live_runs += 1;
                live_requests += summary.requests;
                live_completed += summary.completed;
            }
        }
        let key = self.key_state(&address)?;
        Ok(AppState {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.data_dir().display().to_string(),
            provider: ProviderState {
                kind: address.kind(),
                name: address.name(),
                url: address.as_str().to_owned(),
                sandbox: address.realm() == Realm::Sandbox,
                needs_key: address.realm() == Realm::Live,
            },
            // Who has chosen a provider was here before, and may have a key that was not looked for yet.
            first_run: datasets == 0 && runs.is_empty() && !key.stored && (key.looked || address.is_sandbox()),
            key,
            connection: self.connection(),
            live_runs,
            live_requests,
            live_completed,
            spent_today_usd: self.spent_today_usd()?,
            outstanding_usd: self.outstanding_usd()?,
            budget_day_usd: self.stored_settings()?.settings.budget_day_usd,
            datasets: u32::try_from(datasets).unwrap_or(u32::MAX),
            runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            activity_unseen: self.activity_unseen()?,
        })
    }

    /// Charged since local midnight, without the sandbox's play money.
    pub fn spent_today_usd(&self) -> Result<f64, ApiError> {
        let start = jiff::Zoned::now().start_of_day().map_or(0, |midnight| midnight.timestamp().as_second());
        let live: Vec<_> = self
            .store()
            .manifests()?
            .into_iter()
            .filter(|manifest| manifest.realm == Realm::Live)
            .map(|manifest| manifest.id)
            .collect();
        let usage = self.store().usage()?;
        let today = usage.iter().filter(|entry| i64::from(entry.at) >= start && live.contains(&entry.batch.manifest));
        Ok(total_usd(today.map(|entry| entry.usd)))
    }

    /// What is known of the key, without asking the keyring.
    fn key_state(&self, address: &Address) -> Result<KeyState, ApiError> {
        let host = address.key_host();
        let known = self.inner.secrets.known(&host);
        let accepted_at = self.store().setting::<Option<u32>>(&accepted_at(&host))?.flatten();
        let mut state =
            KeyState { looked: known.is_some(), stored: false, hint: None, kept: None, accepted_at, problem: None };
        match known {
            Some(Ok(Some((key, kept)))) => {
                state.stored = true;
                state.hint = Some(secrets::hint(&key));
                state.kept = Some(match kept {
                    Kept::Keyring => KeyPlace::Keyring,
                    Kept::Memory => KeyPlace::Memory,
                    Kept::Environment => KeyPlace::Environment,
                });
                let is_refused = self.connection().state == ConnectionState::KeyRefused;
                state.problem = is_refused.then_some(KeyProblem::Refused);
            }
            Some(Ok(None)) | None => {}
            Some(Err(error)) => state.problem = Some(secrets::problem(&error)),
        }
        Ok(state)
    }

    /// Asks the keyring for the provider's key, also where it could not say before. May wait for a person.
    pub fn key_look(&self) -> Result<AppState, ApiError> {
        self.inner.secrets.ask_again();
        // What it says is in the state.
        let _said = self.inner.secrets.get(&self.address()?.key_host());
        let state = self.app_state()?;
        self.tell(Event::KeyChanged(state.key.clone()));
        Ok(state)
    }

    /// The first look for the key, where one is needed and not known yet.
    pub fn key_look_first(&self) -> Result<(), ApiError> {
        let address = self.address()?;
        if address.is_sandbox() || self.key_state(&address)?.looked {
            return Ok(());
        }
        self.key_look().map(drop)
    }

    /// Whether the key that a provider has from now on was accepted by it.
    fn note_accepted(&self, address: &Address, is_accepted: bool) -> Result<(), ApiError> {
        let at = is_accepted.then(|| self.now());
        Ok(self.store().set_setting(&accepted_at(&address.key_host()), &at)?)
    }

    /// Checks a key with the provider, then stores it. A key that the provider refuses is not stored; one that cannot be checked
    /// now is stored unchecked. Without a keyring it is kept until Quorum quits.
    pub async fn key_set(&self, key: &str) -> Result<AppState, ApiError> {
        let key = key.trim();
        if key.is_empty() || key.chars().any(char::is_whitespace) {
            return Err(ApiError::invalid("A key is one word without spaces.").safe("The stored key is unchanged."));
        }
        let key = SecretString::from(key.to_owned());
        let mut address = self.address()?;
        if address.is_sandbox() {
            address = Address::openai();
        }
        let accepted = match check(&address, key.clone()).await {
            Ok(models) => {
                self.note_models(address.as_str(), models)?;
                true
            }
            Err(error @ (ProviderError::Unauthorized { .. } | ProviderError::Forbidden { .. })) => {
                return Err(ApiError::from(error).safe("The key was not stored; everything fetched is safe here."));
            }
            // No network, or a server without a list of models: the first run will tell.
            Err(_) => false,
        };
        let quorum = self.clone();
        let stored_for = address.clone();
        tokio::task::spawn_blocking(move || {
            match quorum.inner.secrets.set(&stored_for.key_host(), &key) {
                Ok(()) => {}
                Err(error) if secrets::problem(&error) == KeyProblem::KeyringAbsent => {
                    quorum.inner.secrets.set_for_session(&stored_for.key_host(), key);
                }
                Err(error) => return Err(secrets::error(&error)),
            }
            quorum.inner.connections.forget();
            quorum.note_accepted(&stored_for, accepted)?;
            quorum.resume_with_new_key(&stored_for)?;
            // Who enters a key means to use it, unless a provider was chosen before.
            if quorum.stored_settings()?.provider.is_none() {
                quorum.choose_provider(stored_for)?;
            }
            quorum.poke();
            quorum.app_state()
        })
        .await
        .map_err(|error| ApiError::new(ErrorCode::Internal, "Storing the key was stopped.").detail(error.to_string()))?
    }

    /// Stores a key without asking the provider, for the command line. Fails where there is no keyring: a process that ends at
    /// once cannot keep it. Returns the runs that go on with it.
    pub fn key_store(&self, key: &str) -> Result<Vec<RunSummary>, ApiError> {
        let key = key.trim();
        if key.is_empty() || key.chars().any(char::is_whitespace) {
            return Err(ApiError::invalid("A key is one word without spaces.").safe("The stored key is unchanged."));
        }
        let mut address = self.address()?;
        if address.is_sandbox() {
            address = Address::openai();
        }
        self.inner
            .secrets
            .set(&address.key_host(), &SecretString::from(key.to_owned()))
            .map_err(|error| secrets::error(&error))?;
        self.inner.connections.forget();
        self.note_accepted(&address, false)?;
        let resumed = self.resume_with_new_key(&address)?;
        if self.stored_settings()?.provider.is_none() {
            self.choose_provider(address)?;
        }
        Ok(resumed)
    }

    pub fn key_clear(&self) -> Result<AppState, ApiError> {
        let address = self.address()?;
        self.inner.secrets.clear(&address.key_host()).map_err(|error| secrets::error(&error))?;
        self.inner.connections.forget();
        self.note_accepted(&address, false)?;
        self.app_state()
    }

    /// Chooses where requests go.
    pub fn provider_set(&self, kind: ProviderKind, url: Option<&str>) -> Result<AppState, ApiError> {
        let address = match kind {
            ProviderKind::Sandbox => Address::sandbox(),
            ProviderKind::Openai => Address::openai(),
            ProviderKind::Custom => Address::read(url.unwrap_or_default())?,
        };
        self.choose_provider(address)?;
        self.app_state()
    }

    pub fn sandbox_use(&self) -> Result<AppState, ApiError> {
        self.provider_set(ProviderKind::Sandbox, None)
    }
}

/// Asks the provider for its models, which costs nothing.
async fn check(address: &Address, key: SecretString) -> Result<Vec<Model>, ProviderError> {
    match Provider::new(ProviderConfig::new(address.as_str(), Some(key))) {
        Ok(provider) => provider.list_models().await,
        Err(_) => Err(ProviderError::BadId { id: "key".to_owned() }),
    }
}
