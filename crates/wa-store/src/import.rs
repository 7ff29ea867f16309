use wa_core::{Changes, Desired, Device, LinkState, Query, RecordKind, Wipe};

use crate::account::{AccountId, AccountInfo, NewAccount};
use crate::codec::Reader;
use crate::error::StoreError;
use crate::export::{
    AccountExport, EXPORT_VERSION, ExportKey, MAGIC, MAX_EXPORT_LEN, SCHEME_KEY, SCHEME_PASSPHRASE,
    export_key,
};
use crate::key_source::Scheme;
use crate::passphrase::{Stretch, StretchError};
use crate::store::Store;

/// What an import does when the store has an account of that id already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OnExisting {
    /// Refuse.
    Refuse,
    /// Put the exported state in the place of the present one; id, label and creation time stay. Neither another link
    /// nor a newer state of the same one is ever replaced.
    Replace,
}

/// Puts an exported account into a store, in one transaction, under the id it had.
///
/// It arrives stopped: start it when whoever held it before has stopped, or the two throw each other out. An account
/// that is linked here as the same device under another id is never doubled, and nothing arrives where a logout is
/// still to be finished.
///
/// A passphrase takes a good part of a second of computing: where that matters, use [`SealedExport`] on a blocking
/// thread and then [`import`].
pub async fn import_sealed<S: Store>(
    store: &S,
    sealed: &[u8],
    key: &ExportKey,
    existing: OnExisting,
) -> Result<AccountId, ImportError> {
    let export = SealedExport::parse(sealed)?.open(key)?;
    import(store, export, existing).await
}

/// Puts an opened export into a store; as [`import_sealed`].
pub async fn import<S: Store>(
    store: &S,
    export: AccountExport,
    existing: OnExisting,
) -> Result<AccountId, ImportError> {
    let id = export.account;
    let accounts = store.accounts().await?;
    let jid = export.identity.as_ref().map(|own| own.jid.to_string());
    let double = accounts
        .iter()
        .find(|info| info.id != id && jid.is_some() && info.jid == jid);
    if let Some(info) = double {
        return Err(ImportError::SameDevice { account: info.id });
    }
    let jid = jid.as_deref();
    if let Some(account) = unfinished_logout(store, &accounts, jid).await? {
        return Err(ImportError::UnfinishedLogout { account });
    }
    let exists = accounts.iter().any(|info| info.id == id);
    let contents = Changes {
        puts: export.records,
        wipe: if exists { Wipe::All } else { Wipe::No },
        link: Some(export.link),
        desired: Some(Desired::Stop),
        identity: export.identity.clone(),
        ..Changes::default()
    };
    if !exists {
        let new = NewAccount {
            id,
            label: export.label,
            contents,
        };
        store.insert_account(new).await?;
    } else if existing == OnExisting::Replace {
        // Looked at under the lock: before it, somebody may still have linked the account, or logged it out.
        let lock = store.lock(&id).await?;
        let info = store.account(&id).await?;
        if info.link == LinkState::Linked {
            if info.jid.as_deref() != jid {
                return Err(ImportError::LinkedOtherwise { account: id });
            }
            if info.updated_unix_ms > export.exported_unix_ms {
                return Err(ImportError::Older { account: id });
            }
        }
        if holds_unfinished_logout(store, &id).await? {
            return Err(ImportError::UnfinishedLogout { account: id });
        }
        store.commit(&lock, contents).await?;
    } else {
        return Err(ImportError::Exists { account: id });
    }
    Ok(id)
}

/// The account of a store, other than those linked, that still has to log this device out at the server: a link put
/// into the store beside it would be ended by it.
pub async fn unfinished_logout<S: Store>(
    store: &S,
    accounts: &[AccountInfo],
    jid: Option<&str>,
) -> Result<Option<AccountId>, StoreError> {
    let Some(jid) = jid else { return Ok(None) };
    for info in accounts {
        if info.link == LinkState::Linked {
            continue;
        }
        let records = store.load(&info.id, Query::Device).await?;
        // Of one that cannot be read nobody logs out either.
        let of = Device::unfinished_logout(&records).ok().flatten();
        if of.is_some_and(|of| of.to_string() == jid) {
            return Ok(Some(info.id));
        }
    }
    Ok(None)
}

/// Whether an account still has to log out at the server. What is put in its place would make that impossible.
pub async fn holds_unfinished_logout<S: Store>(
    store: &S,
    account: &AccountId,
) -> Result<bool, StoreError> {
    let records = store.load(account, Query::Device).await?;
    let mut kinds = records.iter().map(|record| record.kind);
    Ok(kinds.any(|kind| kind == RecordKind::Tombstone))
}

/// An export whose outer form is sound; what is inside is still sealed.
#[derive(Debug)]
pub struct SealedExport<'a> {
    header: &'a [u8],
    scheme: Scheme,
    sealed: &'a [u8],
}

