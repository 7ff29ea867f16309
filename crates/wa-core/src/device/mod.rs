mod imported;
mod link;
mod own_devices;
mod pickle;
mod registered;
mod restore;
mod rotation;
mod stored;
mod tombstone;
mod version;

use std::fmt;

use wa_crypto::{
    AdvSecret, CryptoRng, IdentityPublic, IdentitySecret, NoiseStaticPublic, NoiseStaticSecret,
    Provider,
};
use wa_noise::{NoiseRoot, ServerStatic};
use wa_proto::Jid;
use wa_signal::{
    OneTimePrekey, PrekeyId, PrekeyLedger, RegistrationId, SignedPrekey, SignedPrekeyId,
};

pub use self::imported::{ImportedDevice, ImportedDeviceError, MAX_IMPORTED_TEXT_LEN};
pub use self::own_devices::MAX_OWN_DEVICES;
pub(crate) use self::own_devices::{OwnDevices, OwnDevicesError, Succession};
pub(crate) use self::pickle::public_prekeys;
pub use self::registered::{Credentials, Registered};
pub use self::rotation::KEPT_SIGNED_PREKEYS;
pub(crate) use self::stored::Stored;
pub(crate) use self::tombstone::Tombstone;
pub use self::version::KnownVersion;
use crate::error::RestoreError;
use crate::record::{AccountSummary, Changes, LinkState, Record, RecordKind, Wipe};

/// Private one-time prekeys kept: room for the five batches that a digest can list (`wa_signal`'s
/// `MAX_LISTED_PREKEYS`). No key is made beyond it.
///
/// A refill that would need more drops the oldest of the keys that the server has been given and does not list
/// any more. Those were handed out, and whoever got one has not used it for some batches.
pub const MAX_STORED_PREKEYS: usize = 4096;

/// Longest routing info remembered. Real ones are a few bytes; a longer one is not believed.
pub const MAX_ROUTING_LEN: usize = 1024;

/// A companion device: its keys, its credentials, and what it remembers of its connections.
///
/// It leaves memory only as [`Changes`] and comes back through [`Device::restore`]. `Debug` shows no key.
#[derive(Clone)]
pub struct Device {
    provider: Provider,
    registration: RegistrationId,
    noise: NoiseStaticSecret,
    identity: IdentitySecret,
    adv: AdvSecret,
    /// Oldest first.
    signed_prekeys: Vec<SignedPrekey>,
    current: SignedPrekeyId,
    /// The last id given to a signed prekey. If it is not the current one, its key was offered and the server
    /// has not confirmed it, or has refused it and it is gone.
    newest: SignedPrekeyId,
    /// Unix seconds before which no rotation is tried; 0 for none.
    rotate_after: u64,
    ledger: PrekeyLedger,
    credentials: Credentials,
    routing: Option<Vec<u8>>,
    server: Option<ServerStatic>,
    /// Root of the service it was linked at; unknown for one that was linked before this was kept.
    root: Option<NoiseRoot>,
    origin: Origin,
}

/// The device is linked at another service than the configured one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OtherService;

/// Whether the store holds the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    Generated,
    Stored,
}

impl Device {
    /// A device with fresh keys: Noise static, identity, signed prekey, registration id and ADV secret
    /// (pairing chapter, 0.3).
    ///
    /// It exists in memory only; the engine persists [`initial_changes`](Self::initial_changes) before it
    /// connects for the first time.
    #[must_use]
    pub fn generate(
        provider: Provider,
        rng: &mut (impl CryptoRng + ?Sized),
        unix_secs: u64,
    ) -> Self {
        let noise = NoiseStaticSecret::generate(provider, rng);
        let identity = IdentitySecret::generate(provider, rng);
        let first = SignedPrekeyId::FIRST;
        let signed = SignedPrekey::generate(provider, first, &identity, unix_secs, rng);
        Self {
            provider,
            registration: RegistrationId::generate(rng),
            noise,
            identity,
            adv: AdvSecret::generate(rng),
            signed_prekeys: vec![signed],
            current: first,
            newest: first,
            rotate_after: 0,
            ledger: PrekeyLedger::new(),
            credentials: Credentials::Unregistered,
            routing: None,
            server: None,
            root: None,
            origin: Origin::Generated,
        }
    }

    /// The device in these records, the answer to [`Query::Device`](crate::Query::Device).
    ///
    /// `None` when there is none, or when parts of it are absent: a link needs the signed identity, the JID
    /// and all keys. The caller then generates a new one; its first commit wipes what is left of the old.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] when a record is damaged or of a newer version. Nothing should be written then.
    pub fn restore(provider: Provider, records: &[Record]) -> Result<Option<Self>, RestoreError> {
        restore::device(provider, records)
    }

    /// Everything the store must hold before the first connection. Replaces whatever the account held, but for
    /// the kinds that an earlier logout may have kept.
    #[must_use]
    pub fn initial_changes(&self) -> Changes {
        let mut puts = vec![
            self.record(),
            self.connection_record(),
            self.ledger_record(),
        ];
        puts.extend(self.signed_prekeys.iter().map(pickle::signed_prekey));
        Changes {
            puts,
            wipe: Wipe::all_but(
                RecordKind::ALL
                    .iter()
                    .copied()
                    .filter(|kind| kind.may_outlive_the_link()),
            ),
            link: Some(self.link()),
            identity: self.summary(),
            ..Changes::default()
        }
    }

