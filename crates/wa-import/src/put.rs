use wa_core::{Desired, LinkState};
use wa_store::{
    AccountId, AccountInfo, NewAccount, Store, holds_unfinished_logout, unfinished_logout,
};

use crate::{Imported, PutError};

/// Where an imported link goes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Target {
    /// An account of its own.
    New {
        /// Its label; may be empty.
        label: String,
    },
    /// An account that is there and is not linked. Its name and label stay, what it held goes.
    InPlaceOf(AccountId),
}

impl Imported {
    /// Puts the link into a store, in one transaction. It arrives stopped.
    ///
    /// No device is ever held twice, and no link is lost. An account that is linked as this very device is left as it
    /// is: it has gone on since, and what the other library holds would use keys again.
    pub async fn put_into<S: Store>(
        self,
        store: &S,
        target: Target,
    ) -> Result<AccountId, PutError> {
        let accounts = store.accounts().await?;
        if let Some(holder) = accounts.iter().find(|info| self.is_of(info)) {
            return Err(PutError::SameDevice { account: holder.id });
        }
        let jid = self.device.jid().map(ToString::to_string);
        if let Some(account) = unfinished_logout(store, &accounts, jid.as_deref()).await? {
            return Err(PutError::UnfinishedLogout { account });
        }
        let mut contents = self.changes;
        contents.desired = Some(Desired::Stop);
        match target {
            Target::New { label } => {
                let account = NewAccount {
                    contents,
                    ..NewAccount::new(&label)?
                };
                let id = account.id;
                store.insert_account(account).await?;
                Ok(id)
            }
            Target::InPlaceOf(account) => {
                // Looked at under the lock: before it, somebody may still have linked the account, or logged it out.
                let lock = store.lock(&account).await?;
                let info = store.account(&account).await?;
                if info.link == LinkState::Linked {
                    return Err(if info.jid == jid {
                        PutError::SameDevice { account }
                    } else {
                        PutError::LinkedOtherwise { account }
                    });
                }
                if holds_unfinished_logout(store, &account).await? {
                    return Err(PutError::UnfinishedLogout { account });
                }
                store.commit(&lock, contents).await?;
                Ok(account)
            }
        }
    }

    /// Whether an account holds this very device.
    #[must_use]
    pub fn is_of(&self, account: &AccountInfo) -> bool {
        let own = self.device.jid().map(ToString::to_string);
        own.is_some() && account.jid == own
    }
}
