//! A number is cleaned of what people write around it, and refused with a reason.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_pair::{MAX_PHONE_DIGITS, MIN_PHONE_DIGITS, PhoneNumber, PhoneNumberError};

#[test]
fn what_stands_between_the_digits_is_left_out() {
    for text in [
        "15551234567",
        "+1 (555) 123-4567",
        "1.555.123.4567",
        "\u{202A}+1\u{A0}555\u{A0}1234567\u{202C}",
        "\u{200E}+1 555 123 45 67\u{200F}",
        "\u{2068}+1\u{202F}5551234567\u{2069}",
        "+1\u{2010}555\u{2011}123\u{2012}4567",
        "1\u{2013}555\u{2014}123\u{2015}45\u{2212}67",
        "+1\t555\u{2009}123\u{3000}45\u{2003}67",
        "\u{FEFF}1\u{200B}555\u{200D}123\u{2060}4567",
    ] {
        let number = PhoneNumber::parse(text).unwrap();
        assert_eq!(number.expose(), "15551234567", "{text:?}");
        assert_eq!(number.jid().to_string(), "15551234567@s.whatsapp.net");
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "1555x1234567",
        "+1/5551234567",
        "٠١٢٣٤٥٦٧٨٩",
        "1555\n1234567",
        "15551234567@s.whatsapp.net",
    ] {
        assert_eq!(
            PhoneNumber::parse(text),
            Err(PhoneNumberError::Character),
            "{text:?}"
        );
    }
}

#[test]
fn a_national_number_is_refused_and_the_reason_says_what_is_missing() {
    for text in ["05551234567", "0015551234567", "+0 155 512 34567", "0"] {
        let error = PhoneNumber::parse(text).unwrap_err();
        assert_eq!(error, PhoneNumberError::LeadingZero);
        let text = error.to_string();
        assert!(
            text.contains("international") && text.contains("country code"),
            "{text}"
        );
    }
}

#[test]
fn a_trunk_zero_after_the_country_code_is_refused_by_name() {
    for text in [
        "+44 (0)20 7946 0018",
        "+44(0)2079460018",
        "44 ( 0 ) 20 7946 0018",
        "+44\u{A0}(0) 20",
    ] {
        let error = PhoneNumber::parse(text).unwrap_err();
        assert_eq!(error, PhoneNumberError::TrunkZero, "{text:?}");
        assert!(error.to_string().contains("(0)"));
    }
    for text in ["+44 (20) 7946 0018", "+1 (055) 512-3456"] {
        assert!(PhoneNumber::parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn lengths_are_checked_at_their_bounds() {
    let digits = |count: usize| "1".repeat(count);
    assert_eq!(
        PhoneNumber::parse(&digits(MIN_PHONE_DIGITS - 1)),
        Err(PhoneNumberError::TooShort { got: 6, limit: 7 })
    );
    assert!(PhoneNumber::parse(&digits(MIN_PHONE_DIGITS)).is_ok());
    assert!(PhoneNumber::parse(&digits(MAX_PHONE_DIGITS)).is_ok());
    assert_eq!(
        PhoneNumber::parse(&digits(MAX_PHONE_DIGITS + 1)),
        Err(PhoneNumberError::TooLong { got: 16, limit: 15 })
    );
    assert!(matches!(
        PhoneNumber::parse(""),
        Err(PhoneNumberError::TooShort { got: 0, .. })
    ));
}

#[test]
fn debug_shows_two_digits() {
    let number = PhoneNumber::parse("+1 555 123 45 67").unwrap();
    assert_eq!(format!("{number:?}"), "PhoneNumber(…67)");
}
