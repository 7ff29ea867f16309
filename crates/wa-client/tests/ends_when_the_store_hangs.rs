#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! A store that does not answer counts as one that has failed: whatever waits for it comes to an end.

mod common;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{client_on, is_online, pair, sim, until};
use tokio::runtime::Builder;
use tokio::time::Instant;
use wa_client::{Client, ClientError, CommandError, ConnectionState, FailReason};
use wa_core::{Changes, Query, Record};
use wa_sim::Sim;
use wa_store::{AccountId, AccountInfo, AccountLock, MemoryStore, NewAccount, Store, StoreError};

/// The driver's bound on one call of the store.
const STORE_LIMIT: Duration = Duration::from_secs(30);

/// A store on a disk that stops answering.
struct HangingStore {
    inner: MemoryStore,
    hangs: AtomicBool,
}

impl HangingStore {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(),
            hangs: AtomicBool::new(false),
        })
    }

    fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    async fn answers(&self) {
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }
}

impl Store for HangingStore {
    async fn accounts(&self) -> Result<Vec<AccountInfo>, StoreError> {
        self.inner.accounts().await
    }
    async fn account(&self, account: &AccountId) -> Result<AccountInfo, StoreError> {
        self.inner.account(account).await
    }
    async fn insert_account(&self, new: NewAccount) -> Result<(), StoreError> {
        self.inner.insert_account(new).await
    }
    async fn set_label(&self, account: &AccountId, label: &str) -> Result<(), StoreError> {
        self.inner.set_label(account, label).await
    }
    async fn lock(&self, account: &AccountId) -> Result<AccountLock, StoreError> {
        self.inner.lock(account).await
    }
    async fn load(&self, account: &AccountId, query: Query) -> Result<Vec<Record>, StoreError> {
        self.answers().await;
        self.inner.load(account, query).await
    }
    async fn snapshot(
        &self,
        account: &AccountId,
    ) -> Result<(AccountInfo, Vec<Record>), StoreError> {
        self.inner.snapshot(account).await
    }
    async fn commit(&self, lock: &AccountLock, changes: Changes) -> Result<(), StoreError> {
        self.answers().await;
        self.inner.commit(lock, changes).await
    }
    async fn delete_account(&self, lock: AccountLock) -> Result<(), StoreError> {
        self.inner.delete_account(lock).await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Far beyond the bounds together, so that what would take for ever fails.
async fn in_time<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let answer = tokio::time::timeout(10 * STORE_LIMIT, call).await;
    (answer.expect("it ends"), begun.elapsed())
}

fn failed_at_the_store(client: &Client) -> bool {
    matches!(
        client.state(),
        ConnectionState::Failed { error: FailReason::Store(what) } if what.contains("no answer within 30 s")
    )
}

/// Runs a test with a server on a runtime of its own: its clock goes on while the client's leaps.
fn with_a_server(test: impl AsyncFnOnce(&Sim)) {
    let mut server = Builder::new_multi_thread();
    let server = server.worker_threads(1).enable_all().build().unwrap();
    let sim = server.block_on(sim());
    let here = Builder::new_current_thread().enable_all().build().unwrap();
    here.block_on(test(&sim));
}

/// Hangs the store of a client that is online, carries a command out and ends the client.
fn is_bounded(command: impl AsyncFn(&Client)) {
    with_a_server(async |sim| {
        let store = HangingStore::new();
        let (client, mut events) = client_on(sim, &store).await;
        pair(sim, &client, &mut events).await;
        store.hang(true);
        tokio::time::pause();
        let ((), took) = in_time(command(&client)).await;
        assert!(failed_at_the_store(&client), "{:?}", client.state());
        assert!(took >= STORE_LIMIT, "{took:?}");
        in_time(client.shutdown()).await;
    });
}

#[test]
fn a_disconnect_is_bounded() {
    is_bounded(async |client| drop(client.disconnect().await));
}

#[test]
fn a_logout_is_bounded() {
    is_bounded(async |client| drop(client.logout().await));
}

#[test]
fn the_end_is_bounded_with_a_call_of_the_store_under_way() {
    is_bounded(async |client| {
        let disconnecting = client.clone();
        let disconnecting = tokio::spawn(async move { disconnecting.disconnect().await });
        tokio::task::yield_now().await;
        client.shutdown().await;
        drop(disconnecting.await);
    });
}

#[test]
fn a_start_on_a_store_that_hangs_fails_and_the_next_heals() {
    with_a_server(async |sim| {
        let store = HangingStore::new();
        let (client, mut events) = client_on(sim, &store).await;
        pair(sim, &client, &mut events).await;
        store.hang(true);
        tokio::time::pause();
        drop(in_time(client.disconnect()).await);
        let (answer, took) = in_time(client.connect()).await;
        assert!(
            matches!(
                &answer,
                Err(ClientError::Command(CommandError::Failed(
                    FailReason::Store(_)
                )))
            ),
            "{answer:?}"
        );
        assert!(took >= STORE_LIMIT, "{took:?}");
        assert!(failed_at_the_store(&client), "{:?}", client.state());
        tokio::time::resume();

        store.hang(false);
        client.start().await.unwrap();
        until(&mut events, is_online).await;
        client.shutdown().await;
    });
}
