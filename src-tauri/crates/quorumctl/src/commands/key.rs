//! `key set|clear|status`. The key is read from stdin and never printed.

use std::io::Read;

use quorum_api::{Quorum, dto::error::ErrorCode};
use serde_json::json;

use super::Failure;
use crate::{
    args::Key,
    outcome::{Exit, Output},
};

pub async fn run(quorum: Quorum, output: Output, command: &Key) -> Result<Exit, Failure> {
    let stored = match command {
        Key::Set => {
            let mut key = String::new();
            std::io::stdin()
                .read_to_string(&mut key)
                .map_err(|error| Failure::invalid("stdin cannot be read.").detail(error.to_string()))?;
            for run in blocking(quorum.clone(), move |quorum| quorum.key_store(&key)).await? {
                output.progress(&format!("run {} goes on at the next `quorumctl poll`", run.run));
            }
            true
        }
        Key::Clear => {
            blocking(quorum.clone(), |quorum| quorum.key_clear().map(|_| ())).await?;
            false
        }
        Key::Status => {
            let state = blocking(quorum.clone(), |quorum| quorum.key_look()).await?;
            if let Some(problem) = state.key.problem {
                say!("quorumctl: the keyring has a problem: {problem:?}");
            }
            state.key.stored
        }
    };
    output.result(&json!({"stored": stored}), || {
        if stored { "a key is stored".to_owned() } else { "no key is stored".to_owned() }
    });
    Ok(Exit::Done)
}

/// Keyring calls block, and must not run on an async thread.
pub async fn blocking<T: Send + 'static>(
    quorum: Quorum,
    call: impl FnOnce(&Quorum) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(move || call(&quorum))
        .await
        .map_err(|error| Failure::new(ErrorCode::Internal, "The call was stopped.").detail(error.to_string()))?
}
