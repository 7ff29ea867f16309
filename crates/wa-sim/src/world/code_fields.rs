//! The fields of companion_hello and companion_finish, and what each may hold (pairing chapter, B.4 and B.5).

use std::borrow::Cow;

use wa_crypto::{IdentityPublic, NoiseStaticPublic};
use wa_proto::{NodeRef, Server};

use super::remark::CeremonyError;
use crate::names::PhoneNumber;
use crate::phone::{BUNDLE_LEN, WRAPPED_LEN};

/// The client types a code can be asked for by; `0`, unknown, is refused (pairing chapter, A.2).
const PLATFORM_IDS: &[u8] = b"123456789cdef";
/// Both forms of the nonce that the server has taken.
const NONCES: [&[u8]; 2] = [&[0], b"0"];
/// The browsers a display may name; `Android` is what Android clients say.
const BROWSERS: [&str; 7] = [
    "Chrome", "Edge", "Firefox", "IE", "Opera", "Safari", "Android",
];
/// The operating systems a display may name. The first five are safe; the others are accepted today.
const SYSTEMS: [&str; 9] = [
    "Windows",
    "Mac OS",
    "Linux",
    "Android",
    "iOS",
    "Ubuntu",
    "Fedora",
    "Debian",
    "Chrome OS",
];
/// Longest display read, in bytes.
const MAX_DISPLAY_LEN: usize = 100;
/// Longest ref read back, in bytes.
const MAX_REF_LEN: usize = 256;

/// A companion_hello that holds.
pub(super) struct Hello {
    pub(super) number: PhoneNumber,
    pub(super) push: bool,
    pub(super) wrapped: [u8; WRAPPED_LEN],
    pub(super) noise: NoiseStaticPublic,
    pub(super) display: String,
}

/// A companion_finish that holds.
pub(super) struct Finish {
    pub(super) number: PhoneNumber,
    pub(super) bundle: [u8; BUNDLE_LEN],
    pub(super) identity: IdentityPublic,
    pub(super) reference: String,
}

impl Hello {
    pub(super) fn read(code: &NodeRef<'_>) -> Result<Self, CeremonyError> {
        let push = match code.attr_text("should_show_push_notification").as_deref() {
            Some("true") => true,
            Some("false") => false,
            Some(_) => return Err(CeremonyError::Value("should_show_push_notification")),
            None => return Err(CeremonyError::Missing("should_show_push_notification")),
        };
        let number = number(code)?;
        let wrapped = field(code, "link_code_pairing_wrapped_companion_ephemeral_pub")?;
        let noise = field(code, "companion_server_auth_key_pub")?;
        let [platform] = field(code, "companion_platform_id")?;
        if !PLATFORM_IDS.contains(&platform) {
            return Err(CeremonyError::Value("companion_platform_id"));
        }
        let display = text(code, "companion_platform_display", MAX_DISPLAY_LEN)?;
        if !is_canonical(&display) {
            return Err(CeremonyError::Display(display));
        }
        let nonce: [u8; 1] = field(code, "link_code_pairing_nonce")?;
        if !NONCES.contains(&nonce.as_slice()) {
            return Err(CeremonyError::Value("link_code_pairing_nonce"));
        }
        Ok(Self {
            number,
            push,
            wrapped,
            noise: NoiseStaticPublic::from_bytes(noise),
            display,
        })
    }
}

impl Finish {
    pub(super) fn read(code: &NodeRef<'_>) -> Result<Self, CeremonyError> {
        Ok(Self {
            number: number(code)?,
            bundle: field(code, "link_code_pairing_wrapped_key_bundle")?,
            identity: IdentityPublic::from_bytes(field(code, "companion_identity_public")?),
            reference: text(code, "link_code_pairing_ref", MAX_REF_LEN)?,
        })
    }
}

