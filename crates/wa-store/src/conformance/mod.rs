//! What every store must do, as tests that any backend can run.
//!
//! A backend implements [`Place`] and calls [`run_all`], or every behaviour as a test of its own, which reads
//! better when one fails. They are ordinary async functions that need no runtime of their own and fail by assertion.
//!
//! ```
//! use wa_store::{MemoryStore, conformance};
//!
//! struct InMemory(MemoryStore);
//!
//! impl conformance::Place for InMemory {
//!     type Store = MemoryStore;
//!
//!     async fn open(&self) -> MemoryStore {
//!         self.0.reopen()
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(
//! conformance::run_all(|| InMemory(MemoryStore::new()))
//! # );
//! ```
mod accounts;
mod commits;
mod durability;
mod fixtures;
mod locks;
mod transfer;

use std::future::Future;

pub use accounts::{
    a_deleted_account_is_gone_and_the_others_stay, a_device_is_held_once,
    a_label_changes_and_a_long_one_is_refused, a_new_account_is_empty_and_unlinked,
    accounts_are_listed_by_age, an_account_is_made_with_its_first_records, an_id_is_taken_once,
    an_unknown_account_is_an_error,
};
pub use commits::{
    a_commit_is_read_back_in_order, a_dropped_commit_happens_whole_or_not_at_all,
    a_query_gets_its_own_kinds_only, a_refused_commit_changes_nothing,
    a_selective_wipe_keeps_the_named_kinds_only, a_wipe_keeps_the_account_and_nothing_else,
    changes_apply_in_their_written_order, eight_hundred_and_twelve_prekeys_fit_one_commit,
    facts_change_only_when_named, keys_and_values_may_be_any_bytes,
    records_are_taken_up_to_their_limits,
};
pub use durability::{
    a_closed_store_says_so, a_wrong_key_opens_nothing_and_changes_nothing,
    contents_outlive_the_handle,
};
pub use locks::{
    a_lock_excludes_until_it_is_dropped, a_lost_lock_writes_nothing, accounts_are_locked_apart,
    accounts_commit_side_by_side,
};
pub use transfer::{
    an_export_arrives_whole_and_stopped, an_import_never_goes_back,
    an_import_replaces_only_when_asked, an_unfinished_logout_is_in_the_way_of_an_import,
    one_device_is_imported_once,
};

use crate::store::Store;

/// One empty place a store can be opened in, again and again.
pub trait Place: Send + Sync {
    /// The backend.
    type Store: Store;

    /// Opens the store; makes it the first time. May be called while an earlier one is open.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Tries to open the store with another key than [`open`](Self::open) uses; `None` for a store without keys.
    fn open_with_wrong_key(
        &self,
    ) -> impl Future<Output = Option<Result<Self::Store, String>>> + Send {
        async { None }
    }
}

/// Runs every behaviour, each in a fresh place.
pub async fn run_all<P: Place>(fresh: impl Fn() -> P) {
    a_new_account_is_empty_and_unlinked(&fresh()).await;
    accounts_are_listed_by_age(&fresh()).await;
    an_account_is_made_with_its_first_records(&fresh()).await;
    an_id_is_taken_once(&fresh()).await;
    a_device_is_held_once(&fresh()).await;
    a_label_changes_and_a_long_one_is_refused(&fresh()).await;
    a_deleted_account_is_gone_and_the_others_stay(&fresh()).await;
    an_unknown_account_is_an_error(&fresh()).await;

    a_commit_is_read_back_in_order(&fresh()).await;
    a_query_gets_its_own_kinds_only(&fresh()).await;
    changes_apply_in_their_written_order(&fresh()).await;
    facts_change_only_when_named(&fresh()).await;
    a_wipe_keeps_the_account_and_nothing_else(&fresh()).await;
    a_selective_wipe_keeps_the_named_kinds_only(&fresh()).await;
    a_refused_commit_changes_nothing(&fresh()).await;
    keys_and_values_may_be_any_bytes(&fresh()).await;
    records_are_taken_up_to_their_limits(&fresh()).await;
    eight_hundred_and_twelve_prekeys_fit_one_commit(&fresh()).await;
    a_dropped_commit_happens_whole_or_not_at_all(&fresh()).await;

    a_lock_excludes_until_it_is_dropped(&fresh()).await;
    accounts_are_locked_apart(&fresh()).await;
    a_lost_lock_writes_nothing(&fresh()).await;
    accounts_commit_side_by_side(&fresh()).await;

    contents_outlive_the_handle(&fresh()).await;
    a_closed_store_says_so(&fresh()).await;
    a_wrong_key_opens_nothing_and_changes_nothing(&fresh()).await;

    an_export_arrives_whole_and_stopped(&fresh()).await;
    an_import_replaces_only_when_asked(&fresh()).await;
    an_import_never_goes_back(&fresh()).await;
    an_unfinished_logout_is_in_the_way_of_an_import(&fresh()).await;
    one_device_is_imported_once(&fresh()).await;
}
