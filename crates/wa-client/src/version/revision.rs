//! Finding the revision in a page.

use wa_core::ClientVersion;

const NAME: &[u8] = b"client_revision";

/// The version a page names: `"client_revision"`, perhaps with its quotes escaped, a colon, white space, digits. The first
/// two numbers are the same for all (payload chapter, section 5).
pub(super) fn find(page: &[u8]) -> Option<ClientVersion> {
    let mut rest = page;
    while let Some(at) = position(rest) {
        let (before, from) = rest.split_at_checked(at)?;
        rest = from.get(NAME.len()..)?;
        if before.last() == Some(&b'"')
            && let Some(revision) = value(rest)
        {
            return Some(ClientVersion::new(
                ClientVersion::COMPILED_IN.primary,
                ClientVersion::COMPILED_IN.secondary,
                revision,
            ));
        }
    }
    None
}

fn position(bytes: &[u8]) -> Option<usize> {
    bytes.windows(NAME.len()).position(|window| window == NAME)
}

/// The number after the name; a zero or one that does not fit is none.
fn value(after_name: &[u8]) -> Option<u32> {
    let rest = after_name.strip_prefix(b"\\").unwrap_or(after_name);
    let rest = rest.strip_prefix(b"\"")?.strip_prefix(b":")?;
    let rest = rest.trim_ascii_start();
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let digits = std::str::from_utf8(rest.get(..end)?).ok()?;
    digits.parse().ok().filter(|revision| *revision > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(page: &str) -> Option<u32> {
        find(page.as_bytes()).map(|version| version.tertiary)
    }

    #[test]
    fn every_written_form_is_found() {
        for page in [
            r#"x "client_revision":1045649367,"y":1"#,
            r#"{\"client_revision\":1045649367}"#,
            "\"client_revision\": \t\n 1045649367",
            r#"client_revision "client_revision":no "client_revision":1045649367 "client_revision":2"#,
        ] {
            assert_eq!(revision(page), Some(1_045_649_367), "{page}");
        }
        assert_eq!(
            find(br#""client_revision":7"#).unwrap().to_string(),
            "2.3000.7"
        );
    }

    #[test]
    fn anything_else_is_no_revision() {
        for page in [
            "",
            "client_revision",
            "client_revision:7",
            r#"client_revision":7"#,
            r#""client_revision"7"#,
            r#""client_revision":"7""#,
            r#""client_revision":"#,
            r#""client_revision":-7"#,
            r#""client_revision":0"#,
            r#""client_revision":4294967296"#,
            r#""server_revision":7"#,
        ] {
            assert_eq!(revision(page), None, "{page}");
        }
        assert_eq!(revision(r#""client_revision":4294967295"#), Some(u32::MAX));
    }

    #[test]
    fn a_page_may_be_cut_anywhere() {
        let page = br#"..\"client_revision\":  42,"client_revision":x"client_revision""#;
        for at in 0..=page.len() {
            let (before, after) = page.split_at(at);
            let known = |page| find(page).is_none_or(|found| matches!(found.tertiary, 2 | 4 | 42));
            assert!(known(before) && known(after), "{at}");
        }
    }
}
