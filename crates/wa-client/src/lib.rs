//! The tokio driver and the client handle.
