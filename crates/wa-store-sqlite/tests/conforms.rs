#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

//! The suite of `wa-store`, one test per behaviour.

use tempfile::TempDir;
use wa_store::conformance::{self, Place};
use wa_store::{KeySource, StoreKey};
use wa_store_sqlite::SqliteStore;

struct InDirectory(TempDir);

impl InDirectory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for InDirectory {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        let path = self.0.path().join("wa.db");
        SqliteStore::open(&path, KeySource::beside(&path))
            .await
            .unwrap()
    }

    async fn open_with_wrong_key(&self) -> Option<Result<SqliteStore, String>> {
        let key = StoreKey::generate().unwrap().to_hex();
        let opened = SqliteStore::open(
            self.0.path().join("wa.db"),
            KeySource::Env(key.as_str().into()),
        )
        .await;
        Some(opened.map_err(|error| error.to_string()))
    }
}

macro_rules! behaviours {
    ($($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            conformance::$name(&InDirectory::new()).await;
        }
    )*};
}

behaviours! {
    a_new_account_is_empty_and_unlinked
    accounts_are_listed_by_age
    an_account_is_made_with_its_first_records
    an_id_is_taken_once
    a_device_is_held_once
    a_label_changes_and_a_long_one_is_refused
    a_deleted_account_is_gone_and_the_others_stay
    an_unknown_account_is_an_error
    a_commit_is_read_back_in_order
    a_query_gets_its_own_kinds_only
    changes_apply_in_their_written_order
    facts_change_only_when_named
    a_wipe_keeps_the_account_and_nothing_else
    a_selective_wipe_keeps_the_named_kinds_only
    a_refused_commit_changes_nothing
    keys_and_values_may_be_any_bytes
    records_are_taken_up_to_their_limits
    eight_hundred_and_twelve_prekeys_fit_one_commit
    a_dropped_commit_happens_whole_or_not_at_all
    a_lock_excludes_until_it_is_dropped
    accounts_are_locked_apart
    a_lost_lock_writes_nothing
    accounts_commit_side_by_side
    contents_outlive_the_handle
    a_closed_store_says_so
    a_wrong_key_opens_nothing_and_changes_nothing
    an_export_arrives_whole_and_stopped
    an_import_replaces_only_when_asked
    an_import_never_goes_back
    an_unfinished_logout_is_in_the_way_of_an_import
    one_device_is_imported_once
}

/// Also keeps the list above complete: what it lacks runs here.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_suite_passes_on_several_threads() {
    conformance::run_all(InDirectory::new).await;
}
