use wa_core::{Changes, Desired, LinkState, Query, Record, RecordKind, Wipe};

use super::Place;
use super::fixtures::{
    commit, device, dropped_after, identity, locked_account, prekey, puts, records,
};
use crate::error::StoreError;
use crate::limits::{MAX_RECORD_KEY_LEN, MAX_RECORD_VALUE_LEN};
use crate::store::Store;

/// What is committed comes back ordered by kind, then key; a later commit replaces.
pub async fn a_commit_is_read_back_in_order(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    commit(
        &store,
        &lock,
        puts([
            prekey(300, b"c"),
            prekey(2, b"b"),
            device(b"keys"),
            prekey(1, b"a"),
        ]),
    )
    .await;
    commit(&store, &lock, puts([prekey(2, b"newer and longer")])).await;
    commit(&store, &lock, Changes::default()).await;
    let expected = [
        device(b"keys"),
        prekey(1, b"a"),
        prekey(2, b"newer and longer"),
        prekey(300, b"c"),
    ];
    assert_eq!(records(&store, lock.account()).await, expected);
}

/// A query is answered with the kinds it names.
pub async fn a_query_gets_its_own_kinds_only(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let all = RecordKind::ALL
        .iter()
        .map(|kind| Record::new(*kind, *b"key", kind.code().to_be_bytes().to_vec()));
    commit(&store, &lock, puts(all)).await;
    for query in [Query::Device, Query::Prekeys] {
        let loaded = store
            .load(lock.account(), query)
            .await
            .expect("the query is answered");
        let mut kinds = query.kinds().to_vec();
        kinds.sort();
        assert!(
            loaded.iter().map(|record| record.kind).eq(kinds),
            "{query:?}"
        );
    }
}

/// Within one commit: wipe, deletes, puts, and the last put of a key wins.
pub async fn changes_apply_in_their_written_order(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    commit(
        &store,
        &lock,
        puts([device(b"old"), prekey(1, b"old"), prekey(2, b"old")]),
    )
    .await;
    let mut changes = puts([prekey(1, b"first"), prekey(1, b"last")]);
    changes.deletes = vec![
        (RecordKind::Prekey, 1_u32.to_be_bytes().to_vec()),
        (RecordKind::Prekey, 2_u32.to_be_bytes().to_vec()),
        (RecordKind::Prekey, b"never there".to_vec()),
    ];
    commit(&store, &lock, changes).await;
    assert_eq!(
        records(&store, lock.account()).await,
        [device(b"old"), prekey(1, b"last")]
    );

    let mut changes = puts([device(b"new")]);
    changes.wipe = Wipe::All;
    changes.identity = Some(identity(4_915_550_002));
    commit(&store, &lock, changes).await;
    assert_eq!(records(&store, lock.account()).await, [device(b"new")]);
    let info = store
        .account(lock.account())
        .await
        .expect("the account is there");
    assert_eq!(
        info.jid.as_deref(),
        Some("4915550002:3@s.whatsapp.net"),
        "a wipe comes before the identity"
    );
}

/// `link`, `desired` and `identity` stay unless a commit names them; `since` moves when `link` does.
pub async fn facts_change_only_when_named(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let created = store
        .account(lock.account())
        .await
        .expect("the account is there");
    let linked = Changes {
        link: Some(LinkState::Linked),
        identity: Some(identity(4_915_550_003)),
        ..Changes::default()
    };
    commit(&store, &lock, linked.clone()).await;
    let first = store
        .account(lock.account())
        .await
        .expect("the account is there");
    assert_eq!(first.link, LinkState::Linked);
    assert_eq!(first.lid.as_deref(), Some("4915550010:3@lid"));
    assert_eq!(first.platform.as_deref(), Some("android"));
    assert!(first.since_unix_ms >= created.since_unix_ms);

    std::thread::sleep(std::time::Duration::from_millis(5));
    let stop = Changes {
        desired: Some(Desired::Stop),
        ..linked
    };
    commit(&store, &lock, stop).await;
    let second = store
        .account(lock.account())
        .await
        .expect("the account is there");
    assert_eq!(
        (second.link, second.desired),
        (LinkState::Linked, Desired::Stop)
    );
    assert_eq!(
        second.since_unix_ms, first.since_unix_ms,
        "linked before, linked now"
    );
    assert!(second.updated_unix_ms > first.updated_unix_ms);

    let revoked = Changes {
        link: Some(LinkState::Revoked),
        ..Changes::default()
    };
    commit(&store, &lock, revoked).await;
    let third = store
        .account(lock.account())
        .await
        .expect("the account is there");
    assert_eq!(
        (third.link, third.desired),
        (LinkState::Revoked, Desired::Stop)
    );
    assert_eq!(third.jid, first.jid);
    assert!(third.since_unix_ms > first.since_unix_ms);
    assert_eq!(third.created_unix_ms, created.created_unix_ms);
}

