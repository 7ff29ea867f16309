//! Registration id, identity, signed and one-time prekeys, bundle digest: the Signal material of a companion.
