use zeroize::Zeroizing;

/// Reads fields off the front of a byte string; never past its end.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn remaining(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A field with its length before it, 4 bytes.
    pub(crate) fn field(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.bytes(usize::try_from(len).ok()?)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.field()?.to_vec()).ok()
    }

    pub(crate) fn optional_text(&mut self) -> Option<Option<String>> {
        match self.u8()? {
            0 => Some(None),
            1 => Some(Some(self.text()?)),
            _ => None,
        }
    }
}

/// Appends fields to a buffer that is wiped on drop.
///
/// The capacity is asked for up front, because a buffer that grows leaves its former self behind unwiped.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert!(
            self.0.capacity() - self.0.len() >= bytes.len(),
            "the capacity was counted short"
        );
        self.0.extend_from_slice(bytes);
    }

    /// A field with its length before it, 4 bytes. Lengths are limited far below that before anything is written.
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        let len = u32::try_from(bytes.len()).expect("fields are limited below 4 GiB");
        self.bytes(&len.to_be_bytes());
        self.bytes(bytes);
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            None => self.bytes(&[0]),
            Some(text) => {
                self.bytes(&[1]);
                self.field(text.as_bytes());
            }
        }
    }
}

/// Bytes [`Writer::field`] needs.
pub(crate) const fn field_len(bytes: &[u8]) -> usize {
    4 + bytes.len()
}

/// Bytes [`Writer::optional_text`] needs.
pub(crate) fn optional_text_len(text: Option<&str>) -> usize {
    1 + text.map_or(0, |text| field_len(text.as_bytes()))
}
