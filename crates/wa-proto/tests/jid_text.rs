//! JIDs as text: every kind, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::prelude::*;
use wa_proto::{Jid, ParseJidError, Server};

#[test]
fn every_kind_parses_and_prints_the_same() {
    let cases = [
        ("12025550123@s.whatsapp.net", Server::Pn, "12025550123", 0),
        ("12025550123:7@s.whatsapp.net", Server::Pn, "12025550123", 7),
        ("186303081611421@lid", Server::Lid, "186303081611421", 0),
        ("186303081611421:48@lid", Server::Lid, "186303081611421", 48),
        ("12025550123:99@hosted", Server::Hosted, "12025550123", 99),
        (
            "186303081611421:99@hosted.lid",
            Server::HostedLid,
            "186303081611421",
            99,
        ),
        (
            "120363161500776365@g.us",
            Server::Group,
            "120363161500776365",
            0,
        ),
        (
            "12025550123-1586018947@g.us",
            Server::Group,
            "12025550123-1586018947",
            0,
        ),
        ("status@broadcast", Server::Broadcast, "status", 0),
        (
            "120363144038483540@newsletter",
            Server::Newsletter,
            "120363144038483540",
            0,
        ),
        ("867051314767696@bot", Server::Bot, "867051314767696", 0),
        ("A1B2:c@call", Server::Call, "A1B2:c", 0),
        (
            "100012345678901:5@msgr",
            Server::Messenger,
            "100012345678901",
            5,
        ),
        ("16505361212@c.us", Server::Legacy, "16505361212", 0),
        ("user@new.server", Server::Other, "user", 0),
        ("12:3@new.server", Server::Other, "12:3", 0),
        ("s.whatsapp.net", Server::Pn, "", 0),
        ("g.us", Server::Group, "", 0),
    ];
    for (text, server, user, device) in cases {
        let jid: Jid = text.parse().unwrap();
        assert_eq!(jid.to_string(), text);
        assert_eq!(jid.server(), server, "{text}");
        assert_eq!(jid.user(), user, "{text}");
        assert_eq!(jid.device(), device, "{text}");
        assert!(text.ends_with(jid.server_name()), "{text}");
    }
}

#[test]
fn interop_users_carry_their_network() {
    let jid: Jid = "12-4915550123:3@interop".parse().unwrap();
    assert_eq!((jid.integrator(), jid.device()), (12, 3));
    assert_eq!(jid.user(), "4915550123");
    assert_eq!(jid.to_string(), "12-4915550123:3@interop");
    let plain = Jid::new("4915550123", Server::Interop);
    assert_eq!(plain.to_string(), "0-4915550123@interop");
    assert_eq!(plain.to_string().parse::<Jid>().unwrap(), plain);
}

#[test]
fn a_server_is_written_with_or_without_the_at() {
    assert_eq!("@s.whatsapp.net".parse(), Ok(Jid::server_jid()));
    assert_eq!("s.whatsapp.net".parse(), Ok(Jid::server_jid()));
    assert!(Jid::server_jid().is_bare());
    assert!(!Jid::number(1, Server::Pn).is_bare());
}

#[test]
fn leading_zeros_and_long_numbers_are_kept() {
    for user in [
        "0",
        "00",
        "007",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
        "123456789012345678901",
        "000000000000000000001",
    ] {
        let jid = Jid::new(user, Server::Pn);
        assert_eq!(jid.user(), user);
        let is_number = user
            .parse::<u64>()
            .is_ok_and(|number| number.to_string() == user);
        assert_eq!(jid.user_number().is_some(), is_number, "{user}");
    }
    assert_ne!(Jid::new("7", Server::Pn), Jid::new("07", Server::Pn));
    assert_eq!(Jid::new("7", Server::Pn), Jid::number(7, Server::Pn));
    assert_eq!(
        Jid::number(u64::MAX, Server::Pn).user_number(),
        Some(u64::MAX)
    );
}

