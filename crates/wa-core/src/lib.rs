//! The sans-IO engine: connection life cycle, requests, acks, keep-alive, back-off, prekey upkeep.
