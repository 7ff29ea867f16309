//! The state that outlives the process: what the server and the phones believe.
//!
//! Connections, scans, open ceremonies and faults are not part of it. It holds the simulated world's private keys, which
//! protect nothing but tests; treat the file as private all the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wa_crypto::{
    CertificateSecret, IdentityPublic, IdentitySecret, NoiseStaticPublic, NoiseStaticSecret,
    OneTimePrekeyPublic, PublicKey as _, Signature, SignedPrekeyPublic,
};
use wa_signal::{PrekeyId, PublicPrekey, PublicSignedPrekey, SignedPrekeyId};
use zeroize::Zeroizing;

use super::World;
use super::handshake::ServerKeys;
use crate::account::{Account, Bundle, Device};
use crate::authenticator::Passkey;
use crate::config::WorldConfig;
use crate::names::{Now, PhoneNumber};
use crate::phone::{Companion, KeyList, Phone, PhoneConfig};
use crate::used_prekeys::UsedPrekeys;

/// The version written into every state.
pub const STATE_VERSION: u32 = 1;

/// Why a state was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Written by another version.
    #[error("the state has version {got}, this simulator reads {expected}")]
    Version {
        /// What is read.
        expected: u32,
        /// What it says.
        got: u32,
    },
    /// A value is not what it should be.
    #[error("{0} in the state is malformed")]
    Value(&'static str),
}

/// Everything the world would have to remember over a restart. Write it as JSON.
#[derive(Clone, Serialize, Deserialize)]
pub struct WorldState {
    version: u32,
    root: String,
    intermediate: String,
    server_static: String,
    accounts: Vec<AccountState>,
}

