//! The reconcile loop: compares the store with the provider and takes the one next action per batch.
