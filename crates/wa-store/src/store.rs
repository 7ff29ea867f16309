use std::future::Future;

use wa_core::{Changes, Query, Record};

use crate::account::{AccountId, AccountInfo, NewAccount};
use crate::error::StoreError;
use crate::lock::AccountLock;

/// Where accounts live.
///
/// # Contract
///
/// * [`commit`](Self::commit) is one transaction: when it returns `Ok` everything is durable, when it returns an
///   error nothing was changed, except that after [`StoreError::Io`] it may have happened whole. Dropped before it
///   returns, it happens whole or not at all, and before anything that is committed later.
/// * Within one [`Changes`] the order is: `wipe`, then `deletes`, then `puts` in their order (the last one of a key
///   wins), then `link`, `desired` and `identity`.
/// * A device that arrives whole, in a new account or with a `wipe` and an `identity` in one [`Changes`], is refused
///   with [`StoreError::DeviceHeld`] where the row of another account has its JID. The comparison is part of the
///   transaction, so of two that arrive at once one is refused. (A device that is paired here has fresh keys, and
///   nobody else has them.)
/// * An account is written by one holder of its [`AccountLock`] at a time; different accounts do not wait for each
///   other longer than a commit takes.
/// * Values, record keys, labels and phone numbers are sealed before they leave the process (a store that stays in
///   memory seals nothing).
///
/// [`conformance`](crate::conformance) checks what can be seen through this trait. That values are sealed, and that a commit
/// survives a kill, a backend has to show by tests of its own.
pub trait Store: Send + Sync + 'static {
    /// All accounts, ordered by creation time, then id.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountInfo>, StoreError>> + Send;

    /// One account.
    fn account(
        &self,
        account: &AccountId,
    ) -> impl Future<Output = Result<AccountInfo, StoreError>> + Send;

    /// Makes an account with everything it starts with, in one transaction.
    fn insert_account(
        &self,
        new: NewAccount,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes an empty account under a fresh id: unlinked, wanting to run.
    fn create_account(
        &self,
        label: &str,
    ) -> impl Future<Output = Result<AccountId, StoreError>> + Send {
        async move {
            let new = NewAccount::new(label)?;
            let id = new.id;
            self.insert_account(new).await?;
            Ok(id)
        }
    }

    /// Changes the user's own name for the account. Needs no lock: nothing the engine keeps depends on it.
    fn set_label(
        &self,
        account: &AccountId,
        label: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes the account for exclusive use; [`StoreError::Locked`] at once if somebody has it.
    fn lock(
        &self,
        account: &AccountId,
    ) -> impl Future<Output = Result<AccountLock, StoreError>> + Send;

    /// The records that answer a query, ordered by kind, then key.
    fn load(
        &self,
        account: &AccountId,
        query: Query,
    ) -> impl Future<Output = Result<Vec<Record>, StoreError>> + Send;

    /// Everything of the account as of one moment, records ordered by kind, then key. For exports and tests.
    fn snapshot(
        &self,
        account: &AccountId,
    ) -> impl Future<Output = Result<(AccountInfo, Vec<Record>), StoreError>> + Send;

    /// Makes the changes durable, all or none.
    fn commit(
        &self,
        lock: &AccountLock,
        changes: Changes,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes the account and everything of it.
    fn delete_account(
        &self,
        lock: AccountLock,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Finishes what is running and closes; every later call is [`StoreError::Closed`].
    fn close(&self) -> impl Future<Output = ()> + Send;
}
