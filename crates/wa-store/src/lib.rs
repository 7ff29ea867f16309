//! The store contract, sealing at rest, sealed export, the memory store and the conformance suite.