#[test]
fn malformed_text_is_refused_for_what_is_wrong_with_it() {
    let cases = [
        ("", ParseJidError::NoServer),
        ("12025550123", ParseJidError::NoServer),
        ("12025550123@", ParseJidError::NoServer),
        ("1@2@lid", ParseJidError::ManyAts),
        ("1:@lid", ParseJidError::Device),
        ("1:x@lid", ParseJidError::Device),
        ("1:-1@lid", ParseJidError::Device),
        ("1:+1@lid", ParseJidError::Device),
        ("1:65536@lid", ParseJidError::Device),
        ("1:2:3@lid", ParseJidError::Device),
        (":5@lid", ParseJidError::NoUser),
        ("x-1@interop", ParseJidError::Integrator),
        ("65536-1@interop", ParseJidError::Integrator),
        ("12025550123_1:5@s.whatsapp.net", ParseJidError::Agent),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Jid>(), Err(error), "{text}");
    }
    assert_eq!(
        "1:65535@lid".parse::<Jid>().map(|jid| jid.device()),
        Ok(65535)
    );
}

#[test]
fn agent_zero_of_the_old_form_is_no_agent() {
    assert_eq!(
        "12025550123_0:5@s.whatsapp.net".parse::<Jid>().unwrap(),
        Jid::number(12_025_550_123, Server::Pn).with_device(5)
    );
    // Not a number before the underscore: part of a name.
    assert_eq!(
        "some_1@s.whatsapp.net".parse::<Jid>().unwrap().user(),
        "some_1"
    );
}

#[test]
fn devices_of_one_account_are_the_same_user() {
    let jid = |text: &str| text.parse::<Jid>().unwrap();
    let phone = jid("12025550123@s.whatsapp.net");
    for other in [
        "12025550123:7@s.whatsapp.net",
        "12025550123:99@hosted",
        "12025550123@c.us",
    ] {
        assert!(phone.is_same_user(&jid(other)), "{other}");
    }
    for other in [
        "12025550124@s.whatsapp.net",
        "12025550123@lid",
        "012025550123@s.whatsapp.net",
    ] {
        assert!(!phone.is_same_user(&jid(other)), "{other}");
    }
    assert_eq!(
        jid("186303081611421:99@hosted.lid").to_session_address(),
        jid("186303081611421:99@lid")
    );
    assert_eq!(
        jid("12025550123:7@hosted").to_non_device(),
        jid("12025550123@hosted")
    );
}

#[test]
fn logs_do_not_show_the_number() {
    let cases = [
        ("12025550123:7@s.whatsapp.net", "***23:7@s.whatsapp.net"),
        ("186303081611421@lid", "***21@lid"),
        ("12345@lid", "***@lid"),
        ("s.whatsapp.net", "s.whatsapp.net"),
        ("ünïcödé@new.server", "***dé@new.server"),
    ];
    for (text, masked) in cases {
        let jid: Jid = text.parse().unwrap();
        assert_eq!(jid.redacted().to_string(), masked);
    }
}

proptest! {
    #[test]
    fn what_parses_prints_and_parses_the_same(text in "[0-9a-z_:@.-]{0,30}(@(lid|g.us|interop|msgr|s.whatsapp.net|x))?") {
        if let Ok(jid) = text.parse::<Jid>() {
            let printed = jid.to_string();
            prop_assert_eq!(printed.parse::<Jid>(), Ok(jid));
        }
    }

    #[test]
    fn the_parts_come_back(user in "[0-9]{1,25}|[a-z]{1,10}", device in 0_u16.., lid in any::<bool>()) {
        let server = if lid { Server::Lid } else { Server::Pn };
        let jid = Jid::new(&user, server).with_device(device);
        prop_assert_eq!(jid.user(), user.as_str());
        prop_assert_eq!(jid.device(), device);
        prop_assert_eq!(jid.to_string().parse::<Jid>(), Ok(jid));
    }
}