/// After a wipe the account, its label and its wish are there; records and identity are not.
pub async fn a_wipe_keeps_the_account_and_nothing_else(place: &impl Place) {
    let store = place.open().await;
    let id = store
        .create_account("mine")
        .await
        .expect("an account is made");
    let lock = store.lock(&id).await.expect("a new account is free");
    let mut linked = puts([device(b"keys"), prekey(1, b"one")]);
    linked.link = Some(LinkState::Linked);
    linked.identity = Some(identity(4_915_550_004));
    commit(&store, &lock, linked).await;
    let wipe = Changes {
        wipe: Wipe::All,
        link: Some(LinkState::Revoked),
        ..Changes::default()
    };
    commit(&store, &lock, wipe).await;
    let (info, records) = store.snapshot(&id).await.expect("the account is there");
    assert_eq!(records, []);
    assert_eq!(
        (info.label.as_str(), info.link, info.desired),
        ("mine", LinkState::Revoked, Desired::Run)
    );
    assert_eq!((info.jid, info.lid, info.platform), (None, None, None));
    commit(&store, &lock, puts([device(b"fresh keys")])).await;
    assert_eq!(
        super::fixtures::records(&store, &id).await,
        [device(b"fresh keys")]
    );
}

/// A wipe of all but some kinds keeps the records of those, key and value, in the same transaction as what follows it,
/// and they can still be read when the store is opened again. It forgets the identity like any other wipe.
pub async fn a_selective_wipe_keeps_the_named_kinds_only(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    let of = |kind: RecordKind, key: &[u8]| Record::new(kind, key, vec![1; 40]);
    let every_kind = RecordKind::ALL
        .iter()
        .flat_map(|kind| [of(*kind, b"one"), of(*kind, b"two")]);
    let mut linked = puts(every_kind);
    linked.link = Some(LinkState::Linked);
    linked.identity = Some(identity(4_915_550_009));
    commit(&store, &lock, linked).await;

    let mut selective = puts([device(b"fresh"), of(RecordKind::Version, b"three")]);
    selective.wipe = Wipe::all_but([RecordKind::Version, RecordKind::PeerIdentity]);
    selective.deletes = vec![(RecordKind::PeerIdentity, b"two".to_vec())];
    selective.link = Some(LinkState::Revoked);
    commit(&store, &lock, selective).await;
    let kept = vec![
        device(b"fresh"),
        of(RecordKind::PeerIdentity, b"one"),
        of(RecordKind::Version, b"one"),
        of(RecordKind::Version, b"three"),
        of(RecordKind::Version, b"two"),
    ];
    assert_eq!(super::fixtures::records(&store, &id).await, kept);
    drop(lock);
    store.close().await;

    let store = place.open().await;
    let (info, records) = store.snapshot(&id).await.expect("the account is there");
    assert_eq!(records, kept);
    assert_eq!(info.link, LinkState::Revoked);
    assert_eq!((info.jid, info.lid, info.platform), (None, None, None));
    let lock = store.lock(&id).await.expect("the account is free");
    for (wipe, left) in [
        (Wipe::all_but(RecordKind::ALL.iter().copied()), kept),
        (Wipe::all_but([]), Vec::new()),
    ] {
        let changes = Changes {
            wipe,
            ..Changes::default()
        };
        commit(&store, &lock, changes).await;
        assert_eq!(super::fixtures::records(&store, &id).await, left);
    }
}

/// A commit that is refused leaves everything as it was, also what it named before the refused part.
pub async fn a_refused_commit_changes_nothing(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    commit(&store, &lock, puts([device(b"old"), prekey(1, b"old")])).await;
    let before = store.snapshot(lock.account()).await;
    let mut changes = puts([
        device(b"new"),
        prekey(2, &vec![0; MAX_RECORD_VALUE_LEN + 1]),
    ]);
    changes.wipe = Wipe::All;
    changes.link = Some(LinkState::Linked);
    let refused = StoreError::TooLarge {
        what: "record value",
        got: MAX_RECORD_VALUE_LEN + 1,
        limit: MAX_RECORD_VALUE_LEN,
    };
    assert_eq!(store.commit(&lock, changes).await, Err(refused));
    assert_eq!(store.snapshot(lock.account()).await, before);
}