impl<'a> SealedExport<'a> {
    /// Reads the outer form. Never panics, allocates nothing, computes nothing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImportError> {
        if bytes.len() > MAX_EXPORT_LEN {
            return Err(ImportError::TooLarge { got: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        if reader.bytes(MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(ImportError::NotAnExport);
        }
        let malformed = || ImportError::Malformed { what: "header" };
        let found = reader.u16().ok_or_else(malformed)?;
        if found > EXPORT_VERSION {
            return Err(ImportError::Newer {
                found,
                known: EXPORT_VERSION,
            });
        }
        if found < EXPORT_VERSION {
            return Err(malformed());
        }
        let scheme = match reader.u8() {
            Some(SCHEME_KEY) => Scheme::Key,
            Some(SCHEME_PASSPHRASE) => {
                Scheme::Passphrase(Stretch::decode(&mut reader).ok_or_else(malformed)??)
            }
            _ => return Err(malformed()),
        };
        let sealed = reader.remaining();
        let header = bytes
            .get(..bytes.len() - sealed.len())
            .ok_or_else(malformed)?;
        Ok(Self {
            header,
            scheme,
            sealed,
        })
    }

    /// Opens it. A passphrase takes a good part of a second of computing.
    pub fn open(&self, key: &ExportKey) -> Result<AccountExport, ImportError> {
        let master = match (key, &self.scheme) {
            (ExportKey::Key(key), Scheme::Key) => key.clone(),
            (ExportKey::Passphrase(passphrase), Scheme::Passphrase(stretch)) => {
                stretch.derive(passphrase)?
            }
            (ExportKey::Passphrase(_), Scheme::Key) => return Err(ImportError::NeedsKey),
            (ExportKey::Key(_), Scheme::Passphrase(_)) => return Err(ImportError::NeedsPassphrase),
        };
        let plain = export_key(&master)
            .open(self.header, self.sealed)
            .ok_or(ImportError::DoesNotOpen)?;
        AccountExport::decode(&plain)
    }
}

/// Why an export could not be imported. The store is unchanged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Not a file of ours.
    #[error("this is no export of an account: check the file")]
    NotAnExport,
    /// Larger than an export may be.
    #[error("the file has {got} bytes, an export at most {MAX_EXPORT_LEN}: check the file")]
    TooLarge {
        /// Its bytes.
        got: usize,
    },
    /// Made by a newer version.
    #[error("the export has format {found}, this program knows {known}: use a newer version of it")]
    Newer {
        /// Format found.
        found: u16,
        /// Newest format known.
        known: u16,
    },
    /// A record of a kind this version does not know.
    #[error(
        "the export holds a record of kind {code}, unknown to this program: use a newer version of it"
    )]
    UnknownKind {
        /// The number found.
        code: u16,
    },
    /// Cut short, or made by other software.
    #[error("the export is damaged at its {what}: copy it again")]
    Malformed {
        /// The part that is wrong.
        what: &'static str,
    },
    /// The passphrase costs are out of bounds.
    #[error(transparent)]
    Costs(#[from] StretchError),
    /// Sealed with a key, not with a passphrase.
    #[error("this export is opened with a key, not with a passphrase")]
    NeedsKey,
    /// Sealed with a passphrase, not with a key.
    #[error("this export is opened with a passphrase, not with a key")]
    NeedsPassphrase,
    /// Wrong key or passphrase, or the file was changed: the two cannot be told apart.
    #[error(
        "the export does not open: the passphrase or key is wrong, or the file was changed. Nothing was imported"
    )]
    DoesNotOpen,
    /// The account is there already.
    #[error(
        "account {account} exists already in this store: delete it first, or ask for it to be replaced"
    )]
    Exists {
        /// Its id.
        account: AccountId,
    },
    /// The same device is there already, under another id.
    #[error(
        "the same device is in this store already, as account {account}: delete that one first"
    )]
    SameDevice {
        /// Id of the account that is there.
        account: AccountId,
    },
    /// The account to be replaced is linked as another device, which would be lost.
    #[error("account {account} is linked as another device: log it out first")]
    LinkedOtherwise {
        /// Its id.
        account: AccountId,
    },
    /// The account to be replaced is linked as this device and has gone on since the export.
    #[error(
        "account {account} has changed since this export was made: the older state would use keys again that are used up. Start the account as it is"
    )]
    Older {
        /// Its id.
        account: AccountId,
    },
    /// A logout that the server has not confirmed is kept in the store.
    #[error(
        "account {account} has a logout to finish at the server: log it out again first, while online"
    )]
    UnfinishedLogout {
        /// Its id.
        account: AccountId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountExists { account } => Self::Exists { account },
            StoreError::DeviceHeld { account } => Self::SameDevice { account },
            other => Self::Store(other),
        }
    }
}
