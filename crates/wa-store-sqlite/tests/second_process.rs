#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::io::{BufRead as _, BufReader};

use common::{Place, child, device, locked_account, puts, spawn_child};
use wa_core::Query;
use wa_store::{Store as _, StoreError};

#[test]
fn holds_an_account_until_killed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let Some((store, account)) = child().await else {
            return;
        };
        let _lock = store.lock(&account.parse().unwrap()).await.unwrap();
        println!("locked");
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn an_account_in_use_by_another_process_is_refused_until_that_is_killed() {
    let place = Place::new();
    let store = place.open().await;
    let used = store.create_account("").await.unwrap();
    let free = locked_account(&store).await;
    let mut child = spawn_child(
        "holds_an_account_until_killed",
        &place.path(),
        used.as_str(),
    );
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("locked")));

    let error = store.lock(&used).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Locked { holder, .. } if holder.pid == Some(child.id())),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(
        message.contains(&format!("process {}", child.id())),
        "{message}"
    );
    assert!(message.contains("stop that one first"), "{message}");
    store
        .commit(&free, puts([device(b"meanwhile")]))
        .await
        .unwrap();

    child.kill().unwrap();
    child.wait().unwrap();
    let lock = store.lock(&used).await.unwrap();
    store
        .commit(&lock, puts([device(b"afterwards")]))
        .await
        .unwrap();
    assert_eq!(
        store.load(&used, Query::Device).await,
        Ok(vec![device(b"afterwards")])
    );
}