/// No byte in a key or a value means anything to a store.
pub async fn keys_and_values_may_be_any_bytes(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let mut wanted = vec![
        Record::new(RecordKind::PeerIdentity, [], vec![]),
        Record::new(RecordKind::PeerIdentity, [0], every_byte.clone()),
        Record::new(RecordKind::PeerIdentity, [0, 0], vec![0]),
        Record::new(
            RecordKind::PeerIdentity,
            *b"4915550005@s.whatsapp.net",
            b"'; DROP TABLE record; --".to_vec(),
        ),
        Record::new(RecordKind::PeerIdentity, every_byte, vec![]),
    ];
    commit(&store, &lock, puts(wanted.clone())).await;
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(records(&store, lock.account()).await, wanted);
}

/// Keys and values are taken at their limits and refused one byte above.
pub async fn records_are_taken_up_to_their_limits(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let largest = Record::new(
        RecordKind::PeerIdentity,
        vec![1; MAX_RECORD_KEY_LEN],
        vec![2; MAX_RECORD_VALUE_LEN],
    );
    commit(&store, &lock, puts([largest.clone()])).await;
    assert!(
        records(&store, lock.account()).await == [largest.clone()],
        "the largest record comes back"
    );

    let long_key = vec![1; MAX_RECORD_KEY_LEN + 1];
    let refused = Err(StoreError::TooLarge {
        what: "record key",
        got: MAX_RECORD_KEY_LEN + 1,
        limit: MAX_RECORD_KEY_LEN,
    });
    let put = puts([Record::new(
        RecordKind::PeerIdentity,
        long_key.clone(),
        vec![],
    )]);
    assert_eq!(store.commit(&lock, put).await, refused);
    let delete = Changes {
        deletes: vec![(RecordKind::PeerIdentity, long_key)],
        ..Changes::default()
    };
    assert_eq!(store.commit(&lock, delete).await, refused);
}

/// The first upload of prekeys is one commit, and so is its removal.
pub async fn eight_hundred_and_twelve_prekeys_fit_one_commit(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let batch: Vec<Record> = (1..=812)
        .map(|id| prekey(id, &id.to_be_bytes().repeat(20)))
        .collect();
    commit(&store, &lock, puts(batch.clone())).await;
    assert_eq!(
        store.load(lock.account(), Query::Prekeys).await,
        Ok(batch.clone())
    );
    let deletes = batch
        .into_iter()
        .map(|record| (record.kind, record.key))
        .collect();
    let delete = Changes {
        deletes,
        ..Changes::default()
    };
    commit(&store, &lock, delete).await;
    assert_eq!(store.load(lock.account(), Query::Prekeys).await, Ok(vec![]));
}

/// A commit that is dropped on its way happens whole or not at all, in its turn, and the next one finds the store in
/// order. It may happen a moment after it was dropped, never after a later one.
pub async fn a_dropped_commit_happens_whole_or_not_at_all(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let round = |n: u32| {
        let value = n.to_be_bytes();
        let mut changes = puts(
            (0..500)
                .map(|id| prekey(id, &value))
                .chain([device(&value)]),
        );
        changes.wipe = Wipe::All;
        changes
    };
    commit(&store, &lock, round(0)).await;
    let mut present = 0;
    for n in 1..10_000 {
        let finished = dropped_after(n, store.commit(&lock, round(n))).await;
        let records = records(&store, lock.account()).await;
        assert_eq!(records.len(), 501);
        let first = records
            .first()
            .map(|record| record.value.clone())
            .expect("records");
        assert!(
            records.iter().all(|record| record.value == first),
            "torn after {n} polls"
        );
        let before = present;
        present = u32::from_be_bytes(first.expose().try_into().expect("4 bytes"));
        assert!(
            (before..=n).contains(&present),
            "{present} after {before}, {n} polls"
        );
        if finished {
            assert_eq!(present, n);
            commit(&store, &lock, round(n + 1)).await;
            return;
        }
    }
    unreachable!("a commit comes to its end");
}
