use wa_crypto::CryptoRng;

/// Largest registration id we mint (signal chapter, section 3: 1..16380).
pub const MAX_REGISTRATION_ID: u32 = 16380;

/// The registration id of this device: made once, equal in the login payload, the prekey upload,
/// prekey messages and retry receipts. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationId(u32);

impl RegistrationId {
    /// A fresh id, uniform over `1..=16380`.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        // Reducing 64 bits leaves a bias below 2^-49, and no loop that a broken generator could hold.
        let offset = rng.next_u64() % u64::from(MAX_REGISTRATION_ID);
        Self(u32::try_from(offset).map_or(1, |offset| offset + 1))
    }

    /// The id with this number: any but 0. Other clients mint larger ones than we do, and links of theirs can be
    /// imported.
    pub const fn new(value: u32) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The four bytes that stand in `eRegid` and in the `registration` node.
    pub const fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}
