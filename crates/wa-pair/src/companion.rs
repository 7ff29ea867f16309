use crate::ClientType;

/// What a code request says about this device (pairing chapter, B.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanionPlatform {
    /// `companion_platform_id`. The server refuses [`ClientType::Unknown`].
    pub id: ClientType,
    /// `companion_platform_display`, `Browser (System)`. The server refuses names it does not know:
    /// a brand of one's own belongs into the device properties, not here.
    pub display: String,
}

impl CompanionPlatform {
    /// The canonical form for a client type and the name of an operating system, as people and
    /// programs write it. A system the server might not know becomes `Linux`; types that it refuses
    /// for a code (unknown and desktop applications) become Chrome.
    pub fn new(client_type: ClientType, system: &str) -> Self {
        let id = match client_type {
            ClientType::Unknown | ClientType::Electron | ClientType::Uwp | ClientType::MacOs => {
                ClientType::Chrome
            }
            other => other,
        };
        let display = format!("{} ({})", browser(id), canonical_system(system));
        Self { id, display }
    }
}

impl Default for CompanionPlatform {
    /// `Chrome (Linux)`.
    fn default() -> Self {
        Self::new(ClientType::Chrome, "Linux")
    }
}

const fn browser(id: ClientType) -> &'static str {
    match id {
        ClientType::Edge => "Edge",
        ClientType::Firefox => "Firefox",
        ClientType::InternetExplorer => "IE",
        ClientType::Opera => "Opera",
        ClientType::Safari => "Safari",
        ClientType::AndroidTablet | ClientType::AndroidPhone | ClientType::AndroidAmbiguous => {
            "Android"
        }
        _ => "Chrome",
    }
}

/// The five names the server is known to take.
fn canonical_system(system: &str) -> &'static str {
    let name = system.trim().to_ascii_lowercase();
    let starts_with = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if starts_with(&["windows"]) {
        "Windows"
    } else if starts_with(&["mac os", "macos", "osx", "os x", "darwin"]) {
        "Mac OS"
    } else if starts_with(&["android"]) {
        "Android"
    } else if starts_with(&["ios", "iphone", "ipad"]) {
        "iOS"
    } else {
        "Linux"
    }
}
