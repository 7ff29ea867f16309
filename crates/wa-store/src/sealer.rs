use wa_core::{Record, RecordKind};
use wa_crypto::{constant_time_eq, hkdf_sha256, hmac_sha256};
use zeroize::Zeroizing;

use crate::account::AccountId;
use crate::codec::{Reader, Writer, field_len, optional_text_len};
use crate::error::{RandomError, UnsealError};
use crate::limits::{MAX_LABEL_LEN, MAX_RECORD_KEY_LEN, MAX_RECORD_VALUE_LEN};
use crate::xaes::XaesKey;

const SEAL_VERSION: u8 = 1;

/// Bytes of a [`Slot`].
const SLOT_LEN: usize = 16;

/// Place of a record inside its account: a keyed hash of its kind and key.
///
/// Record keys can be phone numbers, so a backend never sees them; the same key always gives the same slot within
/// an account and an unrelated one elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot([u8; SLOT_LEN]);

impl Slot {
    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SLOT_LEN] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Slot {
    type Error = UnsealError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| UnsealError::Tampered { what: "slot" })
    }
}

/// The personal part of an account's row.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The user's own name for the account.
    pub label: String,
    /// Own device JID.
    pub jid: Option<String>,
    /// Own device JID in the LID space.
    pub lid: Option<String>,
    /// Platform of the phone.
    pub platform: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile")
    }
}

/// Seals and opens what belongs to one account.
///
/// Whatever is sealed is bound to the account, to what it is and to its place: a row put in another place, or in
/// another account or store, does not open. An old version of the same row in the same place does: no store can tell
/// that without a counter kept elsewhere.
pub struct AccountSealer {
    account: AccountId,
    seal: XaesKey,
    slots: Zeroizing<[u8; 32]>,
}

impl AccountSealer {
    pub(crate) fn new(account: AccountId, data_key: &[u8; 32]) -> Self {
        let salt = account.as_str().as_bytes();
        let mut seal = Zeroizing::new([0; 32]);
        hkdf_sha256(data_key, salt, b"wa-store/1/seal", seal.as_mut_slice());
        let mut slots = Zeroizing::new([0; 32]);
        hkdf_sha256(data_key, salt, b"wa-store/1/slots", slots.as_mut_slice());
        Self {
            account,
            seal: XaesKey::new(&seal),
            slots,
        }
    }

    /// Where the record of this kind and key is kept.
    #[must_use]
    pub fn slot(&self, kind: RecordKind, key: &[u8]) -> Slot {
        let hash = hmac_sha256(self.slots.as_slice(), &[&kind.code().to_be_bytes(), key]);
        let mut slot = [0; SLOT_LEN];
        for (to, from) in slot.iter_mut().zip(hash) {
            *to = from;
        }
        Slot(slot)
    }

    /// Seals a record, key and value, for its slot.
    pub fn seal_record(&self, record: &Record) -> Result<(Slot, Vec<u8>), RandomError> {
        let slot = self.slot(record.kind, &record.key);
        let mut plain = Writer::with_capacity(field_len(&record.key) + record.value.len());
        plain.field(&record.key);
        plain.bytes(record.value.expose());
        let sealed = self.seal(&self.record_aad(record.kind.code(), slot), &plain.finish())?;
        Ok((slot, sealed))
    }

    /// Opens what [`seal_record`](Self::seal_record) gave, from the kind's stored number and the slot it was found in.
    pub fn open_record(&self, kind: u16, slot: Slot, sealed: &[u8]) -> Result<Record, UnsealError> {
        let what = "record";
        let plain = self.open(&self.record_aad(kind, slot), sealed, what)?;
        let known = RecordKind::from_code(kind).ok_or(UnsealError::UnknownKind { code: kind })?;
        let mut reader = Reader::new(&plain);
        let key = reader.field().ok_or(UnsealError::Tampered { what })?;
        let value = reader.remaining();
        let fits = key.len() <= MAX_RECORD_KEY_LEN && value.len() <= MAX_RECORD_VALUE_LEN;
        if !fits || !constant_time_eq(self.slot(known, key).as_bytes(), slot.as_bytes()) {
            return Err(UnsealError::Tampered { what });
        }
        Ok(Record::new(known, key, value.to_vec()))
    }

    /// Seals the personal part of the account's row.
    pub fn seal_profile(&self, profile: &Profile) -> Result<Vec<u8>, RandomError> {
        let optional = [&profile.jid, &profile.lid, &profile.platform];
        let len = optional
            .map(|text| optional_text_len(text.as_deref()))
            .iter()
            .sum::<usize>();
        let mut plain = Writer::with_capacity(field_len(profile.label.as_bytes()) + len);
        plain.field(profile.label.as_bytes());
        for text in optional {
            plain.optional_text(text.as_deref());
        }
        self.seal(&self.profile_aad(), &plain.finish())
    }

    /// Opens what [`seal_profile`](Self::seal_profile) gave.
    pub fn open_profile(&self, sealed: &[u8]) -> Result<Profile, UnsealError> {
        let what = "account row";
        let plain = self.open(&self.profile_aad(), sealed, what)?;
        let profile =
            read_profile(&mut Reader::new(&plain)).ok_or(UnsealError::Tampered { what })?;
        if profile.label.len() > MAX_LABEL_LEN {
            return Err(UnsealError::Tampered { what });
        }
        Ok(profile)
    }

    fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, RandomError> {
        let mut sealed = vec![SEAL_VERSION];
        self.seal.seal(aad, plain, &mut sealed)?;
        Ok(sealed)
    }

    fn open(
        &self,
        aad: &[u8],
        sealed: &[u8],
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        match sealed.split_first() {
            Some((&SEAL_VERSION, sealed)) => self
                .seal
                .open(aad, sealed)
                .ok_or(UnsealError::Tampered { what }),
            Some((&found, _)) if found > SEAL_VERSION => Err(UnsealError::Newer {
                what,
                found,
                known: SEAL_VERSION,
            }),
            _ => Err(UnsealError::Tampered { what }),
        }
    }

    fn record_aad(&self, kind: u16, slot: Slot) -> Vec<u8> {
        [
            b"wa-store/record",
            &[SEAL_VERSION][..],
            self.account.as_str().as_bytes(),
            &kind.to_be_bytes(),
            slot.as_bytes(),
        ]
        .concat()
    }

    fn profile_aad(&self) -> Vec<u8> {
        [
            b"wa-store/profile",
            &[SEAL_VERSION][..],
            self.account.as_str().as_bytes(),
        ]
        .concat()
    }
}

impl std::fmt::Debug for AccountSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountSealer({})", self.account)
    }
}

fn read_profile(reader: &mut Reader<'_>) -> Option<Profile> {
    let profile = Profile {
        label: reader.text()?,
        jid: reader.optional_text()?,
        lid: reader.optional_text()?,
        platform: reader.optional_text()?,
    };
    reader.remaining().is_empty().then_some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_kind_of_the_future_is_told_from_a_forged_one() {
        let account = "0123456789abcdef".parse().unwrap();
        let sealer = AccountSealer::new(account, &[7; 32]);
        let slot = Slot([1; SLOT_LEN]);
        let sealed = sealer
            .seal(&sealer.record_aad(60_000, slot), b"of the future")
            .unwrap();
        assert_eq!(
            sealer.open_record(60_000, slot, &sealed).unwrap_err(),
            UnsealError::UnknownKind { code: 60_000 }
        );
        assert_eq!(
            sealer.open_record(60_001, slot, &sealed).unwrap_err(),
            UnsealError::Tampered { what: "record" }
        );
    }
}
