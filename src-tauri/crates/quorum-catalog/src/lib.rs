//! The 18 topics and 72 policies as YAML, embedded, and the reader for catalogs in the wild.
