use std::any::Any;
use std::fmt;

use crate::account::AccountId;

/// Exclusive use of one account. Dropping it gives the account free.
///
/// Only the holder may commit: a [`Store`](crate::Store) takes the lock, not the id, wherever it writes. The
/// generation grows by one with every lock of the account, and a commit under an older generation is refused, so
/// even where the guard was lost without notice (a lease that ran out, a file system whose locks do not work) the
/// former holder cannot write.
pub struct AccountLock {
    account: AccountId,
    generation: u64,
    _guard: Box<dyn Any + Send + Sync>,
}

impl AccountLock {
    /// For backends: joins the account, the generation of this hold, and whatever frees the account when dropped.
    pub fn new(account: AccountId, generation: u64, guard: impl Send + Sync + 'static) -> Self {
        Self {
            account,
            generation,
            _guard: Box::new(guard),
        }
    }

    /// The locked account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// How many times the account had been locked, this time included.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl fmt::Debug for AccountLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountLock")
            .field("account", &self.account)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Who holds a lock, as far as the backend knows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LockHolder {
    /// Process id on this machine.
    pub pid: Option<u32>,
    /// When the lock was taken, in milliseconds since 1970.
    pub since_unix_ms: Option<u64>,
}

impl LockHolder {
    /// A process of this machine.
    #[must_use]
    pub fn process(pid: u32, since_unix_ms: u64) -> Self {
        Self {
            pid: Some(pid),
            since_unix_ms: Some(since_unix_ms),
        }
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) if pid == std::process::id() => {
                f.write_str("by another handle in this process")
            }
            Some(pid) => write!(f, "by process {pid}"),
            None => f.write_str("by another process"),
        }
    }
}
