#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::io::{BufRead as _, BufReader};

use common::{Place, child, device, prekey, puts, spawn_child};
use wa_core::{Changes, Desired, Record, RecordKind, Wipe};
use wa_store::Store as _;

const KILLS: u32 = 20;
const PREKEYS: u32 = 60;

/// What the account holds after round `n`, and how it comes to that: every third round wipes, every other deletes.
fn round(n: u32) -> Changes {
    let value = n.to_be_bytes().repeat(30);
    let mut changes = puts((0..PREKEYS).map(|id| prekey(id * 1000 + n % 7, &value)));
    changes.puts.push(device(&value));
    changes.desired = Some(if n.is_multiple_of(2) {
        Desired::Run
    } else {
        Desired::Stop
    });
    changes.wipe = if n.is_multiple_of(3) {
        Wipe::All
    } else {
        Wipe::No
    };
    if !changes.wipe.is_wipe() {
        let before = n.wrapping_sub(1) % 7;
        let key = |id: u32| (id * 1000 + before).to_be_bytes().to_vec();
        changes.deletes = (0..PREKEYS)
            .map(|id| (RecordKind::Prekey, key(id)))
            .collect();
    }
    changes
}

fn number(record: &Record) -> u32 {
    u32::from_be_bytes(record.value.expose()[..4].try_into().unwrap())
}

#[test]
fn commits_until_killed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let Some((store, account)) = child().await else {
            return;
        };
        let lock = store.lock(&account.parse().unwrap()).await.unwrap();
        let (_, records) = store.snapshot(lock.account()).await.unwrap();
        let mut n = records.first().map_or(0, number);
        loop {
            n += 1;
            store.commit(&lock, round(n)).await.unwrap();
            println!("durable {n}");
        }
    });
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_commit_leaves_all_of_it_or_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.create_account("").await.unwrap();
    store.close().await;
    let mut last = 0;
    for kill in 0..KILLS {
        let mut child = spawn_child("commits_until_killed", &place.path(), id.as_str());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut durable = lines.map_while(Result::ok).filter_map(|line| {
            let (_, n) = line.split_once("durable ")?;
            n.trim().parse::<u32>().ok()
        });
        // The first commits tell that it runs; then the kill falls anywhere in the next ones.
        durable.nth((kill % 3) as usize).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(u64::from(kill) * 1700));
        child.kill().unwrap();
        let reported = durable.last().unwrap_or(last);
        child.wait().unwrap();

        let store = place.open().await;
        let lock = store
            .lock(&id)
            .await
            .expect("a killed process holds no lock");
        let (info, records) = store.snapshot(&id).await.unwrap();
        let n = number(&records[0]);
        assert!(
            n >= reported,
            "round {reported} was reported durable, {n} is there"
        );
        let mut expected = round(n).puts;
        expected.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        assert_eq!(records, expected, "all of round {n} and nothing else");
        assert_eq!(Some(info.desired), round(n).desired);
        assert!(n > last, "every child committed something");
        last = n;
        drop(lock);
        store.close().await;
    }
}
