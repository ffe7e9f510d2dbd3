//! Client for the Batch API: files, batches, chat completions over HTTP.
