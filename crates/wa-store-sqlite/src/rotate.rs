use wa_store::{KeySource, StoreError, Vault};

use crate::error::{RotateError, task_error};
use crate::rows;
use crate::store::SqliteStore;

impl SqliteStore {
    /// Gives the store another master key, in one transaction. Records stay as they are: only the accounts' keys are
    /// wrapped anew.
    ///
    /// The former key opens the store until this returns, the new one from then on; keep the former until you have
    /// a backup made under the new one. Other processes that have the store open are told
    /// [`KeyChanged`](StoreError::KeyChanged) at their next use of it. A key file that does not exist yet is made;
    /// name another one than the present.
    pub async fn rotate_key(&self, new: KeySource) -> Result<(), RotateError> {
        let created = tokio::task::spawn_blocking(move || Vault::create(&new));
        let to = created
            .await
            .map_err(|error| RotateError::Store(task_error(&error)))??;
        // Waits for the transactions that rely on the present key and keeps new ones waiting.
        let mut vault = self.0.vault.write().await;
        self.rewrap(&vault, &to).await?;
        *vault = to;
        Ok(())
    }

    async fn rewrap(&self, from: &Vault, to: &Vault) -> Result<(), StoreError> {
        let begun = self.0.writer.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(|error| self.fault(error))?;
        rows::rewrap(&mut transaction, from, to)
            .await
            .map_err(|fault| self.fault(fault))?;
        transaction
            .commit()
            .await
            .map_err(|error| self.fault(error))
    }
}
