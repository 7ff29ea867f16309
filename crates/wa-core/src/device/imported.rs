use std::collections::BTreeSet;
use std::fmt;

use wa_crypto::{AdvSecret, IdentityPublic, IdentitySecret, NoiseStaticSecret, Provider};
use wa_noise::NoiseRoot;
use wa_pair::{OwnIdentityError, SignedIdentity};
use wa_proto::{Jid, Server};
use wa_signal::{OneTimePrekey, PrekeyId, PrekeyLedger, RegistrationId, SignedPrekey};

use super::{Credentials, Device, MAX_ROUTING_LEN, MAX_STORED_PREKEYS, Origin, Registered, pickle};
use crate::record::{Changes, Wipe};

/// Longest name or platform taken over with a link; our own bound.
pub const MAX_IMPORTED_TEXT_LEN: usize = 1024;

/// A link that was made elsewhere, taken apart. `Debug` shows no key.
#[derive(Clone)]
pub struct ImportedDevice {
    /// Who computes with its keys.
    pub provider: Provider,
    /// Root of the service it is linked at.
    pub root: NoiseRoot,
    /// Number that names the device in Signal messages.
    pub registration: RegistrationId,
    /// The key it logs in with.
    pub noise: NoiseStaticSecret,
    /// Its identity.
    pub identity: IdentitySecret,
    /// The secret it was paired under.
    pub adv: AdvSecret,
    /// The signed prekey the server holds. Of one made at 0 the age is unknown, and it is renewed soon.
    pub signed_prekey: SignedPrekey,
    /// Private one-time prekeys that others may have been given.
    pub prekeys: Vec<OneTimePrekey>,
    /// The first id that no prekey ever had.
    pub next_prekey: PrekeyId,
    /// Own device JID.
    pub jid: Jid,
    /// Own device JID in the LID space.
    pub lid: Option<Jid>,
    /// The identity that phone and device signed.
    pub account: SignedIdentity,
    /// Platform of the phone.
    pub platform: Option<String>,
    /// Name of the business.
    pub business_name: Option<String>,
    /// Own name.
    pub push_name: Option<String>,
    /// Whether the account keys its chats by LID, if that is known.
    pub lid_migrated: Option<bool>,
    /// Routing info of its connections.
    pub routing: Option<Vec<u8>>,
    /// Identity keys of other devices. The phone's need not be among them.
    pub peers: Vec<(Jid, IdentityPublic)>,
}

impl fmt::Debug for ImportedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedDevice")
            .field("jid", &format_args!("{}", self.jid.redacted()))
            .field("prekeys", &self.prekeys.len())
            .field("peers", &self.peers.len())
            .finish_non_exhaustive()
    }
}

impl Device {
    /// The device of a link that was made elsewhere, and all that a store must hold of it, in the place of whatever
    /// the account held.
    ///
    /// The signatures are verified first: of the signed prekey, of the account and of the device. Whoever held the
    /// link before must not run any more.
    ///
    /// # Errors
    ///
    /// [`ImportedDeviceError`] when a part does not belong to the others.
    pub fn from_parts(parts: ImportedDevice) -> Result<(Self, Changes), ImportedDeviceError> {
        check_addresses(&parts)?;
        check_texts(&parts)?;
        check_prekeys(&parts)?;
        let own = parts.identity.public();
        parts
            .signed_prekey
            .public()
            .verify(&own)
            .map_err(|_| ImportedDeviceError::SignedPrekeySignature)?;
        let identity = parts.account.verify_own(&own)?;
        let ledger = PrekeyLedger::restore(parts.next_prekey, parts.next_prekey)
            .expect("nothing lies between two marks in one place");
        let registered = Registered {
            primary_identity: *parts.account.account_key(),
            jid: parts.jid,
            lid: parts.lid,
            account: parts.account,
            key_index: identity.key_index,
            platform: parts.platform,
            business_name: parts.business_name,
            push_name: parts.push_name,
            lid_migrated: parts.lid_migrated,
            logins: 0,
            paired_at: identity.timestamp,
        };
        let primary = pickle::peer_identity(&registered.primary(), &registered.primary_identity);
        let current = parts.signed_prekey.id;
        let device = Self {
            provider: parts.provider,
            registration: parts.registration,
            noise: parts.noise,
            identity: parts.identity,
            adv: parts.adv,
            signed_prekeys: vec![parts.signed_prekey],
            current,
            newest: current,
            rotate_after: 0,
            ledger,
            credentials: Credentials::Registered(Box::new(registered)),
            routing: parts.routing,
            server: None,
            root: Some(parts.root),
            origin: Origin::Stored,
        };
        let mut changes = device.initial_changes();
        // Somebody else's peers are not this link's.
        changes.wipe = Wipe::All;
        let peers = parts.peers.iter();
        changes
            .puts
            .extend(parts.prekeys.iter().map(pickle::prekey));
        changes
            .puts
            .extend(peers.map(|(owner, key)| pickle::peer_identity(owner, key)));
        changes.puts.push(primary);
        Ok((device, changes))
    }
}

