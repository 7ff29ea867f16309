//! Whatever a server does at whatever moment, once: a companion that links comes online, and the two sides agree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod world;

use wa_core::Command;
use wa_sim::{BadFrame, Fault, IqKind, StanzaKind, Step, StreamError};
use world::{Universe, secs, told};

/// In the order in which a link and the login after it come to them.
const STEPS: [Step; 16] = [
    Step::Open,
    Step::ClientHello,
    Step::ServerHello,
    Step::ClientFinish,
    Step::PairDevice,
    Step::PairDeviceAck,
    Step::Scanned,
    Step::PairSuccess,
    Step::PairSign,
    Step::Login,
    Step::Success,
    Step::Count,
    Step::Upload,
    Step::Active,
    Step::Online,
    Step::Ping,
];

fn comes_online_after(fault: &Fault) {
    let mut all = Universe::new();
    all.world.inject(fault.clone());
    all.command(Command::Start);
    let is_over = |all: &Universe| {
        all.world.faults().is_empty()
            && ["online", "logged_out", "pairing_expired"].contains(&all.state())
    };
    let mut online = all.advance_until(secs(900), is_over);
    if all.state() != "online" {
        // The server has lost the link, or nobody could scan the codes: the user starts again.
        all.command(Command::Start);
        online = all.advance_until(secs(900), is_over);
    }
    all.advance(secs(100));
    let said: Vec<String> = all.events.iter().filter_map(told).collect();
    assert!(
        online && all.state() == "online",
        "{fault:?}: {} after {said:?}, faults {:?}, remarks {:?}",
        all.state(),
        all.world.faults(),
        all.remarks()
    );
    let devices = all.devices();
    // What a fault keeps from the companion comes with the next connection.
    let owed = match fault {
        Fault::Drop { .. } => 1,
        _ => 0,
    };
    assert!(
        matches!(devices[..], [(_, 812.., waiting)] if waiting <= owed),
        "{fault:?}: {devices:?}"
    );
    let believed = all.world.phone(all.phone).unwrap().companions;
    assert_eq!(believed.len(), 1, "{fault:?}: {believed:?}");
    assert_eq!(believed[0].device, devices[0].0, "{fault:?}");
    assert!(all.holds_a_link(), "{fault:?}");
}

/// The steps of linking by code an account that is guarded by a passkey.
const CEREMONIES: [Step; 11] = [
    Step::CompanionHello,
    Step::CodeEntered,
    Step::PrimaryHello,
    Step::CompanionFinish,
    Step::PasskeyAsked,
    Step::PasskeyRef,
    Step::PasskeyPrologue,
    Step::PasskeyContinuation,
    Step::PasskeyNonce,
    Step::PasskeyRequest,
    Step::PairSuccess,
];

/// The same for a user who asks for another code whenever none is on the way.
fn links_by_code_after(fault: &Fault) {
    let mut all = Universe::guarded();
    all.scans_codes = false;
    all.world.inject(fault.clone());
    let is_over = |all: &Universe| all.world.faults().is_empty() && all.state() == "online";
    let tries = (0..30).find(|_| {
        all.ask_for_code();
        all.advance_until(secs(60), is_over)
    });
    assert!(
        tries.is_some(),
        "{fault:?}: {}, told {:?}, faults {:?}, remarks {:?}",
        all.state(),
        all.events.iter().filter_map(told).collect::<Vec<_>>(),
        all.world.faults(),
        all.remarks()
    );
    all.advance(secs(5));
    assert!(
        matches!(all.devices()[..], [(_, 812.., 0)]) && all.holds_a_link(),
        "{fault:?}: {:?}",
        all.devices()
    );
}

#[test]
fn a_close_while_linking_by_code_and_passkey() {
    for step in CEREMONIES {
        links_by_code_after(&Fault::CloseAt { step });
    }
}

#[test]
fn silence_while_linking_by_code_and_passkey() {
    for step in CEREMONIES {
        links_by_code_after(&Fault::SilentAt { step });
    }
}

#[test]
fn a_restart_while_linking_by_code_and_passkey() {
    for step in CEREMONIES {
        links_by_code_after(&Fault::stream_error(step, StreamError::Code { code: 515 }));
    }
}

#[test]
fn a_delay_while_linking_by_code_and_passkey() {
    for step in CEREMONIES {
        links_by_code_after(&Fault::DelayAt { step, ms: 3_000 });
    }
}

#[test]
fn a_close() {
    for step in STEPS {
        comes_online_after(&Fault::CloseAt { step });
    }
}

#[test]
fn silence() {
    for step in STEPS {
        comes_online_after(&Fault::SilentAt { step });
    }
}

#[test]
fn a_delay() {
    for step in STEPS {
        comes_online_after(&Fault::DelayAt { step, ms: 4_000 });
    }
}

#[test]
fn a_bad_frame() {
    for step in STEPS {
        for frame in [
            BadFrame::Garbage,
            BadFrame::Oversize,
            BadFrame::Truncated,
            BadFrame::Deep { depth: 2_000 },
        ] {
            comes_online_after(&Fault::BadFrameAt { step, frame });
        }
    }
}

#[test]
fn a_compressed_node_without_end() {
    for step in [Step::PairDevice, Step::Login] {
        comes_online_after(&Fault::BadFrameAt {
            step,
            frame: BadFrame::ZipBomb {
                inflated: 20_000_000,
            },
        });
    }
}

#[test]
fn a_stanza_that_is_lost_late_or_doubled() {
    for stanza in [
        StanzaKind::PairDevice,
        StanzaKind::PairSuccess,
        StanzaKind::Success,
        StanzaKind::Ib,
        StanzaKind::OfflineEnd,
        StanzaKind::Notification,
        StanzaKind::Ping,
        StanzaKind::StreamError,
        StanzaKind::Any,
    ] {
        astray(stanza, IqKind::Any);
    }
    for request in [
        IqKind::Count,
        IqKind::Upload,
        IqKind::Passive,
        IqKind::Ping,
        IqKind::Any,
    ] {
        astray(StanzaKind::Answer, request);
    }
}

fn astray(stanza: StanzaKind, request: IqKind) {
    comes_online_after(&Fault::Drop { stanza, request });
    comes_online_after(&Fault::Hold { stanza, request });
    comes_online_after(&Fault::Duplicate { stanza, request });
}

#[test]
fn a_request_that_is_refused() {
    for request in [IqKind::Count, IqKind::Upload, IqKind::Passive, IqKind::Ping] {
        for code in [400, 429, 500, 503] {
            comes_online_after(&Fault::IqError {
                request,
                code,
                text: None,
                backoff: Some(2),
            });
        }
    }
}
