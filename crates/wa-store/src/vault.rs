use wa_crypto::{constant_time_eq, hkdf_sha256, hmac_sha256};
use zeroize::Zeroizing;

use crate::account::AccountId;
use crate::codec::Reader;
use crate::error::{RandomError, UnsealError};
use crate::key_source::{KeyError, KeySource, Scheme};
use crate::passphrase::Stretch;
use crate::random;
use crate::sealer::AccountSealer;
use crate::secret::StoreKey;
use crate::xaes::XaesKey;

const MAGIC: &[u8; 8] = b"WASTORE\0";
const HEADER_VERSION: u16 = 1;
const WRAP_VERSION: u8 = 1;
const STORE_ID_LEN: usize = 16;
const VERIFIER_LEN: usize = 32;
const SCHEME_KEY: u8 = 1;
const SCHEME_PASSPHRASE: u8 = 2;

/// The sealing of one store: proves that the master key is right, and wraps the data keys of the accounts.
///
/// Every account has a random data key of its own. It is kept wrapped by the master key, so a new master key means
/// wrapping some keys of 32 bytes anew, not sealing everything anew.
///
/// A backend keeps [`header`](Self::header) in clear and passes it back on [`open`](Self::open).
pub struct Vault {
    header: Vec<u8>,
    store_id: [u8; STORE_ID_LEN],
    wrap: XaesKey,
}

impl Vault {
    /// The sealing of a new store. Makes the key file if that is the source and there is none.
    ///
    /// A passphrase takes a good part of a second of computing: not for an async thread.
    pub fn create(source: &KeySource) -> Result<Self, KeyError> {
        let (master, scheme) = source.create()?;
        let store_id = random::array()?;
        let mut header = encode_header(&store_id, &scheme);
        let verifier = verifier(&master, &store_id, &header);
        header.extend_from_slice(&verifier);
        Ok(Self::assemble(header, store_id, &master))
    }

    /// The sealing of a store that has this header. [`KeyError::WrongKey`] if the key is another; makes nothing.
    ///
    /// A passphrase takes a good part of a second of computing: not for an async thread.
    pub fn open(source: &KeySource, header: &[u8]) -> Result<Self, KeyError> {
        let (store_id, scheme) = decode_header(header)?;
        let master = source.open(&scheme)?;
        let (body, stored) = header
            .split_last_chunk::<VERIFIER_LEN>()
            .ok_or(KeyError::DamagedHeader)?;
        if !constant_time_eq(&verifier(&master, &store_id, body), stored) {
            return Err(KeyError::WrongKey);
        }
        Ok(Self::assemble(header.to_vec(), store_id, &master))
    }

    /// What the backend keeps in clear: how the key is found and the proof that it is right, nothing secret.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// A fresh data key for an account, and its wrapped form for the backend to keep.
    pub fn new_account(
        &self,
        account: &AccountId,
    ) -> Result<(AccountSealer, Vec<u8>), RandomError> {
        let data_key = random::secret()?;
        let wrapped = self.wrap(account, &data_key)?;
        Ok((AccountSealer::new(*account, &data_key), wrapped))
    }

    /// The sealing of an account from its wrapped data key.
    pub fn account(
        &self,
        account: &AccountId,
        wrapped: &[u8],
    ) -> Result<AccountSealer, UnsealError> {
        let data_key = self.unwrap(account, wrapped)?;
        Ok(AccountSealer::new(*account, &data_key))
    }

    /// The data key of an account wrapped for another master key.
    pub fn rewrap(
        &self,
        account: &AccountId,
        wrapped: &[u8],
        to: &Self,
    ) -> Result<Vec<u8>, RewrapError> {
        let data_key = self.unwrap(account, wrapped)?;
        Ok(to.wrap(account, &data_key)?)
    }

    fn assemble(header: Vec<u8>, store_id: [u8; STORE_ID_LEN], master: &StoreKey) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(
            master.expose(),
            &store_id,
            b"wa-store/1/wrap",
            key.as_mut_slice(),
        );
        Self {
            header,
            store_id,
            wrap: XaesKey::new(&key),
        }
    }

    fn wrap(&self, account: &AccountId, data_key: &[u8; 32]) -> Result<Vec<u8>, RandomError> {
        let mut wrapped = vec![WRAP_VERSION];
        self.wrap
            .seal(&self.wrap_aad(account), data_key, &mut wrapped)?;
        Ok(wrapped)
    }

    fn unwrap(
        &self,
        account: &AccountId,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, UnsealError> {
        let what = "key of the account";
        let tampered = UnsealError::Tampered { what };
        match wrapped.split_first() {
            Some((&WRAP_VERSION, sealed)) => {
                let key = self
                    .wrap
                    .open(&self.wrap_aad(account), sealed)
                    .ok_or(tampered.clone())?;
                Ok(Zeroizing::new(
                    key.as_slice().try_into().map_err(|_| tampered)?,
                ))
            }
            Some((&found, _)) if found > WRAP_VERSION => Err(UnsealError::Newer {
                what,
                found,
                known: WRAP_VERSION,
            }),
            _ => Err(tampered),
        }
    }

    fn wrap_aad(&self, account: &AccountId) -> Vec<u8> {
        [
            b"wa-store/data-key",
            &[WRAP_VERSION][..],
            &self.store_id,
            account.as_str().as_bytes(),
        ]
        .concat()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// Why a data key could not be wrapped anew.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewrapError {
    /// It does not open.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// No randomness to be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

fn encode_header(store_id: &[u8; STORE_ID_LEN], scheme: &Scheme) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&HEADER_VERSION.to_be_bytes());
    header.extend_from_slice(store_id);
    match scheme {
        Scheme::Key => header.push(SCHEME_KEY),
        Scheme::Passphrase(stretch) => {
            header.push(SCHEME_PASSPHRASE);
            header.extend_from_slice(&stretch.encode());
        }
    }
    header
}

fn decode_header(header: &[u8]) -> Result<([u8; STORE_ID_LEN], Scheme), KeyError> {
    let mut reader = Reader::new(header);
    let damaged = || KeyError::DamagedHeader;
    if reader.bytes(MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err(damaged());
    }
    let found = reader.u16().ok_or_else(damaged)?;
    if found > HEADER_VERSION {
        return Err(KeyError::NewerHeader {
            found,
            known: HEADER_VERSION,
        });
    }
    let store_id = reader.array().ok_or_else(damaged)?;
    let scheme = match reader.u8() {
        Some(SCHEME_KEY) => Scheme::Key,
        Some(SCHEME_PASSPHRASE) => {
            Scheme::Passphrase(Stretch::decode(&mut reader).ok_or_else(damaged)??)
        }
        _ => return Err(damaged()),
    };
    if found == HEADER_VERSION && reader.remaining().len() == VERIFIER_LEN {
        Ok((store_id, scheme))
    } else {
        Err(damaged())
    }
}

/// Proof that a master key belongs to a header: only that key gives it, and it gives nothing of the key away.
fn verifier(master: &StoreKey, store_id: &[u8; STORE_ID_LEN], header: &[u8]) -> [u8; VERIFIER_LEN] {
    let mut key = Zeroizing::new([0; 32]);
    hkdf_sha256(
        master.expose(),
        store_id,
        b"wa-store/1/verifier",
        key.as_mut_slice(),
    );
    hmac_sha256(key.as_slice(), &[header])
}
