//! Bounded inflating.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{DecodeError, MAX_INFLATED_LEN};

/// The first guess of how much a stanza grows.
const EXPECTED_RATIO: usize = 4;

/// Nothing smaller is allocated.
const MIN_BUFFER_LEN: usize = 1024;

/// Buffers that grew beyond this for one stanza are given back before the next.
const RETAINED_LEN: usize = 256 * 1024;

/// A reusable inflater with its output.
#[derive(Default)]
pub(super) struct Inflater {
    /// Ten kilobytes that an account without compressed stanzas never pays.
    machine: Option<Box<DecompressorOxide>>,
    output: Vec<u8>,
    /// Its beginning that was written.
    written: usize,
}

impl Inflater {
    /// Inflates a whole zlib stream. Stops as soon as the limit is passed.
    pub(super) fn inflate(&mut self, stream: &[u8]) -> Result<(), DecodeError> {
        self.written = 0;
        let machine = self.machine.get_or_insert_default();
        machine.init();
        if self.output.len() > RETAINED_LEN {
            self.output = Vec::new();
        }
        let guess = stream.len().saturating_mul(EXPECTED_RATIO);
        grow(&mut self.output, guess);

        let mut rest = stream;
        loop {
            let (status, consumed, written) = decompress(
                machine,
                rest,
                &mut self.output,
                self.written,
                TINFL_FLAG_PARSE_ZLIB_HEADER
                    | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
                    | TINFL_FLAG_COMPUTE_ADLER32,
            );
            self.written += written;
            rest = rest.get(consumed..).unwrap_or_default();
            if self.written > MAX_INFLATED_LEN {
                return Err(DecodeError::InflatedTooLong {
                    limit: MAX_INFLATED_LEN as u32,
                });
            }
            match status {
                TINFLStatus::Done if rest.is_empty() => return Ok(()),
                TINFLStatus::HasMoreOutput => {
                    let doubled = self.output.len() * 2;
                    grow(&mut self.output, doubled);
                }
                _ => return Err(DecodeError::Inflate),
            }
        }
    }

    /// What the last stream inflated to.
    pub(super) fn output(&self) -> &[u8] {
        self.output.get(..self.written).unwrap_or_default()
    }
}

/// One byte beyond the limit tells a stream that reaches it from one that passes it.
fn grow(output: &mut Vec<u8>, wanted: usize) {
    let len = wanted.clamp(MIN_BUFFER_LEN, MAX_INFLATED_LEN + 1);
    if output.len() < len {
        output.reserve_exact(len - output.len());
        output.resize(len, 0);
    }
}