impl std::fmt::Debug for WorldState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WorldState")
            .field("accounts", &self.accounts.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct AccountState {
    number: PhoneNumber,
    lid: u64,
    created_at: u64,
    phone: PhoneState,
    key_list: Option<KeyListState>,
    devices: Vec<DeviceState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passkey: Option<PasskeyState>,
}

#[derive(Clone, Serialize, Deserialize)]
struct PasskeyState {
    credential: String,
    user_handle: String,
    secret: String,
    counter: u32,
    seen: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct PhoneState {
    config: PhoneConfig,
    identity: String,
    raw_id: u32,
    current_key_index: u32,
    companions: Vec<CompanionState>,
}

#[derive(Clone, Serialize, Deserialize)]
struct CompanionState {
    device: u16,
    key_index: u32,
    identity: String,
    added_at: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeyListState {
    timestamp: u64,
    signed: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct DeviceState {
    device: u16,
    key_index: u32,
    noise: String,
    identity: String,
    registration: u32,
    props: String,
    signed_identity: String,
    linked_at: u64,
    routing: Option<String>,
    logins: u32,
    last_seen: u64,
    bundle: Option<BundleState>,
    /// Prekey ids uploaded once, with the beginning of the key.
    #[serde(default)]
    used_prekeys: Vec<(u32, u64)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct BundleState {
    signed_id: u32,
    signed_key: String,
    signature: String,
    one_time: Vec<(u32, String)>,
}

impl World {
    /// What has to outlive the process.
    pub fn export(&self) -> WorldState {
        WorldState {
            version: STATE_VERSION,
            root: encode(self.server.root_secret.expose_bytes()),
            intermediate: encode(self.server.intermediate_secret.expose_bytes()),
            server_static: encode(self.server.static_secret().expose_bytes()),
            accounts: self.accounts.values().map(AccountState::of).collect(),
        }
    }

    /// A world that goes on where another one stopped. Certificates are issued anew.
    ///
    /// # Errors
    /// When the state is of another version or malformed.
    pub fn import(
        config: WorldConfig,
        seed: [u8; 32],
        now: Now,
        state: &WorldState,
    ) -> Result<Self, ImportError> {
        if state.version != STATE_VERSION {
            return Err(ImportError::Version {
                expected: STATE_VERSION,
                got: state.version,
            });
        }
        let mut world = Self::new(config, seed, now);
        let provider = world.config.provider;
        let root = secret("root", &state.root)?;
        let intermediate = secret("intermediate", &state.intermediate)?;
        let server_static = secret("server_static", &state.server_static)?;
        world.server = ServerKeys::from_secrets(
            CertificateSecret::from_bytes(provider, &root),
            CertificateSecret::from_bytes(provider, &intermediate),
            NoiseStaticSecret::from_bytes(provider, &server_static),
            &world.config,
            now,
            &mut world.rng,
        );
        for account in &state.accounts {
            world.import_account(account, now)?;
        }
        Ok(world)
    }

    fn import_account(&mut self, state: &AccountState, now: Now) -> Result<(), ImportError> {
        let provider = self.config.provider;
        let identity = secret("identity", &state.phone.identity)?;
        let mut phone = Phone::with_identity(
            state.number,
            state.phone.config.clone(),
            IdentitySecret::from_bytes(provider, &identity),
            state.phone.raw_id,
            provider,
            now,
            &mut self.rng,
        );
        phone.current_key_index = state.phone.current_key_index;
        for companion in &state.phone.companions {
            phone.linked(companion.restore()?);
        }
        self.add_account(phone, state.lid, state.created_at);
        let Some(account) = self.accounts.get_mut(&state.number) else {
            return Ok(());
        };
        account.key_list = match &state.key_list {
            Some(list) => Some(KeyList {
                timestamp: list.timestamp,
                signed: decode("key_list", &list.signed)?,
            }),
            None => None,
        };
        for device in &state.devices {
            account.devices.insert(device.device, device.restore()?);
        }
        account.passkey = state
            .passkey
            .as_ref()
            .map(PasskeyState::restore)
            .transpose()?;
        Ok(())
    }
}

impl AccountState {
    fn of(account: &Account) -> Self {
        let phone = &account.phone;
        Self {
            number: account.number,
            lid: account.lid,
            created_at: account.created_at,
            phone: PhoneState {
                config: phone.config.clone(),
                identity: encode(phone.identity.expose_bytes()),
                raw_id: phone.raw_id,
                current_key_index: phone.current_key_index,
                companions: phone.companions.iter().map(CompanionState::of).collect(),
            },
            key_list: account.key_list.as_ref().map(|list| KeyListState {
                timestamp: list.timestamp,
                signed: encode(&list.signed),
            }),
            devices: account
                .devices
                .iter()
                .map(|(number, device)| DeviceState::of(*number, device))
                .collect(),
            passkey: account.passkey.as_ref().map(PasskeyState::of),
        }
    }
}

impl PasskeyState {
    fn of(passkey: &Passkey) -> Self {
        Self {
            credential: encode(passkey.credential),
            user_handle: encode(passkey.user_handle),
            secret: encode(passkey.secret_bytes()),
            counter: passkey.counter,
            seen: passkey.seen,
        }
    }

    fn restore(&self) -> Result<Passkey, ImportError> {
        Passkey::restore(
            array("credential", &self.credential)?,
            array("user_handle", &self.user_handle)?,
            &*secret("secret", &self.secret)?,
            self.counter,
            self.seen,
        )
        .ok_or(ImportError::Value("secret"))
    }
}

impl CompanionState {
    fn of(companion: &Companion) -> Self {
        Self {
            device: companion.device,
            key_index: companion.key_index,
            identity: encode(companion.identity.as_bytes()),
            added_at: companion.added_at,
        }
    }

    fn restore(&self) -> Result<Companion, ImportError> {
        Ok(Companion {
            device: self.device,
            key_index: self.key_index,
            identity: IdentityPublic::from_bytes(array("identity", &self.identity)?),
            added_at: self.added_at,
        })
    }
}

impl DeviceState {
    fn of(number: u16, device: &Device) -> Self {
        Self {
            device: number,
            key_index: device.key_index,
            noise: encode(device.noise.as_bytes()),
            identity: encode(device.identity.as_bytes()),
            registration: device.registration,
            props: encode(&device.props),
            signed_identity: encode(&device.signed_identity),
            linked_at: device.linked_at,
            routing: device.routing.as_deref().map(encode),
            logins: device.logins,
            last_seen: device.last_seen,
            bundle: device.bundle.as_ref().map(BundleState::of),
            used_prekeys: device.used_prekeys.iter().collect(),
        }
    }

    fn restore(&self) -> Result<Device, ImportError> {
        let mut used_prekeys = UsedPrekeys::default();
        for (id, start) in &self.used_prekeys {
            used_prekeys.note_start(*id, *start);
        }
        Ok(Device {
            key_index: self.key_index,
            noise: NoiseStaticPublic::from_bytes(array("noise", &self.noise)?),
            identity: IdentityPublic::from_bytes(array("identity", &self.identity)?),
            registration: self.registration,
            props: decode("props", &self.props)?,
            signed_identity: decode("signed_identity", &self.signed_identity)?,
            linked_at: self.linked_at,
            bundle: self.bundle.as_ref().map(BundleState::restore).transpose()?,
            used_prekeys,
            routing: self
                .routing
                .as_deref()
                .map(|text| decode("routing", text))
                .transpose()?,
            logins: self.logins,
            last_seen: self.last_seen,
            online: None,
            waiting: Default::default(),
        })
    }
}

impl BundleState {
    fn of(bundle: &Bundle) -> Self {
        Self {
            signed_id: bundle.signed.id.get(),
            signed_key: encode(bundle.signed.key.as_bytes()),
            signature: encode(bundle.signed.signature.as_bytes()),
            one_time: bundle
                .one_time
                .iter()
                .map(|prekey| (prekey.id.get(), encode(prekey.key.as_bytes())))
                .collect(),
        }
    }

    fn restore(&self) -> Result<Bundle, ImportError> {
        let signed = PublicSignedPrekey {
            id: SignedPrekeyId::new(self.signed_id).ok_or(ImportError::Value("signed_id"))?,
            key: SignedPrekeyPublic::from_bytes(array("signed_key", &self.signed_key)?),
            signature: Signature::from_bytes(array("signature", &self.signature)?),
        };
        let one_time = self
            .one_time
            .iter()
            .map(|(id, key)| {
                Ok(PublicPrekey {
                    id: PrekeyId::new(*id).ok_or(ImportError::Value("one_time"))?,
                    key: OneTimePrekeyPublic::from_bytes(array("one_time", key)?),
                })
            })
            .collect::<Result<_, ImportError>>()?;
        Ok(Bundle { signed, one_time })
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, ImportError> {
    STANDARD.decode(text).map_err(|_| ImportError::Value(name))
}

fn array<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], ImportError> {
    decode(name, text)?
        .try_into()
        .map_err(|_| ImportError::Value(name))
}

fn secret(name: &'static str, text: &str) -> Result<Zeroizing<[u8; 32]>, ImportError> {
    array(name, text).map(Zeroizing::new)
}
