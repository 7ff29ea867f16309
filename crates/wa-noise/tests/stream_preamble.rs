//! What precedes a client's first frame: routing info, if any, and the header.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_noise::{
    FrameError, MAX_FRAME_LEN, PROLOGUE, PreambleDecoder, PreambleError, ServerPreamble,
    write_preamble,
};

fn written(routing: Option<&[u8]>) -> Vec<u8> {
    let mut wire = Vec::new();
    write_preamble(routing, &mut wire).unwrap();
    wire
}

#[test]
fn without_routing_info_it_is_the_header() {
    assert_eq!(written(None), [0x57, 0x41, 6, 3]);
    assert_eq!(written(Some(&[])), PROLOGUE);
}

#[test]
fn routing_info_goes_before_the_header() {
    let wire = written(Some(&[8, 2, 0x10, 5, 0x18, 0x0b]));
    assert_eq!(
        wire,
        *b"ED\x00\x01\x00\x00\x06\x08\x02\x10\x05\x18\x0bWA\x06\x03"
    );
}

#[test]
fn routing_info_over_the_format_is_not_written() {
    let mut wire = Vec::new();
    write_preamble(Some(&vec![0; MAX_FRAME_LEN]), &mut wire).unwrap();
    let mut wire = b"before".to_vec();
    let refused = write_preamble(Some(&vec![0; MAX_FRAME_LEN + 1]), &mut wire);
    assert_eq!(
        refused,
        Err(FrameError::RoutingTooLong {
            got: MAX_FRAME_LEN + 1,
            limit: MAX_FRAME_LEN
        })
    );
    assert_eq!(wire, b"before");
}

#[test]
fn split_at_every_byte_a_server_reads_the_same() {
    for routing in [None, Some(vec![8, 2, 5]), Some(vec![1; 300])] {
        let mut wire = written(routing.as_deref());
        let length = wire.len();
        wire.extend_from_slice(b"frames");
        for cut in 0..wire.len() {
            let mut decoder = PreambleDecoder::new();
            let early = decoder.read(&wire[..cut]).unwrap();
            let expected = ServerPreamble {
                routing: routing.clone(),
                prologue: PROLOGUE,
            };
            if cut < length {
                assert_eq!(early, None, "cut at {cut}");
                assert_eq!(
                    decoder.read(&wire[cut..]),
                    Ok(Some((expected, &b"frames"[..])))
                );
            } else {
                assert_eq!(early, Some((expected, &wire[length..cut])));
            }
        }
    }
}

#[test]
fn byte_by_byte_a_server_reads_the_same() {
    let wire = written(Some(&[8, 2, 5]));
    let mut decoder = PreambleDecoder::new();
    let (last, first) = wire.split_last().unwrap();
    for byte in first {
        assert_eq!(decoder.read(std::slice::from_ref(byte)), Ok(None));
    }
    let (preamble, rest) = decoder.read(std::slice::from_ref(last)).unwrap().unwrap();
    assert_eq!((preamble.routing, rest), (Some(vec![8, 2, 5]), &[][..]));
}

#[test]
fn versions_are_the_clients_to_choose() {
    let (preamble, _) = PreambleDecoder::new().read(b"WA\x07\x09").unwrap().unwrap();
    assert_eq!(preamble.prologue, *b"WA\x07\x09");
}

#[test]
fn other_streams_are_refused() {
    let refused = |bytes: &[u8]| PreambleDecoder::new().read(bytes).unwrap_err();
    assert_eq!(
        refused(b"GET / HTTP/1.1"),
        PreambleError::NotAHeader { got: *b"GET " }
    );
    assert_eq!(
        refused(b"ED\x00\x02"),
        PreambleError::NotAHeader {
            got: *b"ED\x00\x02"
        }
    );
    assert_eq!(
        refused(b"ED\x00\x01\x00\x00\x01xNOPE"),
        PreambleError::NotAHeader { got: *b"NOPE" }
    );
}
