//! The identities a phone would never sign, for the faults that need them.

use prost::Message as _;
use wa_proto::pb;

use super::adv::{Sign, SignedIdentity, container, container_with};
use super::qr::ScannedQr;
use crate::fault::BadIdentity;

/// One byte more than the longest `device-identity` the official client takes (pairing chapter, A.5).
const TOO_LONG: usize = 501;

/// What is done to the identity of pair-success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tamper {
    Hmac,
    AccountSignature,
    Shape(BadIdentity),
}

/// The `device-identity` of pair-success, tampered with if asked. `None` leaves the child out.
pub(super) fn device_identity(
    details: pb::AdvDeviceIdentity,
    qr: &ScannedQr,
    tamper: Option<Tamper>,
    signer: &mut dyn Sign,
) -> Option<Vec<u8>> {
    let Some(tamper) = tamper else {
        let signed = SignedIdentity::new(details, &qr.identity, signer);
        return Some(container(signed.encode(), &qr.adv));
    };
    match tamper {
        Tamper::Hmac => {
            let signed = SignedIdentity::new(details, &qr.identity, signer).encode();
            let mut hmac = qr.adv.mac(&[&signed]).to_vec();
            flip_last_bit(&mut hmac);
            Some(container_with(signed, Some(hmac)))
        }
        Tamper::AccountSignature => {
            let mut signed = SignedIdentity::new(details, &qr.identity, signer);
            if let Some(byte) = signed.account_signature.first_mut() {
                *byte ^= 1;
            }
            Some(container(signed.encode(), &qr.adv))
        }
        Tamper::Shape(problem) => malformed(details, qr, problem, signer),
    }
}

fn malformed(
    mut details: pb::AdvDeviceIdentity,
    qr: &ScannedQr,
    problem: BadIdentity,
    signer: &mut dyn Sign,
) -> Option<Vec<u8>> {
    // Field 1 announces more bytes than follow.
    let broken = vec![0x0a, 0x7f, 0x01];
    match problem {
        BadIdentity::Undecodable => Some(broken),
        BadIdentity::InnerUndecodable => Some(container(broken, &qr.adv)),
        BadIdentity::DetailsUndecodable => {
            let signed = SignedIdentity::over(broken, &qr.identity, signer);
            Some(container(signed.encode(), &qr.adv))
        }
        BadIdentity::Missing => None,
        BadIdentity::Empty => Some(Vec::new()),
        BadIdentity::TooLong => {
            let mut long = container(
                SignedIdentity::new(details, &qr.identity, signer).encode(),
                &qr.adv,
            );
            // An unknown field of this length keeps it decodable, so that only the bound can refuse it.
            let filler = TOO_LONG.saturating_sub(long.len() + 4);
            long.extend_from_slice(&[0xfa, 0x01]);
            prost::encoding::encode_varint(filler as u64, &mut long);
            long.resize(TOO_LONG.max(long.len()), 0);
            Some(long)
        }
        BadIdentity::NoHmac => {
            let signed = SignedIdentity::new(details, &qr.identity, signer).encode();
            Some(container_with(signed, None))
        }
        BadIdentity::ShortAccountKey => {
            let mut signed = SignedIdentity::new(details, &qr.identity, signer);
            signed.account_key.pop();
            Some(container(signed.encode(), &qr.adv))
        }
        BadIdentity::NoKeyIndex => {
            details.key_index = None;
            let signed = SignedIdentity::over(details.encode_to_vec(), &qr.identity, signer);
            Some(container(signed.encode(), &qr.adv))
        }
    }
}

fn flip_last_bit(bytes: &mut [u8]) {
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
}