fn check_addresses(parts: &ImportedDevice) -> Result<(), ImportedDeviceError> {
    let jid = &parts.jid;
    let is_companion = jid.device() != 0 && jid.user_number().is_some();
    if !is_companion || !matches!(jid.server(), Server::Pn | Server::Hosted) {
        return Err(ImportedDeviceError::Jid);
    }
    match &parts.lid {
        Some(lid)
            if lid.device() != jid.device()
                || !matches!(lid.server(), Server::Lid | Server::HostedLid) =>
        {
            Err(ImportedDeviceError::Lid)
        }
        _ => Ok(()),
    }
}

fn check_texts(parts: &ImportedDevice) -> Result<(), ImportedDeviceError> {
    let texts = [
        ("platform", &parts.platform),
        ("business name", &parts.business_name),
        ("push name", &parts.push_name),
    ];
    let lengths = texts
        .into_iter()
        .map(|(what, text)| (what, text.as_ref().map_or(0, String::len)));
    for (what, got) in lengths {
        if got > MAX_IMPORTED_TEXT_LEN {
            return Err(ImportedDeviceError::TooLong {
                what,
                got,
                limit: MAX_IMPORTED_TEXT_LEN,
            });
        }
    }
    let got = parts.routing.as_ref().map_or(0, Vec::len);
    if got > MAX_ROUTING_LEN {
        return Err(ImportedDeviceError::TooLong {
            what: "routing info",
            got,
            limit: MAX_ROUTING_LEN,
        });
    }
    Ok(())
}

fn check_prekeys(parts: &ImportedDevice) -> Result<(), ImportedDeviceError> {
    let next = parts.next_prekey;
    if parts.prekeys.len() > MAX_STORED_PREKEYS {
        return Err(ImportedDeviceError::TooManyPrekeys {
            got: parts.prekeys.len(),
            limit: MAX_STORED_PREKEYS,
        });
    }
    let mut seen = BTreeSet::new();
    for id in parts.prekeys.iter().map(|key| key.id) {
        if id >= next {
            return Err(ImportedDeviceError::PrekeyAhead { id, next });
        }
        if !seen.insert(id) {
            return Err(ImportedDeviceError::PrekeyTwice { id });
        }
    }
    Ok(())
}

/// Why the parts are no link.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportedDeviceError {
    /// The JID is not that of a companion.
    #[error("its JID is not that of a companion device of a phone number")]
    Jid,
    /// The LID belongs elsewhere.
    #[error("its LID is not that of the same device in the LID space")]
    Lid,
    /// Another identity signed the signed prekey.
    #[error("the signature of its signed prekey does not verify")]
    SignedPrekeySignature,
    /// Phone or device did not sign.
    #[error(transparent)]
    Identity(#[from] OwnIdentityError),
    /// A prekey that does not exist yet.
    #[error("it has prekey {id}, but the next one to be made would be {next}")]
    PrekeyAhead {
        /// Its id.
        id: PrekeyId,
        /// The first id never used.
        next: PrekeyId,
    },
    /// Two keys under one id.
    #[error("it has two prekeys {id}")]
    PrekeyTwice {
        /// The id.
        id: PrekeyId,
    },
    /// More keys than are ever kept.
    #[error("it has {got} prekeys, at most {limit} are kept")]
    TooManyPrekeys {
        /// How many.
        got: usize,
        /// [`MAX_STORED_PREKEYS`].
        limit: usize,
    },
    /// A text that is not believed.
    #[error("its {what} has {got} bytes, at most {limit} are taken")]
    TooLong {
        /// Which.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The bound.
        limit: usize,
    },
}
