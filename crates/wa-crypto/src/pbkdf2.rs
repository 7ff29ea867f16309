use sha2::block_api::compress256;
use zeroize::Zeroizing;

use crate::{hmac_sha256, sha256};

const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const BLOCK_LEN: usize = 64;

/// PBKDF2-HMAC-SHA-256 (RFC 8018) into the whole of `out`. Zero rounds count as one.
///
/// Takes milliseconds at the protocol's 131,072 rounds: keep it off threads that must not wait.
pub fn pbkdf2_sha256(password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]) {
    let key = Midstates::new(password);
    for (index, chunk) in (1u32..).zip(out.chunks_mut(32)) {
        let first = Zeroizing::new(hmac_sha256(password, &[salt, &index.to_be_bytes()]));
        let mut last = Zeroizing::new(words(&first));
        let mut sum = last.clone();
        let mut block = Zeroizing::new(padded_digest_block());
        for _ in 1..rounds {
            key.mac(&mut last, &mut block);
            for (sum, word) in sum.iter_mut().zip(last.iter()) {
                *sum ^= word;
            }
        }
        for (bytes, word) in chunk.chunks_mut(4).zip(sum.iter()) {
            let word = word.to_be_bytes();
            let (word, _) = word.split_at(bytes.len());
            bytes.copy_from_slice(word);
        }
    }
}

/// HMAC's two hash states after their key blocks. From here every round costs two compressions and nothing else.
struct Midstates {
    inner: Zeroizing<[u32; 8]>,
    outer: Zeroizing<[u32; 8]>,
}

impl Midstates {
    fn new(password: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; BLOCK_LEN]);
        if password.len() > BLOCK_LEN {
            let (head, _) = key.split_at_mut(32);
            head.copy_from_slice(&sha256(&[password]));
        } else {
            let (head, _) = key.split_at_mut(password.len());
            head.copy_from_slice(password);
        }
        Self {
            inner: Self::absorb(&key, 0x36),
            outer: Self::absorb(&key, 0x5C),
        }
    }

    fn absorb(key: &[u8; BLOCK_LEN], pad: u8) -> Zeroizing<[u32; 8]> {
        let mut state = Zeroizing::new(INITIAL_STATE);
        let block = Zeroizing::new(key.map(|byte| byte ^ pad));
        compress256(&mut state, core::slice::from_ref(&*block));
        state
    }

    /// Replaces `message`, a digest as words, by its MAC. `block` is scratch made by [`padded_digest_block`].
    fn mac(&self, message: &mut [u32; 8], block: &mut [u8; BLOCK_LEN]) {
        for start in [&self.inner, &self.outer] {
            for (bytes, word) in block.chunks_exact_mut(4).zip(message.iter()) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
            *message = **start;
            compress256(message, core::slice::from_ref(block));
        }
    }
}

/// The last block of a message of one key block and one digest: room for the digest, then SHA-256's padding.
fn padded_digest_block() -> [u8; BLOCK_LEN] {
    let mut block = [0; BLOCK_LEN];
    block[32] = 0x80;
    let bits: u16 = (BLOCK_LEN as u16 + 32) * 8;
    [block[62], block[63]] = bits.to_be_bytes();
    block
}

fn words(digest: &[u8; 32]) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(4)) {
        *word = u32::from_be_bytes(bytes.try_into().expect("chunks of four bytes"));
    }
    words
}
