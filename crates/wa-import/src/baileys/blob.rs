//! Bytes in JSON, in every form they were ever written.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Longest byte string taken from a file of keys.
const MAX_BLOB_LEN: usize = 4096;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes, written as base64, as `{"type":"Buffer","data":…}` around base64 or an array, as an array of numbers, or
/// as an object of numbers under `"0"`, `"1"` and so on. Wiped on drop.
#[derive(Clone)]
pub(super) struct Blob(Zeroizing<Vec<u8>>);

impl Blob {
    /// A copy of just its length: what was read into is sized for the longest, and files hold many.
    fn of(read: &Zeroizing<Vec<u8>>) -> Self {
        Self(Zeroizing::new(read.to_vec()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
        // Sized by the longest allowed, so that it never grows and leaves a copy behind.
        let mut bytes = Zeroizing::new(vec![0; MAX_BLOB_LEN + 2]);
        if text.len() > MAX_BLOB_LEN / 3 * 4 + 4 {
            return Err(too_long());
        }
        let len = BASE64
            .decode_slice(text, &mut bytes)
            .map_err(|_| E::custom("bytes that are no base64"))?;
        bytes.truncate(len);
        bounded(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Blob, A::Error> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BLOB_LEN));
        while let Some(byte) = values.next_element::<u8>()? {
            push(&mut bytes, byte)?;
        }
        Ok(Blob::of(&bytes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Blob, A::Error> {
        let mut data: Option<Blob> = None;
        let mut numbered = Numbered::default();
        while let Some(key) = fields.next_key::<String>()? {
            match (key.as_str(), key.parse()) {
                ("data", _) => data = Some(fields.next_value()?),
                ("type", _) => {
                    if fields.next_value::<String>()? != "Buffer" {
                        return Err(A::Error::custom("an object that is no buffer"));
                    }
                }
                (_, Ok(position)) => numbered.put(position, fields.next_value()?)?,
                _ => return Err(A::Error::custom("an object that is no buffer")),
            }
        }
        match data {
            Some(data) => Ok(data),
            None => numbered.whole(),
        }
    }
}

/// Bytes under their positions, in whatever order a writer has sorted them.
#[derive(Default)]
struct Numbered {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether there was a byte, for every position.
    is_there: Vec<bool>,
}

impl Numbered {
    fn put<E: Error>(&mut self, position: usize, byte: u8) -> Result<(), E> {
        if position >= MAX_BLOB_LEN {
            return Err(too_long());
        }
        if self.bytes.is_empty() {
            // All of it at once, so that it never grows and leaves a copy behind.
            self.bytes.resize(MAX_BLOB_LEN, 0);
        }
        if position >= self.is_there.len() {
            self.is_there.resize(position + 1, false);
        }
        if let (Some(slot), Some(is_there @ false)) = (
            self.bytes.get_mut(position),
            self.is_there.get_mut(position),
        ) {
            *slot = byte;
            *is_there = true;
            return Ok(());
        }
        Err(E::custom("two bytes in one place"))
    }

    fn whole<E: Error>(mut self) -> Result<Blob, E> {
        if self.is_there.contains(&false) {
            return Err(E::custom("a byte is missing"));
        }
        self.bytes.truncate(self.is_there.len());
        Ok(Blob::of(&self.bytes))
    }
}

fn bounded<E: Error>(bytes: Zeroizing<Vec<u8>>) -> Result<Blob, E> {
    if bytes.len() > MAX_BLOB_LEN {
        return Err(too_long());
    }
    Ok(Blob::of(&bytes))
}

fn push<E: Error>(bytes: &mut Vec<u8>, byte: u8) -> Result<(), E> {
    if bytes.len() == MAX_BLOB_LEN {
        return Err(too_long());
    }
    bytes.push(byte);
    Ok(())
}

fn too_long<E: Error>() -> E {
    E::custom(format_args!("more than {MAX_BLOB_LEN} bytes in one place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<u8>, String> {
        serde_json::from_str::<Blob>(text)
            .map(|blob| blob.bytes().to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_is_read() {
        let expected = Ok(vec![1, 2, 255]);
        for text in [
            r#""AQL/""#,
            r#"{"type":"Buffer","data":"AQL/"}"#,
            r#"{"data":"AQL/","type":"Buffer"}"#,
            r#"{"type":"Buffer","data":[1,2,255]}"#,
            r#"{"0":1,"1":2,"2":255}"#,
            r#"{"2":255,"0":1,"1":2}"#,
            "[1,2,255]",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse(r#""AQ""#), Ok(vec![1]), "without padding");
        assert_eq!(parse("{}"), Ok(vec![]));
    }

    #[test]
    fn no_more_memory_is_kept_than_there_are_bytes() {
        for text in [r#""AQL/""#, "[1,2,255]", r#"{"0":1,"1":2,"2":255}"#] {
            let blob: Blob = serde_json::from_str(text).unwrap();
            assert_eq!(blob.0.capacity(), 3, "{text}");
        }
    }

    #[test]
    fn what_is_no_bytes_is_refused() {
        for text in [
            r#""A*==""#,
            "7",
            "null",
            "[256]",
            "[-1]",
            r#"{"1":1}"#,
            r#"{"0":1,"0":1}"#,
            r#"{"0":1,"4096":1}"#,
            r#"{"length":1}"#,
            r#"{"type":"Date","data":"AQL/"}"#,
            r#"{"type":"Buffer","data":"AQL/","more":1}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_length_is_bounded() {
        use base64::engine::general_purpose::STANDARD;
        let list = |len| serde_json::to_string(&vec![7_u8; len]).unwrap();
        let text = |len| format!("\"{}\"", STANDARD.encode(vec![7_u8; len]));
        let numbered = |len| {
            let entries = (0..len).map(|at| format!("\"{at}\":7"));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        };
        let forms: [fn(usize) -> String; 3] = [list, text, numbered];
        for form in forms {
            assert_eq!(parse(&form(MAX_BLOB_LEN)).unwrap().len(), MAX_BLOB_LEN);
            assert!(parse(&form(MAX_BLOB_LEN + 1)).is_err());
        }
    }
}
