//! What an application asks for and gets when it links by code.

use wa_core::{CodeRequest, PairingCode, PairingCodeError, PhoneNumber, PhoneNumberError};

/// A pairing code an application wants, for
/// [`Client::request_pairing_code`](crate::Client::request_pairing_code).
///
/// ```
/// use wa_client::{PairingCodeRequest, PhoneNumberError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = PairingCodeRequest::new("+1 (555) 123-4567")?.custom("ABCD-1234")?.push(false);
/// # drop(request);
/// assert_eq!(PairingCodeRequest::new("0171 1234567").unwrap_err(), PhoneNumberError::LeadingZero);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCodeRequest(CodeRequest);

impl PairingCodeRequest {
    /// A code to be typed on the phone with this number, which is international: country code first. `+`, spaces,
    /// dashes, dots and parentheses do not matter.
    pub fn new(number: &str) -> Result<Self, PhoneNumberError> {
        PhoneNumber::parse(number).map(Self::for_number)
    }

    /// The same for a number that has been read already.
    pub fn for_number(number: PhoneNumber) -> Self {
        Self(CodeRequest::new(number))
    }

    /// Use this code instead of a random one: eight of the digits 1 to 9 and the letters but I, O and U.
    pub fn custom(mut self, code: &str) -> Result<Self, PairingCodeError> {
        self.0.custom = Some(PairingCode::from_custom(code)?);
        Ok(self)
    }

    /// Whether the phone shows a notification that leads to the place for the code. Default: yes.
    pub fn push(mut self, push: bool) -> Self {
        self.0.push = push;
        self
    }
}

impl From<PairingCodeRequest> for CodeRequest {
    fn from(request: PairingCodeRequest) -> Self {
        request.0
    }
}

/// A pairing code the server has accepted: show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCodeLive {
    /// What the user types on the phone; [`display`](PairingCode::display) gives it as `ABCD-1234`. A secret as long as
    /// it is live.
    pub code: PairingCode,
    /// When it dies, wall clock in milliseconds.
    pub expires_at_unix_ms: u64,
}
