#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! What must be durable is durable before anything that depends on it is sent; if it cannot be, nothing is sent.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{builder_for, companions, is_online, is_qr, qr_text, sim, until};
use wa_client::{Client, ConnectionState, Event, Events, FailReason};
use wa_core::{Changes, LinkState, Query, Record};
use wa_sim::Sim;
use wa_store::{AccountId, AccountInfo, AccountLock, MemoryStore, NewAccount, Store, StoreError};

/// A store whose disk is full from a certain commit on.
struct FailingStore {
    inner: MemoryStore,
    commits_left: AtomicUsize,
}

impl FailingStore {
    fn after(commits: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(),
            commits_left: AtomicUsize::new(commits),
        })
    }

    fn free_space(&self) {
        self.commits_left.store(usize::MAX, Ordering::SeqCst);
    }
}

impl Store for FailingStore {
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
        self.inner.load(account, query).await
    }
    async fn snapshot(
        &self,
        account: &AccountId,
    ) -> Result<(AccountInfo, Vec<Record>), StoreError> {
        self.inner.snapshot(account).await
    }
    async fn commit(&self, lock: &AccountLock, changes: Changes) -> Result<(), StoreError> {
        let left = self.commits_left.load(Ordering::SeqCst);
        if left == 0 {
            // As slow as a real disk: whatever is sent meanwhile would arrive.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return Err(StoreError::Full {
                detail: "no space left on device".to_owned(),
            });
        }
        self.commits_left
            .store(left.saturating_sub(1), Ordering::SeqCst);
        self.inner.commit(lock, changes).await
    }
    async fn delete_account(&self, lock: AccountLock) -> Result<(), StoreError> {
        self.inner.delete_account(lock).await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

async fn client_on(sim: &Sim, store: &Arc<FailingStore>) -> (Client, Events) {
    builder_for(sim)
        .shared_store(Arc::clone(store))
        .build()
        .await
        .unwrap()
}

/// Runs a pairing until it is online or has failed; the number of commits it took or the failure.
async fn run(sim: &Sim, client: &Client, events: &mut Events) -> Result<(), FailReason> {
    client.start().await.unwrap();
    let settled = |event: &Event| {
        is_qr(event)
            || is_online(event)
            || matches!(event, Event::State(ConnectionState::Failed { .. }))
    };
    loop {
        let seen = until(events, settled).await;
        match seen.last().unwrap() {
            Event::State(ConnectionState::Failed { error }) => return Err(error.clone()),
            event if is_qr(event) => drop(sim.begin_scan(None, &qr_text(event))),
            _ => return Ok(()),
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_after_a_commit_that_failed_and_the_next_start_heals() {
    let mut linked_without_keys = 0;
    for commits in 0.. {
        let (sim, store) = (sim().await, FailingStore::after(commits));
        let (client, mut events) = client_on(&sim, &store).await;
        let Err(failure) = run(&sim, &client, &mut events).await else {
            assert!(
                commits >= 3,
                "keys, link and prekeys are commits of their own"
            );
            client.shutdown().await;
            break;
        };
        assert!(
            matches!(&failure, FailReason::Store(what) if what.contains("no space left")),
            "{failure}"
        );
        if commits == 0 {
            assert_eq!(
                sim.read(|world| world.connections()),
                0,
                "without keys on disk nothing is dialled"
            );
        }
        // The server has had every chance to act on whatever reached it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let link = store.accounts().await.unwrap()[0].link;
        if companions(&sim) > 0 && link != LinkState::Linked {
            linked_without_keys += 1;
        }

        store.free_space();
        assert_eq!(
            run(&sim, &client, &mut events).await,
            Ok(()),
            "after {commits} commits"
        );
        client.shutdown().await;
        assert_eq!(companions(&sim), 1);
    }
    assert_eq!(
        linked_without_keys, 0,
        "the phone never believes in a device whose keys are lost"
    );
}
