use wa_proto::pb::device_props::PlatformType;

/// What kind of client the QR code (and later the code request) claims to be: the last field of the
/// QR text (pairing chapter, A.2). These are not the numbers of `DeviceProps.PlatformType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientType {
    /// `0`. The server refuses it in the pairing-code flow.
    Unknown,
    /// `1`.
    #[default]
    Chrome,
    /// `2`.
    Edge,
    /// `3`.
    Firefox,
    /// `4`.
    InternetExplorer,
    /// `5`.
    Opera,
    /// `6`.
    Safari,
    /// `7`: Electron or another desktop app.
    Electron,
    /// `8`: the Windows app.
    Uwp,
    /// `9`: any other web client.
    OtherWeb,
    /// `c`: the macOS app.
    MacOs,
    /// `d`.
    AndroidTablet,
    /// `e`.
    AndroidPhone,
    /// `f`.
    AndroidAmbiguous,
}

impl ClientType {
    /// Every client type, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::Unknown,
        Self::Chrome,
        Self::Edge,
        Self::Firefox,
        Self::InternetExplorer,
        Self::Opera,
        Self::Safari,
        Self::Electron,
        Self::Uwp,
        Self::OtherWeb,
        Self::MacOs,
        Self::AndroidTablet,
        Self::AndroidPhone,
        Self::AndroidAmbiguous,
    ];

    /// The client type that goes with the platform a device registers as. Android types come only by
    /// explicit choice: the server wants an attestation for them.
    pub const fn for_platform(platform: PlatformType) -> Self {
        match platform {
            PlatformType::Chrome | PlatformType::AndroidPhone => Self::Chrome,
            PlatformType::Edge => Self::Edge,
            PlatformType::Firefox => Self::Firefox,
            PlatformType::Ie => Self::InternetExplorer,
            PlatformType::Opera => Self::Opera,
            PlatformType::Safari => Self::Safari,
            PlatformType::Desktop => Self::Electron,
            PlatformType::Uwp => Self::Uwp,
            _ => Self::OtherWeb,
        }
    }

    /// The client type with this code.
    pub fn from_code(code: char) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|client_type| client_type.code() == code)
    }

    /// The character that stands for it.
    pub const fn code(self) -> char {
        match self {
            Self::Unknown => '0',
            Self::Chrome => '1',
            Self::Edge => '2',
            Self::Firefox => '3',
            Self::InternetExplorer => '4',
            Self::Opera => '5',
            Self::Safari => '6',
            Self::Electron => '7',
            Self::Uwp => '8',
            Self::OtherWeb => '9',
            Self::MacOs => 'c',
            Self::AndroidTablet => 'd',
            Self::AndroidPhone => 'e',
            Self::AndroidAmbiguous => 'f',
        }
    }
}
