#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{Command, Device, Provider, Query, RecordKind};

/// Without a peer's identity, a cached connection or a list of devices a link is still a link.
#[test]
fn every_record_that_a_link_needs_is_needed_and_no_other() {
    for kind in RecordKind::ALL {
        let mut rig = Rig::online();
        if rig.store.count(*kind) == 0 {
            continue;
        }
        rig.store.remove(*kind);
        rig.restart();
        let needed = matches!(
            kind,
            RecordKind::Device | RecordKind::PrekeyLedger | RecordKind::SignedPrekey
        );
        assert_eq!(rig.engine.credentials().is_none(), needed, "{kind:?}");
        rig.command(Command::Start);
        rig.advance(secs(5));
        if needed {
            assert_eq!(rig.state(), "awaiting_pairing", "{kind:?}");
            let records = rig.store.load(Query::Device);
            let device = Device::restore(Provider::rust(), &records)
                .unwrap()
                .unwrap();
            assert!(!device.is_registered());
            assert_eq!(rig.store.count(RecordKind::Prekey), 0, "nothing of the old");
        } else {
            assert_eq!(rig.state(), "online", "{kind:?}");
        }
    }
}