    /// Whether a phone has accepted the device.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The link, if there is one.
    #[must_use]
    pub fn registered(&self) -> Option<&Registered> {
        match &self.credentials {
            Credentials::Registered(registered) => Some(registered),
            Credentials::Unregistered => None,
        }
    }

    /// Whether there is a link.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.registered().is_some()
    }

    /// Own device JID.
    #[must_use]
    pub fn jid(&self) -> Option<&Jid> {
        self.registered().map(|registered| &registered.jid)
    }

    /// Own device JID in the LID space.
    #[must_use]
    pub fn lid(&self) -> Option<&Jid> {
        self.registered()
            .and_then(|registered| registered.lid.as_ref())
    }

    /// Number that names this device in Signal messages.
    #[must_use]
    pub const fn registration_id(&self) -> RegistrationId {
        self.registration
    }

    /// Public half of the Noise key.
    #[must_use]
    pub fn noise_public(&self) -> NoiseStaticPublic {
        self.noise.public()
    }

    /// Public half of the identity key.
    #[must_use]
    pub fn identity_public(&self) -> IdentityPublic {
        self.identity.public()
    }

    /// What a list of accounts shows.
    #[must_use]
    pub fn summary(&self) -> Option<AccountSummary> {
        self.registered().map(|registered| AccountSummary {
            jid: registered.jid.clone(),
            lid: registered.lid.clone(),
            platform: registered.platform.clone(),
        })
    }

    /// Link state to be stored with it.
    #[must_use]
    pub fn link(&self) -> LinkState {
        if self.is_registered() {
            LinkState::Linked
        } else {
            LinkState::Unlinked
        }
    }

    pub(crate) const fn provider(&self) -> Provider {
        self.provider
    }

    pub(crate) const fn noise(&self) -> &NoiseStaticSecret {
        &self.noise
    }

    pub(crate) const fn identity(&self) -> &IdentitySecret {
        &self.identity
    }

    pub(crate) const fn adv(&self) -> &AdvSecret {
        &self.adv
    }

    pub(crate) fn routing(&self) -> Option<&[u8]> {
        self.routing.as_deref()
    }

    pub(crate) const fn server(&self) -> Option<&ServerStatic> {
        self.server.as_ref()
    }

    pub(crate) const fn ledger(&self) -> &PrekeyLedger {
        &self.ledger
    }

    /// The signed prekey the server is to hold.
    pub(crate) fn signed_prekey(&self) -> &SignedPrekey {
        self.signed_prekeys
            .iter()
            .find(|key| key.id == self.current)
            .or(self.signed_prekeys.last())
            .expect("a device is made and restored with a signed prekey, and pruning keeps the current one")
    }

    /// What to persist before the first connection; once, and only for a device the store does not hold.
    pub(crate) fn first_changes(&mut self) -> Option<Changes> {
        match std::mem::replace(&mut self.origin, Origin::Stored) {
            Origin::Generated => Some(self.initial_changes()),
            Origin::Stored => None,
        }
    }

    /// Ties a device to the service it is about to be used at. One that is linked elsewhere stays as it is and is
    /// not to be used; of one whose service is not known, the next login decides.
    pub(crate) fn bind_to(&mut self, root: NoiseRoot) -> Result<Changes, OtherService> {
        match self.root {
            Some(known) if known == root => Ok(Changes::default()),
            Some(_) if self.is_registered() => Err(OtherService),
            None if self.is_registered() => Ok(Changes::default()),
            _ => {
                self.root = Some(root);
                Ok(put(self.record()))
            }
        }
    }

    pub(crate) fn set_adv(&mut self, adv: AdvSecret) -> Changes {
        self.adv = adv;
        put(self.record())
    }

    pub(crate) fn set_routing(&mut self, routing: Option<Vec<u8>>) -> Changes {
        self.routing = routing;
        put(self.connection_record())
    }

    pub(crate) fn set_server(&mut self, server: Option<ServerStatic>) -> Changes {
        self.server = server;
        put(self.connection_record())
    }

    /// Adds freshly made one-time prekeys, which `ledger` has counted already, and drops old ones.
    pub(crate) fn add_prekeys(
        &mut self,
        ledger: PrekeyLedger,
        keys: &[OneTimePrekey],
        dropped: &[PrekeyId],
    ) -> Changes {
        self.ledger = ledger;
        let mut puts = Vec::with_capacity(keys.len() + 1);
        puts.push(self.ledger_record());
        puts.extend(keys.iter().map(pickle::prekey));
        Changes {
            puts,
            deletes: dropped.iter().map(|id| pickle::prekey_key(*id)).collect(),
            ..Changes::default()
        }
    }

    pub(crate) fn set_ledger(&mut self, ledger: PrekeyLedger) -> Changes {
        self.ledger = ledger;
        put(self.ledger_record())
    }

    fn record(&self) -> Record {
        pickle::device(self)
    }

    fn connection_record(&self) -> Record {
        pickle::connection(self.routing.as_deref(), self.server.as_ref())
    }

    fn ledger_record(&self) -> Record {
        pickle::ledger(&self.ledger)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("provider", &self.provider)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

fn put(record: Record) -> Changes {
    Changes {
        puts: vec![record],
        ..Changes::default()
    }
}
