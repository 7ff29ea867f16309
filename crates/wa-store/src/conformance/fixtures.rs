use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use wa_core::{AccountSummary, Changes, Record, RecordKind};

use crate::account::AccountId;
use crate::lock::AccountLock;
use crate::store::Store;

/// A record of a kind that has many.
pub(super) fn prekey(id: u32, value: &[u8]) -> Record {
    Record::new(RecordKind::Prekey, id.to_be_bytes(), value.to_vec())
}

/// A record of a kind that has one.
pub(super) fn device(value: &[u8]) -> Record {
    Record::new(RecordKind::Device, [], value.to_vec())
}

/// What is left of a link whose logout the server has not confirmed.
pub(super) fn tombstone(jid: &str) -> Record {
    let mut pickle = vec![8, 1, 18, 32];
    pickle.extend_from_slice(&[7; 32]);
    pickle.extend_from_slice(&[26, u8::try_from(jid.len()).expect("a JID is short")]);
    pickle.extend_from_slice(jid.as_bytes());
    Record::new(RecordKind::Tombstone, [], pickle)
}

pub(super) fn puts(records: impl IntoIterator<Item = Record>) -> Changes {
    Changes {
        puts: records.into_iter().collect(),
        ..Changes::default()
    }
}

pub(super) fn identity(user: u64) -> AccountSummary {
    AccountSummary {
        jid: format!("{user}:3@s.whatsapp.net")
            .parse()
            .expect("a device JID"),
        lid: Some(format!("{}:3@lid", user + 7).parse().expect("a LID")),
        platform: Some("android".to_owned()),
    }
}

pub(super) async fn account(store: &impl Store) -> AccountId {
    store.create_account("").await.expect("an account is made")
}

pub(super) async fn locked_account(store: &impl Store) -> AccountLock {
    let id = account(store).await;
    store.lock(&id).await.expect("a new account is free")
}

pub(super) async fn commit(store: &impl Store, lock: &AccountLock, changes: Changes) {
    store
        .commit(lock, changes)
        .await
        .expect("the changes are committed");
}

pub(super) async fn records(store: &impl Store, account: &AccountId) -> Vec<Record> {
    store
        .snapshot(account)
        .await
        .expect("the account is read")
        .1
}

/// Runs futures at the same time, on whatever runs this.
pub(super) async fn together<F: Future<Output = ()>>(futures: impl IntoIterator<Item = F>) {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        running.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Polls a future so many times and drops it then; whether it came to its end before that.
pub(super) async fn dropped_after<F: Future>(polls: u32, future: F) -> bool {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
