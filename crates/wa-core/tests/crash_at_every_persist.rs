#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{AfterCode, AfterPasskey, Fault, Kill, Point, Rig, secs};
use wa_core::{Command, Config, Handoff, LinkState, LogoutOptions, Query};

/// Most commits of any story here; the stories end before it, which is checked.
const MANY: usize = 40;

/// What phone and store must never disagree about, at any moment.
fn assert_keys_are_not_lost(rig: &Rig, kill: Kill) {
    let stored = rig.stored();
    for (device, linked) in &rig.service.linked {
        let stored = stored
            .as_ref()
            .unwrap_or_else(|| panic!("{kill:?}: the phone lists {device}, the store is empty"));
        assert_eq!(
            stored.identity_public(),
            linked.identity,
            "{kill:?}: the phone lists a device whose identity is lost"
        );
        assert_eq!(stored.noise_public(), linked.noise, "{kill:?}");
        assert!(stored.is_registered(), "{kill:?}: the link is not stored");
    }
}

/// Goes on after a crash until the device is online, linking again if it is not linked.
fn go_on(rig: &mut Rig, kill: Kill) {
    for _ in 0..6 {
        rig.restart();
        rig.service.heal();
        rig.events.clear();
        rig.command(Command::Start);
        if rig.qr().is_some() {
            rig.scan();
        }
        rig.advance(secs(15));
        assert_keys_are_not_lost(rig, kill);
        if rig.state() == "online" {
            assert_agreement(rig, kill);
            return;
        }
    }
    panic!("{kill:?}: stuck in {}", rig.state());
}

fn assert_agreement(rig: &Rig, kill: Kill) {
    let stored = rig.stored().unwrap();
    let device = stored.jid().unwrap().device();
    let linked: Vec<_> = rig.service.linked.keys().copied().collect();
    assert_eq!(linked, [device], "{kill:?}: phone and store list the same");
    assert_eq!(rig.store.link, Some(LinkState::Linked), "{kill:?}");
    let (_, key, _) = rig.service.bundle.signed.as_ref().unwrap();
    assert_eq!(
        rig.service.bundle.identity,
        wa_crypto::PublicKey::as_bytes(&stored.identity_public()).to_vec(),
        "{kill:?}: the server offers the identity we hold"
    );
    assert_eq!(key.len(), 32);
    let on_server = rig.service.bundle.prekeys.len();
    assert!(on_server >= 5, "{kill:?}: {on_server} prekeys");
}

/// Tells a story with the process killed around every commit of it. Says how often it was killed.
fn kill_everywhere(tell: impl Fn(&mut Rig)) -> usize {
    kill_everywhere_with(|_| {}, tell)
}

fn kill_everywhere_with(config: impl Fn(&mut Config), tell: impl Fn(&mut Rig)) -> usize {
    let mut killed = 0;
    for number in 1..MANY {
        for kill in [Kill::Before(number), Kill::After(number)] {
            let mut rig = Rig::with(&config);
            rig.kill = Some(kill);
            tell(&mut rig);
            if !rig.killed {
                return killed;
            }
            killed += 1;
            assert_keys_are_not_lost(&rig, kill);
            go_on(&mut rig, kill);
        }
    }
    panic!("the story has an end");
}

fn start_and_scan(rig: &mut Rig) {
    rig.command(Command::Start);
    if !rig.killed && rig.qr().is_some() {
        rig.scan();
    }
    if !rig.killed {
        rig.advance(secs(15));
    }
}

#[test]
fn a_pairing() {
    let killed = kill_everywhere(start_and_scan);
    assert_eq!(killed, 12, "twice per commit");
}

#[test]
fn a_pairing_whose_secret_is_refreshed() {
    let killed = kill_everywhere(|rig| {
        rig.command(Command::Start);
        if !rig.killed {
            rig.serve(&support::notification(
                "companion_reg_refresh",
                "companion_reg_refresh",
            ));
        }
        if !rig.killed {
            rig.scan();
        }
        if !rig.killed {
            rig.advance(secs(15));
        }
    });
    assert_eq!(killed, 14, "twice per commit");
}

#[test]
fn a_pairing_by_code() {
    let killed = kill_everywhere(|rig| {
        rig.ask_for_code();
        if let Some(code) = rig.code().filter(|_| !rig.killed) {
            rig.type_in(&code);
        }
        if !rig.killed {
            rig.advance(secs(15));
        }
    });
    assert_eq!(killed, 14, "twice per commit");
}

#[test]
fn a_pairing_by_code_typed_wrong_at_first() {
    let killed = kill_everywhere(|rig| {
        rig.ask_for_code();
        let Some(code) = rig.code().filter(|_| !rig.killed) else {
            return;
        };
        rig.type_in("1111-1111");
        if !rig.killed {
            rig.type_in(&code);
        }
        if !rig.killed {
            rig.advance(secs(15));
        }
    });
    assert_eq!(killed, 16, "twice per commit");
}

#[test]
fn a_pairing_by_passkey_after_a_scan() {
    for handoff in HANDOFFS {
        let killed = kill_everywhere_with(with(handoff), |rig| {
            rig.command(Command::Start);
            if !rig.killed {
                rig.scan_for_passkey();
            }
            respond_and_confirm(rig);
        });
        assert_eq!(killed, 14, "twice per commit, {handoff:?}");
    }
}

