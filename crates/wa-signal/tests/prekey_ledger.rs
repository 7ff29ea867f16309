//! The two watermarks: no key under two ids, no id for two keys, whatever crashes in between.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_crypto::Provider;
use wa_signal::{
    FIRST_UPLOAD, LATER_UPLOAD, LedgerError, MAX_BATCH, MAX_PENDING, MAX_PREKEY_ID, OneTimePrekey,
    PrekeyId, PrekeyLedger, REFILL_THRESHOLD, needs_refill,
};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(3)
}

fn id(value: u32) -> PrekeyId {
    PrekeyId::new(value).unwrap()
}

fn ids(keys: &[OneTimePrekey]) -> Vec<u32> {
    keys.iter().map(|key| key.id.get()).collect()
}

#[test]
fn first_upload_offers_812_keys_from_id_1() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(FIRST_UPLOAD);
    let keys = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    assert_eq!(ids(&keys), (1..=812).collect::<Vec<_>>());
    assert_eq!(
        plan.upload().iter().collect::<Vec<_>>(),
        keys.iter().map(|key| key.id).collect::<Vec<_>>()
    );
    ledger.mark_uploaded(plan.upload()).unwrap();
    assert_eq!(ledger.plan(LATER_UPLOAD).upload().first(), id(813));
}

#[test]
fn crash_before_the_result_offers_the_same_keys_again() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(10);
    let stored = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    assert_eq!(stored.len(), 10);

    let mut restored =
        PrekeyLedger::restore(ledger.next_id(), ledger.first_not_uploaded()).unwrap();
    let again = restored.plan(10);
    assert_eq!(again.upload(), plan.upload());
    assert!(again.missing().is_empty());
    assert!(
        restored
            .generate_missing(&again, Provider::rust(), &mut rng())
            .is_empty()
    );
    restored.mark_uploaded(again.upload()).unwrap();

    let next = restored.plan(10);
    assert_eq!(next.upload().first(), id(11));
    assert_eq!(next.missing().len(), 10);
}

#[test]
fn failed_upload_moves_nothing() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(5);
    let _ = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    let before = ledger.clone();
    // No `result`, no `mark_uploaded`: the next plan is the failed one.
    assert_eq!(ledger.plan(5).upload(), plan.upload());
    assert_eq!(ledger, before);
}

#[test]
fn a_larger_plan_tops_up_what_is_pending() {
    let mut ledger = PrekeyLedger::new();
    let small = ledger.plan(3);
    let _ = ledger.generate_missing(&small, Provider::rust(), &mut rng());
    let large = ledger.plan(8);
    assert_eq!(large.upload().first(), id(1));
    assert_eq!(large.missing().first(), id(4));
    assert_eq!(
        ids(&ledger.generate_missing(&large, Provider::rust(), &mut rng())),
        [4, 5, 6, 7, 8]
    );
}

#[test]
fn generating_one_plan_twice_yields_keys_once() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(4);
    assert_eq!(
        ledger
            .generate_missing(&plan, Provider::rust(), &mut rng())
            .len(),
        4
    );
    assert!(
        ledger
            .generate_missing(&plan, Provider::rust(), &mut rng())
            .is_empty()
    );
    assert_eq!(ledger.next_id(), id(5));
}

#[test]
fn a_result_that_comes_twice_changes_nothing() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(4);
    let _ = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    ledger.mark_uploaded(plan.upload()).unwrap();
    let marked = ledger.clone();
    ledger.mark_uploaded(plan.upload()).unwrap();
    assert_eq!(ledger, marked);
}

#[test]
fn a_batch_that_was_never_generated_is_refused() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(4);
    assert_eq!(
        ledger.mark_uploaded(plan.upload()),
        Err(LedgerError::NotGenerated {
            end: id(5),
            next: id(1)
        })
    );
    assert_eq!(ledger, PrekeyLedger::new());
}

#[test]
fn a_batch_that_skips_keys_is_refused() {
    let mut ahead = PrekeyLedger::new();
    let first = ahead.plan(4);
    let _ = ahead.generate_missing(&first, Provider::rust(), &mut rng());
    ahead.mark_uploaded(first.upload()).unwrap();
    let second = ahead.plan(4);
    let _ = ahead.generate_missing(&second, Provider::rust(), &mut rng());

    let mut behind = PrekeyLedger::restore(ahead.next_id(), id(1)).unwrap();
    assert_eq!(
        behind.mark_uploaded(second.upload()),
        Err(LedgerError::Gap {
            expected: id(1),
            got: id(5)
        })
    );
}

#[test]
fn ids_wrap_to_1_after_24_bits() {
    let last = id(MAX_PREKEY_ID);
    assert_eq!(last.next(), id(1));
    let mut ledger = PrekeyLedger::restore(id(MAX_PREKEY_ID - 1), id(MAX_PREKEY_ID - 1)).unwrap();
    let plan = ledger.plan(4);
    let keys = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    assert_eq!(ids(&keys), [MAX_PREKEY_ID - 1, MAX_PREKEY_ID, 1, 2]);
    ledger.mark_uploaded(plan.upload()).unwrap();
    assert_eq!(ledger.first_not_uploaded(), id(3));
    assert!(ledger.pending().is_empty());
}