/// The number in `jid`: a user, and no device of one.
pub(super) fn number(code: &NodeRef<'_>) -> Result<PhoneNumber, CeremonyError> {
    let jid = code.attr_jid("jid").ok_or(CeremonyError::Missing("jid"))?;
    let wrong = || CeremonyError::Value("jid");
    if jid.server() != Server::Pn || jid.device() != 0 {
        return Err(wrong());
    }
    jid.user()
        .parse()
        .ok()
        .and_then(|digits| PhoneNumber::new(digits).ok())
        .ok_or_else(wrong)
}

/// The content of a child that has exactly `N` bytes.
pub(super) fn field<const N: usize>(
    parent: &NodeRef<'_>,
    field: &'static str,
) -> Result<[u8; N], CeremonyError> {
    let bytes = content(parent, field)?;
    <[u8; N]>::try_from(&*bytes).map_err(|_| CeremonyError::Length {
        field,
        expected: N,
        got: bytes.len(),
    })
}

/// The content of a child, as long as it says what it holds in this many bytes.
pub(super) fn bounded(
    parent: &NodeRef<'_>,
    field: &'static str,
    limit: usize,
) -> Result<Vec<u8>, CeremonyError> {
    let bytes = content(parent, field)?;
    if bytes.len() > limit {
        return Err(CeremonyError::TooLong {
            field,
            limit,
            got: bytes.len(),
        });
    }
    Ok(bytes.into_owned())
}

fn text(parent: &NodeRef<'_>, field: &'static str, limit: usize) -> Result<String, CeremonyError> {
    let bytes = bounded(parent, field, limit)?;
    String::from_utf8(bytes).map_err(|_| CeremonyError::Value(field))
}

fn content<'a>(parent: &NodeRef<'a>, field: &'static str) -> Result<Cow<'a, [u8]>, CeremonyError> {
    parent
        .child(field)
        .and_then(|child| child.bytes())
        .ok_or(CeremonyError::Missing(field))
}

/// `Browser (OS)`, of a browser and a real operating system.
fn is_canonical(display: &str) -> bool {
    let Some((browser, system)) = display
        .strip_suffix(')')
        .and_then(|display| display.split_once(" ("))
    else {
        return false;
    };
    BROWSERS.contains(&browser) && SYSTEMS.contains(&system)
}

#[cfg(test)]
mod tests {
    use wa_proto::{Decoder, Node};

    use super::*;

    #[test]
    fn a_display_names_a_browser_and_a_real_system() {
        for display in ["Chrome (Linux)", "Safari (Mac OS)", "Android (Android)"] {
            assert!(is_canonical(display), "{display}");
        }
        for display in [
            "Chrome",
            "Chrome (wa)",
            "wa (Linux)",
            "Chrome(Linux)",
            "Chrome (Linux) ",
            "Chrome (Linux",
            "chrome (linux)",
            "Chrome ()",
            "",
        ] {
            assert!(!is_canonical(display), "{display}");
        }
    }

    fn read<T>(len: usize, read: impl FnOnce(&NodeRef<'_>) -> T) -> T {
        let node = Node::new("parent").child(Node::new("field").bytes(vec![b'x'; len]));
        let bytes = node.to_bytes().unwrap();
        let mut decoder = Decoder::new();
        read(&decoder.decode(&bytes).unwrap())
    }

    #[test]
    fn a_bounded_field_is_read_up_to_its_bound() {
        assert_eq!(read(9, |node| bounded(node, "field", 9)), Ok(vec![b'x'; 9]));
        assert_eq!(
            read(10, |node| bounded(node, "field", 9)),
            Err(CeremonyError::TooLong {
                field: "field",
                limit: 9,
                got: 10
            })
        );
        assert_eq!(
            read(1, |node| bounded(node, "other", 9)),
            Err(CeremonyError::Missing("other"))
        );
    }

    #[test]
    fn a_sized_field_has_exactly_its_size() {
        assert_eq!(read(4, |node| field::<4>(node, "field")), Ok([b'x'; 4]));
        for got in [3, 5] {
            assert_eq!(
                read(got, |node| field::<4>(node, "field")),
                Err(CeremonyError::Length {
                    field: "field",
                    expected: 4,
                    got
                })
            );
        }
    }
}
