use wa_proto::pb::AdvEncryptionType;

/// Which set of prefixes signatures are made under (pairing chapter, A.7). The prefix separates the
/// kinds of signed messages from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdvFamily {
    /// An ordinary account.
    E2ee,
    /// An account whose devices are hosted by a business service.
    Hosted,
}

impl AdvFamily {
    /// Both families, in the order they are tried.
    pub(crate) const ALL: [Self; 2] = [Self::E2ee, Self::Hosted];

    /// The family a message names; anything but HOSTED, absence included, is the ordinary one.
    pub(crate) fn of(encryption_type: Option<i32>) -> Self {
        if encryption_type == Some(AdvEncryptionType::Hosted as i32) {
            Self::Hosted
        } else {
            Self::E2ee
        }
    }

    /// Before the HMAC input of a pair-success container.
    pub(crate) const fn hmac_prefix(self) -> &'static [u8] {
        match self {
            Self::E2ee => &[],
            Self::Hosted => &[6, 5],
        }
    }

    /// Before `details ‖ companion identity`, signed by the account.
    pub(crate) const fn account_prefix(self) -> &'static [u8] {
        match self {
            Self::E2ee => &[6, 0],
            Self::Hosted => &[6, 5],
        }
    }

    /// Before `details ‖ companion identity ‖ account key`, signed by the device. Our own device always
    /// signs under the ordinary one.
    pub(crate) const fn device_prefix(self) -> &'static [u8] {
        match self {
            Self::E2ee => &[6, 1],
            Self::Hosted => &[6, 6],
        }
    }

    /// Before the details of a key index list, signed by the account.
    pub(crate) const fn key_index_list_prefix(self) -> &'static [u8] {
        match self {
            Self::E2ee => &[6, 2],
            Self::Hosted => &[6, 7],
        }
    }
}
