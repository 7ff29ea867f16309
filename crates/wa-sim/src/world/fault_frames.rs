//! Frames no honest server sends.

use rand_chacha::rand_core::Rng as _;
use wa_noise::write_frame;
use wa_proto::Node;

use super::World;
use super::conn::Conn;
use crate::fault::BadFrame;

/// Bytes of a garbage frame: enough to hold a tag.
const GARBAGE_LEN: usize = 48;
/// Bytes that are sent of a frame of twice the length.
const HALF_LEN: u8 = 32;
/// Deepest nesting that is built; the deeper ones differ in nothing.
const MAX_DEPTH: u32 = 100_000;
/// Longest content that is compressed: what the simulator itself can spare.
const MAX_INFLATED: u32 = 256 << 20;

// The bytes of the node format (binary node chapter) that a hand-made node needs.
const FLAG_COMPRESSED: u8 = 2;
const LIST_8: u8 = 248;
const BINARY_8: u8 = 252;
const BINARY_32: u8 = 254;

impl World {
    pub(super) fn send_bad_frame(&mut self, conn: &mut Conn, frame: BadFrame) {
        if Self::in_transport(conn) {
            match frame {
                BadFrame::Truncated => {
                    let whole = Node::new("iq")
                        .attr("id", "cut")
                        .attr("type", "result")
                        .to_bytes();
                    let whole = whole.unwrap_or_default();
                    let cut = whole.len().saturating_sub(2);
                    self.send_plaintext(conn, whole.get(..cut).unwrap_or_default());
                    return;
                }
                BadFrame::Deep { depth } => {
                    self.send_plaintext(conn, &deep_node(depth.min(MAX_DEPTH)));
                    return;
                }
                BadFrame::ZipBomb { inflated } => {
                    self.send_plaintext(conn, &zip_bomb(inflated.min(MAX_INFLATED)));
                    return;
                }
                BadFrame::Garbage | BadFrame::Oversize | BadFrame::Half | BadFrame::Empty => {}
            }
        }
        let mut bytes = Vec::new();
        match frame {
            BadFrame::Oversize => bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0, 0, 0, 0]),
            BadFrame::Half => {
                // Three bytes of length, and the first half of what they announce.
                bytes.extend_from_slice(&[0, 0, 2 * HALF_LEN]);
                bytes.resize(bytes.len() + usize::from(HALF_LEN), 0);
            }
            BadFrame::Empty => bytes.extend_from_slice(&[0, 0, 0]),
            _ => {
                let mut body = [0; GARBAGE_LEN];
                self.rng.fill_bytes(&mut body);
                if write_frame(&body, &mut bytes).is_err() {
                    return;
                }
            }
        }
        self.transmit(conn, bytes);
    }
}

/// `<x><x><x>…`, without compression.
fn deep_node(depth: u32) -> Vec<u8> {
    // A list of two (tag and content), the tag "x" as bytes, the content a list of one child.
    const LEVEL: [u8; 7] = [LIST_8, 2, BINARY_8, 1, b'x', LIST_8, 1];
    let mut plaintext = vec![0];
    for _ in 0..depth {
        plaintext.extend_from_slice(&LEVEL);
    }
    plaintext.extend_from_slice(&[LIST_8, 1, BINARY_8, 1, b'x']);
    plaintext
}

/// A node whose content is zeros, compressed.
fn zip_bomb(inflated: u32) -> Vec<u8> {
    let mut node = vec![LIST_8, 2, BINARY_8, 1, b'x', BINARY_32];
    node.extend_from_slice(&inflated.to_be_bytes());
    node.resize(node.len() + inflated as usize, 0);
    let mut plaintext = vec![FLAG_COMPRESSED];
    plaintext.extend_from_slice(&miniz_oxide::deflate::compress_to_vec_zlib(&node, 1));
    plaintext
}
