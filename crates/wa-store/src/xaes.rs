use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use wa_crypto::{AeadKey, Provider};
use zeroize::Zeroizing;

use crate::error::RandomError;
use crate::random;

/// Bytes of the nonce in front of a sealed text.
pub(crate) const NONCE_LEN: usize = 24;

/// Bytes of the tag behind a sealed text.
pub(crate) const TAG_LEN: usize = 16;

/// XAES-256-GCM: AES-256-GCM with a nonce of 192 bits.
///
/// A store seals every write under the same data key for years, with nonces drawn at random, on machines that may be
/// cloned or restored. Nonces of 96 bits would have to stop after 2^32 writes; these are good for 2^80 under one
/// key. Under the hood it derives a key per nonce with two AES blocks, so it costs little more than AES-256-GCM and
/// rests on nothing else. Specification: C2SP, XAES-256-GCM.
pub(crate) struct XaesKey {
    derive: Aes256,
    k1: Zeroizing<[u8; 16]>,
}

impl XaesKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let derive = Aes256::new(key.into());
        let mut k1 = aes::Block::default();
        derive.encrypt_block(&mut k1);
        let mut k1 = Zeroizing::new(<[u8; 16]>::from(k1));
        double(&mut k1);
        Self { derive, k1 }
    }

    /// Nonce, ciphertext and tag of a plaintext, appended to `out`.
    pub(crate) fn seal(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), RandomError> {
        self.seal_with(&random::array()?, aad, plaintext, out);
        Ok(())
    }

    /// The plaintext of what [`seal`](Self::seal) appended; `None` if it is not that, or `aad` is another.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let (key, nonce) = self.message_key(nonce);
        let len = key.open_in_place(&nonce, aad, &mut buffer).ok()?.len();
        buffer.truncate(len);
        Some(buffer)
    }

    fn seal_with(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) {
        out.reserve(NONCE_LEN + plaintext.len() + TAG_LEN);
        out.extend_from_slice(nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let (key, nonce) = self.message_key(nonce);
        let body = out.get_mut(start..).unwrap_or_default();
        let tag = key.seal_in_place(&nonce, aad, body);
        out.extend_from_slice(&tag);
    }

    /// The AES-256-GCM key and nonce that belong to a long nonce.
    fn message_key(&self, nonce: &[u8; NONCE_LEN]) -> (AeadKey, [u8; 12]) {
        let (head, tail) = nonce.split_at(12);
        let mut key = Zeroizing::new([0; 32]);
        for (counter, half) in (1_u8..).zip(key.chunks_exact_mut(16)) {
            let mut block = aes::Block::default();
            let message = [0, counter, b'X', 0]
                .into_iter()
                .chain(head.iter().copied());
            for ((slot, byte), mask) in block.iter_mut().zip(message).zip(self.k1.iter()) {
                *slot = byte ^ mask;
            }
            self.derive.encrypt_block(&mut block);
            half.copy_from_slice(&block);
        }
        let short = tail.try_into().expect("24 bytes less 12 are 12");
        (AeadKey::new(Provider::rust(), &key), short)
    }
}

/// Multiplies by x in GF(2^128), most significant bit first, as CMAC derives its subkey.
fn double(block: &mut [u8; 16]) {
    let value = u128::from_be_bytes(*block);
    let carry = (value >> 127) * 0x87;
    *block = ((value << 1) ^ carry).to_be_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &[u8; NONCE_LEN] = b"ABCDEFGHIJKLMNOPQRSTUVWX";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_vectors_of_the_specification_hold() {
        for (key, aad, expected) in [
            (
                [1; 32],
                &b""[..],
                "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
            ),
            (
                [3; 32],
                b"c2sp.org/XAES-256-GCM",
                "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
            ),
        ] {
            let mut sealed = Vec::new();
            XaesKey::new(&key).seal_with(NONCE, aad, b"XAES-256-GCM", &mut sealed);
            assert_eq!(hex(&sealed[NONCE_LEN..]), expected);
            let opened = XaesKey::new(&key).open(aad, &sealed).unwrap();
            assert_eq!(opened.as_slice(), b"XAES-256-GCM");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let key = XaesKey::new(&[9; 32]);
        let mut sealed = Vec::new();
        key.seal(b"here", b"secret", &mut sealed).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bent = sealed.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"here", &bent).is_none());
        }
        for len in 0..sealed.len() {
            assert!(key.open(b"here", &sealed[..len]).is_none());
        }
        assert!(key.open(b"there", &sealed).is_none());
        assert!(XaesKey::new(&[8; 32]).open(b"here", &sealed).is_none());
        assert_eq!(key.open(b"here", &sealed).unwrap().as_slice(), b"secret");
    }
}
