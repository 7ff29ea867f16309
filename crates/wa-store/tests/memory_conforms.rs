#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_store::conformance::{self, Place};
use wa_store::{AnyStore, MemoryStore};

struct InMemory(MemoryStore);

impl Place for InMemory {
    type Store = MemoryStore;

    async fn open(&self) -> MemoryStore {
        self.0.reopen()
    }
}

struct Boxed(MemoryStore);

impl Place for Boxed {
    type Store = AnyStore;

    async fn open(&self) -> AnyStore {
        AnyStore::new(self.0.reopen())
    }
}

#[tokio::test]
async fn the_memory_store_passes_the_suite() {
    conformance::run_all(|| InMemory(MemoryStore::new())).await;
}

#[tokio::test]
async fn a_store_behind_one_type_passes_the_suite() {
    conformance::run_all(|| Boxed(MemoryStore::new())).await;
}
