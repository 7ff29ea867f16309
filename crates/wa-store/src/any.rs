use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use wa_core::{Changes, Query, Record};

use crate::account::{AccountId, AccountInfo, NewAccount};
use crate::error::StoreError;
use crate::lock::AccountLock;
use crate::store::Store;

/// Any store behind one type, shared: for code that chooses its backend at run time. Costs a box per call.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn BoxedStore>);

impl AnyStore {
    /// Hides the type of a store.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl std::fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnyStore")
    }
}

impl Store for AnyStore {
    async fn accounts(&self) -> Result<Vec<AccountInfo>, StoreError> {
        self.0.accounts().await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountInfo, StoreError> {
        self.0.account(account).await
    }

    async fn insert_account(&self, new: NewAccount) -> Result<(), StoreError> {
        self.0.insert_account(new).await
    }

    async fn set_label(&self, account: &AccountId, label: &str) -> Result<(), StoreError> {
        self.0.set_label(account, label).await
    }

    async fn lock(&self, account: &AccountId) -> Result<AccountLock, StoreError> {
        self.0.lock(account).await
    }

    async fn load(&self, account: &AccountId, query: Query) -> Result<Vec<Record>, StoreError> {
        self.0.load(account, query).await
    }

    async fn snapshot(
        &self,
        account: &AccountId,
    ) -> Result<(AccountInfo, Vec<Record>), StoreError> {
        self.0.snapshot(account).await
    }

    async fn commit(&self, lock: &AccountLock, changes: Changes) -> Result<(), StoreError> {
        self.0.commit(lock, changes).await
    }

    async fn delete_account(&self, lock: AccountLock) -> Result<(), StoreError> {
        self.0.delete_account(lock).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

struct Answer<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<'a, T> Answer<'a, T> {
    fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }
}

impl<T> Future for Answer<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<T> {
        self.0.as_mut().poll(context)
    }
}

/// The object-safe shadow of [`Store`].
trait BoxedStore: Send + Sync {
    fn accounts(&self) -> Answer<'_, Result<Vec<AccountInfo>, StoreError>>;
    fn account<'a>(&'a self, account: &'a AccountId)
    -> Answer<'a, Result<AccountInfo, StoreError>>;
    fn insert_account(&self, new: NewAccount) -> Answer<'_, Result<(), StoreError>>;
    fn set_label<'a>(
        &'a self,
        account: &'a AccountId,
        label: &'a str,
    ) -> Answer<'a, Result<(), StoreError>>;
    fn lock<'a>(&'a self, account: &'a AccountId) -> Answer<'a, Result<AccountLock, StoreError>>;
    fn load<'a>(
        &'a self,
        account: &'a AccountId,
        query: Query,
    ) -> Answer<'a, Result<Vec<Record>, StoreError>>;
    fn snapshot<'a>(
        &'a self,
        account: &'a AccountId,
    ) -> Answer<'a, Result<(AccountInfo, Vec<Record>), StoreError>>;
    fn commit<'a>(
        &'a self,
        lock: &'a AccountLock,
        changes: Changes,
    ) -> Answer<'a, Result<(), StoreError>>;
    fn delete_account(&self, lock: AccountLock) -> Answer<'_, Result<(), StoreError>>;
    fn close(&self) -> Answer<'_, ()>;
}

impl<S: Store> BoxedStore for S {
    fn accounts(&self) -> Answer<'_, Result<Vec<AccountInfo>, StoreError>> {
        Answer::new(Store::accounts(self))
    }

    fn account<'a>(
        &'a self,
        account: &'a AccountId,
    ) -> Answer<'a, Result<AccountInfo, StoreError>> {
        Answer::new(Store::account(self, account))
    }

    fn insert_account(&self, new: NewAccount) -> Answer<'_, Result<(), StoreError>> {
        Answer::new(Store::insert_account(self, new))
    }

    fn set_label<'a>(
        &'a self,
        account: &'a AccountId,
        label: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Answer::new(Store::set_label(self, account, label))
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Answer<'a, Result<AccountLock, StoreError>> {
        Answer::new(Store::lock(self, account))
    }

    fn load<'a>(
        &'a self,
        account: &'a AccountId,
        query: Query,
    ) -> Answer<'a, Result<Vec<Record>, StoreError>> {
        Answer::new(Store::load(self, account, query))
    }

    fn snapshot<'a>(
        &'a self,
        account: &'a AccountId,
    ) -> Answer<'a, Result<(AccountInfo, Vec<Record>), StoreError>> {
        Answer::new(Store::snapshot(self, account))
    }

    fn commit<'a>(
        &'a self,
        lock: &'a AccountLock,
        changes: Changes,
    ) -> Answer<'a, Result<(), StoreError>> {
        Answer::new(Store::commit(self, lock, changes))
    }

    fn delete_account(&self, lock: AccountLock) -> Answer<'_, Result<(), StoreError>> {
        Answer::new(Store::delete_account(self, lock))
    }

    fn close(&self) -> Answer<'_, ()> {
        Answer::new(Store::close(self))
    }
}
