use std::fmt;
use std::str::FromStr;

use wa_core::{Changes, Desired, LinkState};

use crate::error::{RandomError, StoreError};
use crate::limits::MAX_LABEL_LEN;
use crate::random;

/// Name of an account inside a store: 16 lower-case hex digits, chosen at random, never reused.
///
/// It says nothing about the account's owner, so it may appear in logs, file names and error messages. An empty
/// id or a wildcard cannot be built.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; Self::LEN]);

impl AccountId {
    /// Digits of an id.
    pub const LEN: usize = 16;

    /// A fresh id from the operating system's randomness.
    pub fn random() -> Result<Self, RandomError> {
        let digits = b"0123456789abcdef";
        let mut id = [b'0'; Self::LEN];
        for (slot, byte) in id.iter_mut().zip(random::array::<{ Self::LEN }>()?) {
            *slot = digits
                .get(usize::from(byte & 0x0f))
                .copied()
                .unwrap_or(b'0');
        }
        Ok(Self(id))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id holds hex digits only")
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id: [u8; Self::LEN] = text
            .as_bytes()
            .try_into()
            .map_err(|_| AccountIdError::Length { got: text.len() })?;
        if id
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            Ok(Self(id))
        } else {
            Err(AccountIdError::Digit)
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({})", self.as_str())
    }
}

/// The text is no account id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountIdError {
    /// Not as long as an id is.
    #[error("an account id has {} characters, this text has {got}", AccountId::LEN)]
    Length {
        /// Bytes of the text.
        got: usize,
    },
    /// Something else than `0-9a-f`.
    #[error("an account id consists of the digits 0-9 and a-f")]
    Digit,
}

/// What a list of accounts shows.
///
/// `label`, `jid`, `lid` and `platform` are personal data: a store seals them like keys, and `Debug` leaves them out.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountInfo {
    /// Name of the account in this store.
    pub id: AccountId,
    /// The user's own name for it; may be empty.
    pub label: String,
    /// Own device JID, once linked.
    pub jid: Option<String>,
    /// Own device JID in the LID space.
    pub lid: Option<String>,
    /// Platform of the phone, as the server names it.
    pub platform: Option<String>,
    /// Whether it is linked to a phone.
    pub link: LinkState,
    /// What the user wants of it.
    pub desired: Desired,
    /// When `link` last changed, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// When the account was made.
    pub created_unix_ms: u64,
    /// When anything of it was last committed.
    pub updated_unix_ms: u64,
}

impl AccountInfo {
    /// A fresh account, as it is before its first changes: unlinked, wanting to run.
    #[must_use]
    pub fn new(id: AccountId, label: String, now_unix_ms: u64) -> Self {
        Self {
            id,
            label,
            jid: None,
            lid: None,
            platform: None,
            link: LinkState::Unlinked,
            desired: Desired::Run,
            since_unix_ms: now_unix_ms,
            created_unix_ms: now_unix_ms,
            updated_unix_ms: now_unix_ms,
        }
    }

    /// Applies the facts of a commit. Every backend uses this, so all agree on what a wipe forgets and when `since`
    /// moves.
    pub fn apply(&mut self, changes: &Changes, now_unix_ms: u64) {
        if changes.wipe.is_wipe() {
            (self.jid, self.lid, self.platform) = (None, None, None);
        }
        if let Some(link) = changes.link
            && link != self.link
        {
            self.link = link;
            self.since_unix_ms = now_unix_ms;
        }
        if let Some(desired) = changes.desired {
            self.desired = desired;
        }
        if let Some(identity) = &changes.identity {
            self.jid = Some(identity.jid.to_string());
            self.lid = identity.lid.as_ref().map(ToString::to_string);
            self.platform.clone_from(&identity.platform);
        }
        self.updated_unix_ms = now_unix_ms;
    }
}

/// The JID of a device that these changes bring in whole, so that no other account may have it. Every backend asks
/// this before a commit.
#[must_use]
pub fn arriving_device(changes: &Changes) -> Option<String> {
    let identity = changes.identity.as_ref()?;
    changes.wipe.is_wipe().then(|| identity.jid.to_string())
}

impl fmt::Debug for AccountInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountInfo")
            .field("id", &self.id)
            .field("link", &self.link)
            .field("desired", &self.desired)
            .field("since_unix_ms", &self.since_unix_ms)
            .field("created_unix_ms", &self.created_unix_ms)
            .field("updated_unix_ms", &self.updated_unix_ms)
            .finish_non_exhaustive()
    }
}

/// An account to be made, with everything it starts with. All of it becomes durable in one transaction.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its name. An account of this name must not exist yet.
    pub id: AccountId,
    /// The user's own name for it, at most [`MAX_LABEL_LEN`] bytes; may be empty.
    pub label: String,
    /// First records and facts. A new account is unlinked and wants to run unless this says otherwise.
    pub contents: Changes,
}

impl NewAccount {
    /// An empty account under a fresh id.
    pub fn new(label: &str) -> Result<Self, RandomError> {
        Ok(Self {
            id: AccountId::random()?,
            label: label.to_owned(),
            contents: Changes::default(),
        })
    }

    /// Refuses what no store may keep. Every backend calls this before it begins.
    pub fn check(&self) -> Result<(), StoreError> {
        check_label(&self.label)?;
        crate::limits::check_changes(&self.contents)
    }
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("id", &self.id)
            .field("records", &self.contents.puts.len())
            .finish_non_exhaustive()
    }
}

/// Refuses a label no store may keep.
pub fn check_label(label: &str) -> Result<(), StoreError> {
    if label.len() > MAX_LABEL_LEN {
        return Err(StoreError::TooLarge {
            what: "label",
            got: label.len(),
            limit: MAX_LABEL_LEN,
        });
    }
    Ok(())
}