#[test]
fn ids_fill_three_bytes_and_exclude_zero() {
    assert_eq!(id(MAX_PREKEY_ID).to_be_bytes(), [0xFF, 0xFF, 0xFF]);
    assert_eq!(
        PrekeyId::from_be_bytes([0x01, 0x02, 0x03]),
        PrekeyId::new(0x01_0203)
    );
    assert_eq!(PrekeyId::from_be_bytes([0, 0, 0]), None);
    assert_eq!(PrekeyId::new(MAX_PREKEY_ID + 1), None);
}

#[test]
fn one_stanza_offers_at_most_max_batch_keys() {
    let ledger = PrekeyLedger::new();
    assert_eq!(ledger.plan(MAX_BATCH).upload().len(), 812);
    assert_eq!(ledger.plan(MAX_BATCH + 1).upload().len(), 812);
}

#[test]
fn stored_watermarks_too_far_apart_are_refused() {
    assert!(PrekeyLedger::restore(id(1 + MAX_PENDING), id(1)).is_ok());
    assert_eq!(
        PrekeyLedger::restore(id(2 + MAX_PENDING), id(1)),
        Err(LedgerError::PendingTooMany {
            got: MAX_PENDING + 1,
            limit: MAX_PENDING
        })
    );
    assert!(PrekeyLedger::restore(id(1), id(2)).is_err());
}

#[test]
fn reconcile_moves_past_a_batch_of_which_the_server_lists_a_key() {
    let mut ledger = PrekeyLedger::new();
    let plan = ledger.plan(6);
    let _ = ledger.generate_missing(&plan, Provider::rust(), &mut rng());
    assert!(
        !ledger.reconcile([id(7), id(900)]),
        "ids that are not ours to offer"
    );
    assert!(ledger.reconcile([id(2), id(4), id(3)]));
    assert_eq!(
        ledger.first_not_uploaded(),
        id(7),
        "5 and 6 were handed out already"
    );
    assert!(!ledger.reconcile([id(2), id(4)]));
}

#[test]
fn the_oldest_keys_the_server_does_not_list_can_be_dropped() {
    // Uploaded up to 9, generated up to 12.
    let ledger = PrekeyLedger::restore(id(13), id(10)).unwrap();
    let stored = || (1..=12).map(id);
    let listed = [id(2), id(4)];
    assert_eq!(ledger.droppable(stored(), &listed, 12), []);
    assert_eq!(ledger.droppable(stored(), &listed, 11), [id(1)]);
    assert_eq!(
        ledger.droppable(stored(), &listed, 9),
        [id(1), id(3), id(5)]
    );
    assert_eq!(
        ledger.droppable(stored(), &listed, 0),
        [1, 3, 5, 6, 7, 8, 9].map(id),
        "neither what the server lists nor what it was never given"
    );
}

#[test]
fn the_oldest_key_is_found_across_the_wrap() {
    let ledger = PrekeyLedger::restore(id(4), id(3)).unwrap();
    let stored = [
        id(1),
        id(2),
        id(3),
        id(MAX_PREKEY_ID),
        id(MAX_PREKEY_ID - 1),
    ];
    assert_eq!(
        ledger.droppable(stored, &[], 3),
        [id(MAX_PREKEY_ID - 1), id(MAX_PREKEY_ID)]
    );
}

#[test]
fn refill_starts_below_five() {
    assert!(needs_refill(REFILL_THRESHOLD - 1));
    assert!(!needs_refill(REFILL_THRESHOLD));
}

#[derive(Clone, Debug)]
enum Step {
    Upload {
        count: usize,
        answered: bool,
        crash: bool,
    },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..12, any::<bool>(), any::<bool>()).prop_map(|(count, answered, crash)| {
            Step::Upload {
                count,
                answered,
                crash,
            }
        }),
        Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails and crashes: an id always names one key, and a key the server confirmed is never
    /// in a later upload.
    #[test]
    fn no_id_is_reused_and_no_confirmed_key_offered_again(
        start in prop_oneof![Just(1_u32), (MAX_PREKEY_ID - 20)..=MAX_PREKEY_ID],
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let mut rng = rng();
        let mut ledger = PrekeyLedger::restore(id(start), id(start)).unwrap();
        let mut store: BTreeMap<PrekeyId, [u8; 32]> = BTreeMap::new();
        let mut confirmed = Vec::new();
        for step in steps {
            let mut crashed = matches!(step, Step::Crash);
            if let Step::Upload { count, answered, crash } = step {
                let plan = ledger.plan(count);
                for key in ledger.generate_missing(&plan, Provider::rust(), &mut rng) {
                    let bytes = *key.secret.expose_bytes();
                    prop_assert_eq!(store.insert(key.id, bytes), None);
                }
                for offered in plan.upload().iter() {
                    prop_assert!(store.contains_key(&offered));
                    prop_assert!(!confirmed.contains(&offered));
                }
                crashed = crash;
                if answered && !crash {
                    ledger.mark_uploaded(plan.upload()).unwrap();
                    confirmed.extend(plan.upload().iter());
                }
            }
            if crashed {
                ledger = PrekeyLedger::restore(ledger.next_id(), ledger.first_not_uploaded()).unwrap();
            }
        }
        prop_assert!(store.len() >= confirmed.len());
    }
}
