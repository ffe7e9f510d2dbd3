//! The queue at the provider: what refusals teach about it, batches cut to fit, and batches in it that must not be.

use quorum_core::{
    manifest::{Batch, BatchState, Manifest, PauseKind},
    words::counted,
};
use quorum_provider::{ProviderError, QueueAllowance, queue_limit};

use crate::{
    Allowances, Engine, EngineError, Event, allowance::mean_sizes, engine::Round, parts::PARTS_MAX, step::Sighting,
    submit::new_batch,
};

/// Refusals for want of room, with nothing of ours in the queue, after which a batch is cut in two.
const REFUSALS_TO_CUT: u32 = 3;

impl Engine {
    /// Takes a queue allowance out of a refusal's words.
    pub(crate) fn learn_allowance(&self, batch: &Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let words = batch.trouble.as_ref().map_or("", |trouble| trouble.words.as_str());
        let Some(QueueAllowance::Tokens(tokens)) = queue_limit(words).map(|limit| limit.allowance) else {
            return Ok(());
        };
        let of_one = batch.tokens / u64::from(batch.requests.max(1));
        if tokens < of_one {
            return self.stop_for_want_of_allowance(batch, tokens, of_one, round);
        }
        let is_news = Allowances::learn(&self.store, round.address, &batch.model, tokens)?;
        round.allowances = Allowances::load(&self.store)?;
        if is_news {
            // The refusal is explained: what fits goes at once, and the rest when there is room.
            let stored = self.store.change_batch(batch.id, |batch| batch.retry_at = None)?;
            round.batches.insert(stored.id, stored);
        }
        Ok(())
    }

    /// An allowance that holds not one request: no cutting and no waiting helps.
    fn stop_for_want_of_allowance(
        &self,
        batch: &Batch,
        tokens: u64,
        of_one: u64,
        round: &Round<'_>,
    ) -> Result<(), EngineError> {
        let manifest = self.store.manifest(batch.id.manifest)?;
        if manifest.paused.is_some() || manifest.cancelled {
            return Ok(());
        }
        let words = format!(
            "the account's queue takes {tokens} tokens of {} at a time, and one request has about {of_one}. Votes and what is already \
             sent are safe. Raise the limit at the provider, then resume; or cancel and ask on demand",
            batch.model
        );
        Ok(self.pause(&manifest, PauseKind::Account, &words, round)?)
    }

    /// Cuts unsent batches that can never fit into what is known of the queue now, and those that the provider refuses although
    /// nothing of ours is in it: it counts their tokens otherwise than we do.
    ///
    /// Parts are other batches than the whole, so one that a copy of this store has sent must be adopted and not cut.
    pub(crate) async fn fit_to_allowance(&self, manifest: &Manifest, round: &mut Round<'_>) -> Result<(), EngineError> {
        let Some(listing) = round.listing.as_ref().filter(|_| manifest.paused.is_none() && !manifest.cancelled) else {
            return Ok(());
        };
        let too_large: Vec<Batch> = round
            .of(manifest)
            .filter(|batch| round.allowances.is_to_be_cut(round.address, batch) || is_refused_alone(batch, round))
            .filter(|batch| matches!(batch.state, BatchState::Planned | BatchState::Waiting))
            .filter(|batch| matches!(listing.sight(manifest, batch), Sighting::Absent))
            .cloned()
            .collect();
        for batch in too_large {
            let requests = self.store.requests(batch.id)?;
            let mut limits = self.limits(&round.allowances, round.address, &batch.model);
            if is_refused_alone(&batch, round) {
                limits.requests_max = limits.requests_max.min(batch.requests.div_ceil(2));
            }
            let plans = quorum_core::plan::split(&batch.model, mean_sizes(&batch, &requests), limits);
            let beside = |other: &&Batch| other.model == batch.model && other.state.is_unsent() && other.id != batch.id;
            let parts = plans.len() + round.of(manifest).filter(beside).count();
            if parts > PARTS_MAX && !manifest.takes_crumbs {
                let usable =
                    limits.tokens_max.map_or_else(|| "little".to_owned(), |tokens| counted(tokens, "token", "tokens"));
                let words = format!(
                    "the account's queue is known to take {usable} of {} at a time, so that its requests would go in {parts} batches; \
                     is that the limit? Correct it in the model table, then resume: resuming sends as many as it takes",
                    batch.model
                );
                return Ok(self.pause(manifest, PauseKind::Crumbs, &words, round)?);
            }
            // Its file holds what the parts will send anew. First, so that a crash leaves a batch that uploads again.
            if let Some(file) = &batch.input_file
                && let Err(error) = round.provider.delete_file(file).await
            {
                tracing::warn!(batch = %batch.id, %error, "an input file that is cut anew could not be deleted");
            }
            let parts =
                plans.into_iter().map(|plan| new_batch(plan, manifest.term_hash.as_str(), batch.round)).collect();
            self.store.split_batch(batch.id, parts)?;
            for part in self.store.batches(manifest.id)? {
                round.batches.insert(part.id, part);
            }
            (self.tell)(Event::RunChanged(manifest.id));
        }
        Ok(())
    }

    /// Cancels batches at the provider that ask what this one asks too, or what was given up with it. Only once this one is
    /// taken up from the attempt to keep: before, that one would be among them. False when one may still run that the next tick
    /// can cancel.
    pub(crate) async fn cancel_surplus(&self, manifest: &Manifest, batch: &Batch, round: &Round<'_>) -> bool {
        let Some(listing) = &round.listing else { return true };
        let mut is_done = true;
        for id in listing.twins(manifest, batch) {
            tracing::warn!(batch = %batch.id, surplus = id, "a second batch asks the same; it is cancelled");
            match round.provider.cancel_batch(&id).await {
                // It ended in the meantime.
                Ok(_) | Err(ProviderError::InvalidRequest { status: 409, .. } | ProviderError::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(surplus = id, %error, "cancelling a second batch failed");
                    is_done &= !error.retryable();
                }
            }
        }
        is_done
    }

    /// Stops sending where a copy of this store is at work with the same manifest: what it asks would be asked twice.
    pub(crate) fn note_strangers(&self, manifest: &Manifest, round: &Round<'_>) -> Result<(), EngineError> {
        let Some(listing) = &round.listing else { return Ok(()) };
        let is_waiting = round.of(manifest).any(|batch| batch.state.is_unsent());
        let strangers = listing.strangers(manifest, &round.batches);
        if !is_waiting || strangers.is_empty() || manifest.paused.is_some() || manifest.cancelled {
            return Ok(());
        }
        let words = format!(
            "the account has {} of this run that this data does not know ({}); is a copy of it at work on another computer, or was \
             this one restored from a backup? Resuming sends what waits all the same, and may pay for it twice",
            if strangers.len() == 1 { "a batch".to_owned() } else { format!("{} batches", strangers.len()) },
            strangers.join(", ")
        );
        self.store.change_manifest(manifest.id, |manifest| manifest.strangers.extend(strangers))?;
        Ok(self.pause(manifest, PauseKind::Elsewhere, &words, round)?)
    }
}

fn is_refused_alone(batch: &Batch, round: &Round<'_>) -> bool {
    let is_beside = |other: &Batch| other.model == batch.model && other.state.is_at_provider() && !other.at_once;
    batch.queue_refusals >= REFUSALS_TO_CUT && batch.requests > 1 && !round.batches.values().any(is_beside)
}
