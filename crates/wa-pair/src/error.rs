use thiserror::Error;

/// Why a pair-success was refused. Whatever it was, the server got an error reply first.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// The stanza has no `device-identity` with a content.
    #[error("pair-success without a device identity")]
    DeviceIdentityMissing,
    /// The device identity is empty or too long.
    #[error("device identity of {got} bytes, expected 1 to {limit}")]
    DeviceIdentityLength {
        /// Bytes received.
        got: usize,
        /// [`MAX_DEVICE_IDENTITY_LEN`](crate::MAX_DEVICE_IDENTITY_LEN).
        limit: usize,
    },
    /// The stanza has no `device` with a `jid`.
    #[error("pair-success without a device JID")]
    DeviceMissing,
    /// The JID is not that of a companion device of a user.
    #[error("pair-success with a JID that is no companion device")]
    DeviceJid,
    /// The outermost message does not decode.
    #[error("the device identity container does not decode")]
    Container,
    /// The HMAC is missing, has the wrong length or was made with another secret: the phone scanned
    /// a QR code that is not ours, or one we had replaced.
    #[error("the device identity was not made for our secret")]
    Hmac,
    /// The signed identity does not decode.
    #[error("the signed device identity does not decode")]
    Identity,
    /// The innermost details do not decode.
    #[error("the device identity details do not decode")]
    Details,
    /// The account key is missing or has the wrong length.
    #[error("account key of {got} bytes, expected 32")]
    AccountKeyLength {
        /// Bytes received.
        got: usize,
    },
    /// The account signature is missing or has the wrong length.
    #[error("account signature of {got} bytes, expected 64")]
    AccountSignatureLength {
        /// Bytes received.
        got: usize,
    },
    /// The account did not sign this device.
    #[error("the account signature does not verify")]
    AccountSignature,
    /// The details have no key index.
    #[error("the device identity has no key index")]
    KeyIndexMissing,
    /// The application refused.
    #[error("the application refused the link")]
    Refused,
    /// The application did not answer in time.
    #[error("nobody approved the link in time")]
    ApprovalTimedOut,
}

impl PairError {
    /// What the server is told (pairing chapter, A.8).
    pub const fn reply(&self) -> ErrorReply {
        match self {
            Self::Hmac
            | Self::AccountKeyLength { .. }
            | Self::AccountSignatureLength { .. }
            | Self::AccountSignature => ErrorReply {
                code: 401,
                text: "not-authorized",
            },
            _ => ErrorReply {
                code: 500,
                text: "internal-error",
            },
        }
    }
}

/// The `error` child of an error reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// Its `code`.
    pub code: u16,
    /// Its `text`.
    pub text: &'static str,
}
