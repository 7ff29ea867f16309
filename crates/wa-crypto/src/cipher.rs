use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};

/// Bytes of an AES block.
const BLOCK_LEN: usize = 16;

/// Why AES-CBC gave no plaintext.
///
/// Check a MAC before decrypting and answer both cases alike: telling a peer which one it was helps it decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CbcError {
    /// No whole number of blocks, or none at all.
    #[error("a CBC ciphertext is one or more blocks of 16 bytes, not {got} bytes")]
    Length {
        /// How many bytes there were.
        got: usize,
    },
    /// The last block does not end in PKCS #7 padding.
    #[error("the padding is wrong")]
    Padding,
}

/// AES-256-CTR: encrypts and decrypts. The counter is the whole 16-byte block, big-endian, and wraps (pairing
/// chapter, B.3).
pub fn aes256_ctr_apply(key: &[u8; 32], iv: &[u8; BLOCK_LEN], data: &mut [u8]) {
    ctr::Ctr128BE::<Aes256>::new(key.into(), iv.into()).apply_keystream(data);
}

/// AES-256-CBC with PKCS #7 padding.
pub fn aes256_cbc_encrypt(key: &[u8; 32], iv: &[u8; BLOCK_LEN], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// AES-256-CBC with PKCS #7 padding.
///
/// # Errors
/// [`CbcError`] for a length that cannot be, or padding that is wrong.
pub fn aes256_cbc_decrypt(
    key: &[u8; 32],
    iv: &[u8; BLOCK_LEN],
    ciphertext: &[u8],
) -> Result<Vec<u8>, CbcError> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_LEN) {
        return Err(CbcError::Length {
            got: ciphertext.len(),
        });
    }
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|_| CbcError::Padding)
}
