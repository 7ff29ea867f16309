//! Frames no honest server sends.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use rand_chacha::rand_core::Rng as _;
use wa_noise::write_frame;
use wa_proto::Node;

use super::World;
use super::conn::Conn;
use crate::fault::{BadFrame, MAX_DEPTH, MAX_INFLATED};

/// Bytes of a garbage frame: enough to hold a tag.
const GARBAGE_LEN: usize = 48;
/// Bytes that are sent of a frame of twice the length.
const HALF_LEN: u8 = 32;
/// Zeros that are compressed at once.
const ZEROS_LEN: usize = 1 << 20;
/// Compression level of a zip bomb; zeros shrink a thousandfold at any.
const LEVEL: i32 = 1;
/// A modulus of Adler-32 (RFC 1950, section 8.2).
const ADLER_MODULUS: u64 = 65_521;

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

/// A node whose content is zeros, compressed. All blocks of zeros compress to the same bytes, so that the work and
/// the memory do not grow with the content.
fn zip_bomb(inflated: u32) -> Vec<u8> {
    let mut head = vec![LIST_8, 2, BINARY_8, 1, b'x', BINARY_32];
    head.extend_from_slice(&inflated.to_be_bytes());
    let (mut a, mut b) = (1, 0);
    for byte in &head {
        a = (a + u64::from(*byte)) % ADLER_MODULUS;
        b = (b + a) % ADLER_MODULUS;
    }
    b = (b + a * u64::from(inflated)) % ADLER_MODULUS;

    let inflated = inflated as usize;
    head.resize(head.len() + inflated % ZEROS_LEN, 0);
    let zeros = deflated(&vec![0; ZEROS_LEN]);
    // The zlib header for the smallest effort, the blocks, an empty last block, the checksum (RFC 1950 and 1951).
    let mut plaintext = vec![FLAG_COMPRESSED, 0x78, 0x01];
    plaintext.extend_from_slice(&deflated(&head));
    for _ in 0..inflated / ZEROS_LEN {
        plaintext.extend_from_slice(&zeros);
    }
    plaintext.extend_from_slice(&[0x01, 0x00, 0x00, 0xff, 0xff]);
    plaintext.extend_from_slice(&u32::try_from(b << 16 | a).unwrap_or_default().to_be_bytes());
    plaintext
}

/// Blocks that end at a byte and refer to nothing before them.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let flags = create_comp_flags_from_zip_params(LEVEL, 0, 0);
    let mut blocks = Vec::new();
    compress_to_output(
        &mut CompressorOxide::new(flags),
        bytes,
        TDEFLFlush::Full,
        |part| {
            blocks.extend_from_slice(part);
            true
        },
    );
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_bomb_is_a_node_of_zeros() {
        for inflated in [1, 300, 1 << 20, 3_000_001, crate::fault::MAX_INFLATED] {
            let bomb = zip_bomb(inflated);
            let zlib = bomb.strip_prefix(&[FLAG_COMPRESSED]).unwrap();
            let node = miniz_oxide::inflate::decompress_to_vec_zlib(zlib).unwrap();
            assert_eq!(node[..6], [LIST_8, 2, BINARY_8, 1, b'x', BINARY_32]);
            assert_eq!(node[6..10], inflated.to_be_bytes());
            assert_eq!(node.len(), 10 + inflated as usize);
            assert!(node[10..].iter().all(|byte| *byte == 0));
            assert!(bomb.len() < 2_000 + inflated as usize / 100);
        }
    }
}
