//! Two hundred accounts linked at the same time in one process, over one world.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::device::{Keys, answer_pair_success};
use common::lab::Lab;
use wa_sim::{PhoneConfig, PhoneNumber, ScanOutcome};

const ACCOUNTS: usize = 200;

#[test]
fn two_hundred_accounts_link_at_once_and_stay_apart() {
    let mut lab = Lab::new();
    let mut phones: Vec<PhoneNumber> = vec![lab.phone];
    while phones.len() < ACCOUNTS {
        phones.push(
            lab.world
                .add_next_phone(lab.now, PhoneConfig::default())
                .unwrap(),
        );
    }
    let mut companions: Vec<Keys> = (0..ACCOUNTS as u64)
        .map(|seed| Keys::new(1_000 + seed))
        .collect();
    // Every stage for all before the next one for any.
    let conns: Vec<_> = companions.iter().map(|keys| lab.register(keys)).collect();
    let codes: Vec<_> = conns
        .iter()
        .zip(&companions)
        .map(|(id, keys)| keys.qr(&lab.refs(*id)[0]))
        .collect();
    let scans: Vec<_> = codes
        .iter()
        .zip(&phones)
        .map(|(code, phone)| lab.world.scan(lab.now, *phone, code).unwrap())
        .collect();
    lab.advance(std::time::Duration::ZERO);
    for (id, keys) in conns.iter().zip(&mut companions) {
        let iq = lab.hear(*id);
        let reply = answer_pair_success(keys, &iq, 1).unwrap();
        lab.send(*id, &reply);
    }
    for (scan, phone) in scans.iter().zip(&phones) {
        let ScanOutcome::Linked { jid, .. } = lab.outcome(*scan) else {
            panic!()
        };
        assert_eq!(jid, format!("{}:1@s.whatsapp.net", phone.digits()));
    }
    let online: Vec<_> = companions
        .iter_mut()
        .map(|keys| lab.come_online(keys))
        .collect();
    for (id, (keys, phone)) in online.iter().zip(companions.iter().zip(&phones)) {
        assert_eq!(keys.user(), phone.digits());
        lab.activate(*id);
    }
    let accounts = lab.world.accounts();
    assert_eq!(accounts.len(), ACCOUNTS);
    assert!(
        accounts
            .iter()
            .all(|account| account.devices.len() == 1 && account.devices[0].online)
    );
    let mut lids: Vec<_> = accounts.iter().map(|account| account.lid.clone()).collect();
    lids.sort();
    lids.dedup();
    assert_eq!(lids.len(), ACCOUNTS);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}
