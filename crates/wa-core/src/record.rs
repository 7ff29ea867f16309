use std::fmt;

use wa_proto::Jid;
use zeroize::Zeroizing;

/// What a stored record is. The number is part of the store format and never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(u16)]
pub enum RecordKind {
    /// Keys and credentials of the device; key empty, one per account.
    Device = 1,
    /// Routing info and cached server key; key empty. Losing it costs a round trip, nothing else.
    Connection = 2,
    /// Counters of the one-time prekeys; key empty.
    PrekeyLedger = 3,
    /// One signed prekey; key = its id, 4 bytes big-endian.
    SignedPrekey = 4,
    /// One one-time prekey; key = its id, 4 bytes big-endian.
    Prekey = 5,
    /// Identity key of another device; key = its JID as text.
    PeerIdentity = 6,
    /// The own account's device list as last verified; key empty.
    OwnDevices = 7,
    /// The client version a source has given, with its source and time; key empty.
    Version = 8,
    /// What a login needs to finish a logout that the server has not confirmed; key empty.
    Tombstone = 9,
}

impl RecordKind {
    /// Every kind of this version.
    pub const ALL: &'static [Self] = &[
        Self::Device,
        Self::Connection,
        Self::PrekeyLedger,
        Self::SignedPrekey,
        Self::Prekey,
        Self::PeerIdentity,
        Self::OwnDevices,
        Self::Version,
        Self::Tombstone,
    ];

    /// The stored number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether an application may keep records of this kind when it logs out
    /// ([`LogoutOptions`](crate::LogoutOptions)). Nothing that belongs to the link itself may stay.
    #[must_use]
    pub const fn may_outlive_the_link(self) -> bool {
        matches!(self, Self::PeerIdentity | Self::Version)
    }

    /// The kind of a stored number; `None` for a number of a newer version.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// Bytes that may hold keys: wiped on drop, compared in constant time, `Debug` shows the length.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        wa_crypto::constant_time_eq(self.expose(), other.expose())
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.len())
    }
}

/// One stored value. The value is already a versioned pickle; a store seals and keeps it, no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Key within the kind; empty for kinds that occur once.
    pub key: Vec<u8>,
    /// The pickle.
    pub value: SecretBytes,
}

impl Record {
    /// Joins the parts.
    #[must_use]
    pub fn new(kind: RecordKind, key: impl Into<Vec<u8>>, value: Vec<u8>) -> Self {
        Self {
            kind,
            key: key.into(),
            value: SecretBytes::new(value),
        }
    }
}

/// Whether the account is linked to a phone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum LinkState {
    /// Keys exist, no phone has accepted them.
    Unlinked,
    /// A phone has accepted the keys.
    Linked,
    /// It was linked and is not any more; the keys are gone.
    Revoked,
}

impl LinkState {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::Linked => "linked",
            Self::Revoked => "revoked",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Unlinked, Self::Linked, Self::Revoked]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// What the user wants of the account, kept over restarts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Desired {
    /// Stay connected.
    Run,
    /// Stay disconnected.
    Stop,
}

impl Desired {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Stop => "stop",
        }
    }

    /// The wish with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Run, Self::Stop]
            .into_iter()
            .find(|desired| desired.name() == name)
    }
}

/// What a list of accounts shows; kept outside the sealed records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountSummary {
    /// Own device JID.
    pub jid: Jid,
    /// Own device JID in the LID space.
    pub lid: Option<Jid>,
    /// Platform of the phone, as the server names it.
    pub platform: Option<String>,
}

/// Which records a transaction deletes before anything else.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Wipe {
    /// None.
    #[default]
    No,
    /// All of the account.
    All,
    /// All of the account but those of these kinds.
    AllBut(Vec<RecordKind>),
}

impl Wipe {
    /// A wipe of everything but these kinds.
    #[must_use]
    pub fn all_but(kinds: impl IntoIterator<Item = RecordKind>) -> Self {
        let mut kinds: Vec<RecordKind> = kinds.into_iter().collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            Self::All
        } else {
            Self::AllBut(kinds)
        }
    }

    /// Whether anything is deleted.
    #[must_use]
    pub fn is_wipe(&self) -> bool {
        *self != Self::No
    }

    /// Whether records of this kind stay.
    #[must_use]
    pub fn keeps(&self, kind: RecordKind) -> bool {
        match self {
            Self::No => true,
            Self::All => false,
            Self::AllBut(kept) => kept.contains(&kind),
        }
    }
}

/// Everything that must become durable together: one transaction.
///
/// A store applies `wipe` first, then `deletes`, then `puts`, then the three facts of the account row.
/// Facts that are `None` stay as they are, except that a `wipe` clears `identity`.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// Records to insert or replace.
    pub puts: Vec<Record>,
    /// Records to delete; absent ones are no error.
    pub deletes: Vec<(RecordKind, Vec<u8>)>,
    /// Delete records of the account before anything else, and forget its `identity`.
    pub wipe: Wipe,
    /// New link state.
    pub link: Option<LinkState>,
    /// New wish.
    pub desired: Option<Desired>,
    /// New identity of the account row.
    pub identity: Option<AccountSummary>,
}

impl Changes {
    /// Whether committing this changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This and then `later`, as one transaction. `later` must not wipe.
    pub(crate) fn and(mut self, later: Self) -> Self {
        debug_assert!(
            !later.wipe.is_wipe(),
            "a wipe comes first in its transaction"
        );
        self.puts.extend(later.puts);
        self.deletes.extend(later.deletes);
        self.link = later.link.or(self.link);
        self.desired = later.desired.or(self.desired);
        self.identity = later.identity.or(self.identity);
        self
    }
}

/// What the engine asks the store for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Query {
    /// Everything [`Device::restore`](crate::Device::restore) needs.
    Device,
    /// All one-time prekeys.
    Prekeys,
}

impl Query {
    /// The kinds of record that answer the query; all records of these kinds, in any order.
    #[must_use]
    pub const fn kinds(self) -> &'static [RecordKind] {
        match self {
            Self::Device => &[
                RecordKind::Device,
                RecordKind::Connection,
                RecordKind::PrekeyLedger,
                RecordKind::SignedPrekey,
                RecordKind::OwnDevices,
                RecordKind::Version,
                RecordKind::Tombstone,
            ],
            Self::Prekeys => &[RecordKind::Prekey],
        }
    }
}
