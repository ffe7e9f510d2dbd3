//! The simulated provider: a Batch API server on loopback with its own clock and faults.
