#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, Tamper, secs};
use wa_core::{
    Command, CommandError, ConnectionState, Event, FailReason, LinkState, OpOutcome, PairError,
    PairingFailure,
};
use wa_proto::{Jid, Node};

fn refused(tamper: Tamper) -> (Rig, PairingFailure) {
    let mut rig = Rig::new();
    let op = rig.command(Command::Start);
    let qr = rig.qr().unwrap();
    rig.scan_this(&qr, tamper);
    let failure = rig.heard(|event| match event {
        Event::PairingFailed(failure) => Some(failure.clone()),
        _ => None,
    });
    let error = FailReason::Pairing(failure.clone());
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Failed {
            error: error.clone()
        }
    );
    assert_eq!(rig.result(op), Some(Err(CommandError::Failed(error))));
    (rig, failure)
}

#[test]
fn a_bad_hmac_or_signature_is_answered_with_an_error_and_ends_the_pairing() {
    for (tamper, error) in [
        (Tamper::Hmac, PairError::Hmac),
        (Tamper::Signature, PairError::AccountSignature),
    ] {
        let (rig, failure) = refused(tamper);
        assert_eq!(failure, PairingFailure::Identity(error));
        let reply = rig
            .service
            .requests("error")
            .last()
            .map(|reply| reply.get_child("error").unwrap().clone())
            .unwrap();
        assert_eq!(reply.get_u64("code"), Some(401));
        assert!(!rig.is_connected());
        assert_eq!(rig.store.link, Some(LinkState::Unlinked));
        assert!(rig.service.linked.is_empty());
        assert_eq!(rig.qr(), None);
    }
}

#[test]
fn another_start_pairs_with_the_same_keys() {
    let (mut rig, _) = refused(Tamper::Hmac);
    let identity = rig.engine_identity();
    rig.events.clear();
    let op = rig.pair();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!(rig.engine_identity(), identity);
}

#[test]
fn a_phone_without_linked_devices_is_told_apart() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(5));
    rig.serve(
        &Node::new("ib")
            .attr("from", Jid::server_jid())
            .child(Node::new("downgrade_webclient")),
    );
    let error = FailReason::Pairing(PairingFailure::NoMultiDevice);
    assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
    assert!(
        rig.events
            .contains(&Event::PairingFailed(PairingFailure::NoMultiDevice))
    );
}