#[test]
fn a_pairing_by_passkey_after_a_code_with_a_restart_in_between() {
    for handoff in HANDOFFS {
        let killed = kill_everywhere_with(with(handoff), |rig| {
            rig.service.ceremonies.after_code = AfterCode::Passkey;
            rig.service.ceremonies.after_passkey = AfterPasskey::Nothing;
            rig.ask_for_code();
            if let Some(code) = rig.code().filter(|_| !rig.killed) {
                rig.type_in(&code);
            }
            if !rig.killed {
                rig.serve(&wa_proto::Node::new("stream:error").attr("code", "515"));
            }
            respond_and_confirm(rig);
            if !rig.killed {
                rig.endorse();
            }
            if !rig.killed {
                rig.advance(secs(15));
            }
        });
        assert_eq!(killed, 16, "twice per commit, {handoff:?}");
    }
}

const HANDOFFS: [Handoff; 2] = [Handoff::Send, Handoff::Withhold];

fn with(handoff: Handoff) -> impl Fn(&mut Config) {
    move |config| config.handoff = handoff
}

fn respond_and_confirm(rig: &mut Rig) {
    if !rig.killed {
        rig.respond();
    }
    if !rig.killed && rig.config.handoff == Handoff::Withhold {
        rig.command(Command::ConfirmPasskey(true));
    }
    if !rig.killed {
        rig.advance(secs(15));
    }
}

/// A phone that has learned a secret whose companion forgot it endorses a device that cannot answer: the secret
/// in the store is the one the phone holds, at any moment after the phone can hold it.
#[test]
fn the_phone_never_holds_a_secret_that_is_lost() {
    for handoff in HANDOFFS {
        assert_the_store_holds_what_the_phone_does(handoff, |rig| {
            rig.service.ceremonies.after_passkey = AfterPasskey::Nothing;
            rig.command(Command::Start);
            if !rig.killed {
                rig.scan_for_passkey();
            }
            respond_and_confirm(rig);
            restart_and_refresh(rig);
        });
    }
}

#[test]
fn the_phone_never_derives_a_secret_that_is_lost() {
    assert_the_store_holds_what_the_phone_does(Handoff::Send, |rig| {
        rig.service.ceremonies.after_code = AfterCode::Nothing;
        rig.ask_for_code();
        let Some(code) = rig.code().filter(|_| !rig.killed) else {
            return;
        };
        rig.type_in("1111-1111");
        if !rig.killed {
            rig.type_in(&code);
        }
        restart_and_refresh(rig);
    });
}

/// The next connection is asked for another secret.
fn restart_and_refresh(rig: &mut Rig) {
    if !rig.killed {
        rig.serve(&wa_proto::Node::new("stream:error").attr("code", "515"));
    }
    if !rig.killed {
        rig.serve(&support::notification(
            "companion_reg_refresh",
            "companion_reg_refresh",
        ));
    }
}

/// Tells a story once for every moment at which the process may die, and once to its end.
fn assert_the_store_holds_what_the_phone_does(handoff: Handoff, tell: impl Fn(&mut Rig)) {
    for number in 1..MANY {
        for kill in [Kill::Before(number), Kill::After(number)] {
            let mut rig = Rig::with(with(handoff));
            rig.kill = Some(kill);
            tell(&mut rig);
            if let Some((identity, adv)) = &rig.service.ceremonies.endorsed {
                let stored = rig.stored().expect("a device");
                assert_eq!(stored.identity_public(), *identity, "{kill:?}");
                let pickles = support::Pickles::read(&rig.store.load(Query::Device));
                assert_eq!(pickles.device.adv_secret, adv.expose_bytes(), "{kill:?}");
            }
            if !rig.killed {
                assert!(rig.service.ceremonies.endorsed.is_some());
                return assert!(number > 2, "the story commits something");
            }
        }
    }
    panic!("the story has an end");
}

#[test]
fn a_pairing_without_the_restart_stanza_and_with_a_lost_upload_answer() {
    let killed = kill_everywhere(|rig| {
        rig.service.fail(Point::PairSign, Fault::Silent, 1);
        rig.service.fail(Point::Upload, Fault::LoseAnswer, 1);
        start_and_scan(rig);
    });
    assert_eq!(killed, 14, "twice per commit");
}

#[test]
fn a_rotation_of_the_signed_prekey() {
    let killed = kill_everywhere_with(support::ping_hourly, |rig| {
        start_and_scan(rig);
        if !rig.killed {
            rig.advance(secs(28 * 24 * 3600));
        }
    });
    assert_eq!(killed, 16, "twice per commit");
}

#[test]
fn a_logout() {
    for number in 1..MANY {
        for kill in [Kill::Before(number), Kill::After(number)] {
            let mut rig = Rig::online();
            rig.kill = Some(match kill {
                Kill::Before(_) => Kill::Before(rig.store.commits + number),
                Kill::After(_) => Kill::After(rig.store.commits + number),
            });
            rig.command(Command::Logout(LogoutOptions::default()));
            if !rig.killed {
                return assert!(number > 1, "a logout commits something");
            }
            assert_keys_are_not_lost(&rig, kill);
            rig.restart();
            rig.events.clear();
            rig.command(Command::Start);
            if rig.state() == "logged_out" {
                // The wipe was lost, and the server has said it again.
                rig.command(Command::Start);
            }
            assert_eq!(rig.state(), "awaiting_pairing", "{kill:?}");
            assert!(rig.service.linked.is_empty());
        }
    }
}
