//! Account and device verification: the signed identities of pairing chapter, A.6 and A.7, and the
//! device lists of F.3.

mod device_list_hash;
mod key_index_list;
mod own;
mod pair_success;
mod prefix;
mod signed_identity;

pub use device_list_hash::device_list_hash;
pub use key_index_list::{
    KeyIndexList, KeyIndexListError, MAX_KEY_INDEX_LIST_LEN, SignedKeyIndexList,
};
pub use own::{OwnIdentity, OwnIdentityError};
pub use pair_success::{MAX_DEVICE_IDENTITY_LEN, Verified, verify_pair_success};
pub use prefix::AdvFamily;
pub use signed_identity::{SignedIdentity, SignedIdentityError};
