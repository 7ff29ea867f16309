use crate::account::AccountId;
use crate::lock::LockHolder;

/// The operating system gave no randomness.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the operating system gave no random bytes; nothing was written")]
pub struct RandomError;

/// Something sealed does not open: it was changed, moved from another place, or sealed by other software.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The authentication tag is wrong, or what is inside is not what belongs here.
    #[error("the sealed {what} was changed or moved since it was written")]
    Tampered {
        /// What should have been there.
        what: &'static str,
    },
    /// Sealed in a format this version does not know.
    #[error(
        "the sealed {what} has format {found}, this version knows {known}: use a newer version of this program"
    )]
    Newer {
        /// What it is.
        what: &'static str,
        /// Format found.
        found: u8,
        /// Newest format known.
        known: u8,
    },
    /// A record of a kind this version does not know.
    #[error(
        "a stored record has kind {code}, unknown to this version: use a newer version of this program"
    )]
    UnknownKind {
        /// The stored number.
        code: u16,
    },
}

/// Why a store could not do what was asked. Unless a variant says otherwise nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such account.
    #[error("there is no account {account} in this store")]
    UnknownAccount {
        /// The id asked for.
        account: AccountId,
    },
    /// An account of this id is there already.
    #[error("account {account} exists already in this store")]
    AccountExists {
        /// The id in question.
        account: AccountId,
    },
    /// Another account is linked as the very device that was to be put into this store.
    #[error("account {account} of this store is linked as the same device already")]
    DeviceHeld {
        /// The account that holds it.
        account: AccountId,
    },
    /// Somebody else uses the account.
    #[error(
        "account {account} is in use {holder}: stop that one first, or wait until it has ended"
    )]
    Locked {
        /// The account.
        account: AccountId,
        /// Who uses it, as far as is known.
        holder: LockHolder,
    },
    /// The account was locked anew since this lock was taken.
    #[error(
        "account {account} was taken over (lock {current}, ours is {held}): stop here, its state belongs to the new holder"
    )]
    LockLost {
        /// The account.
        account: AccountId,
        /// Generation of the lock used.
        held: u64,
        /// Generation now in force.
        current: u64,
    },
    /// Larger than a store keeps.
    #[error("a {what} of {got} bytes is more than the {limit} a store keeps")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        got: usize,
        /// The most allowed.
        limit: usize,
    },
    /// What is stored does not open.
    #[error(
        "account {account}: {cause}. Delete the account and link again; an older copy of the store would repeat keys already used"
    )]
    Unseal {
        /// The account.
        account: AccountId,
        /// What is wrong.
        cause: UnsealError,
    },
    /// The store's key was changed by another process since this one opened it.
    #[error(
        "the key of this store was changed since it was opened: open it again with the new key"
    )]
    KeyChanged,
    /// Others kept the store busy for too long.
    #[error(
        "the store was busy for more than {waited_ms} ms: another process is writing to it, try again"
    )]
    Busy {
        /// How long we waited, in milliseconds.
        waited_ms: u64,
    },
    /// No space left.
    #[error("no space left for the store ({detail}): free some, then try again")]
    Full {
        /// The backend's words.
        detail: String,
    },
    /// The store is damaged.
    #[error(
        "the store is damaged ({detail}): move it away and link again; an older copy would repeat keys already used"
    )]
    Corrupt {
        /// The backend's words.
        detail: String,
    },
    /// The disk or the network failed, or we may not write.
    #[error("the store cannot be read or written ({detail}): check the disk and the permissions")]
    Io {
        /// The backend's words.
        detail: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// No randomness to be had.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The backend failed in a way it never should: our bug.
    #[error("the store failed unexpectedly ({detail}): please report this")]
    Backend {
        /// The backend's words.
        detail: String,
    },
}
