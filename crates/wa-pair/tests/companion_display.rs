//! The display form in a code request is one the server knows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_pair::{ClientType, CompanionPlatform};

#[test]
fn the_default_is_chrome_on_linux() {
    let companion = CompanionPlatform::default();
    assert_eq!(companion.display, "Chrome (Linux)");
    assert_eq!(companion.id, ClientType::Chrome);
}

#[test]
fn systems_are_mapped_to_the_names_the_server_knows() {
    for (system, expected) in [
        ("Windows", "Windows"),
        ("Windows 11", "Windows"),
        ("windows", "Windows"),
        ("Mac OS", "Mac OS"),
        ("macOS 15", "Mac OS"),
        ("Darwin", "Mac OS"),
        ("Linux", "Linux"),
        ("Ubuntu", "Linux"),
        ("Android 15", "Android"),
        ("iOS", "iOS"),
        ("iPad", "iOS"),
        ("My Brand", "Linux"),
        ("", "Linux"),
        ("Chrome (Windows)", "Linux"),
    ] {
        let companion = CompanionPlatform::new(ClientType::Firefox, system);
        assert_eq!(
            companion.display,
            format!("Firefox ({expected})"),
            "{system}"
        );
    }
}

#[test]
fn every_client_type_has_a_browser_and_none_is_refused() {
    for client_type in ClientType::ALL {
        let companion = CompanionPlatform::new(client_type, "Linux");
        let (browser, _) = companion.display.split_once(" (").unwrap();
        let expected = match client_type {
            ClientType::Edge => "Edge",
            ClientType::Firefox => "Firefox",
            ClientType::InternetExplorer => "IE",
            ClientType::Opera => "Opera",
            ClientType::Safari => "Safari",
            ClientType::AndroidTablet | ClientType::AndroidPhone | ClientType::AndroidAmbiguous => {
                "Android"
            }
            _ => "Chrome",
        };
        assert_eq!(browser, expected);
        assert!(
            !matches!(
                companion.id,
                ClientType::Unknown | ClientType::Electron | ClientType::Uwp | ClientType::MacOs
            ),
            "{client_type:?}"
        );
    }
}
