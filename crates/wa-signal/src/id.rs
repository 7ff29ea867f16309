use std::fmt;

/// Largest prekey id: three bytes on the wire (signal chapter, section 3).
pub const MAX_PREKEY_ID: u32 = 0xFF_FFFF;

macro_rules! prekey_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The id a new device starts with.
            pub const FIRST: Self = Self(1);

            /// The id with this number: `1..=0xFF_FFFF`.
            pub const fn new(value: u32) -> Option<Self> {
                if value >= 1 && value <= MAX_PREKEY_ID { Some(Self(value)) } else { None }
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The id that follows; after the largest comes 1.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 == MAX_PREKEY_ID { Self::FIRST } else { Self(self.0 + 1) }
            }

            /// The three bytes that stand on the wire.
            pub const fn to_be_bytes(self) -> [u8; 3] {
                let [_, high, middle, low] = self.0.to_be_bytes();
                [high, middle, low]
            }

            /// The id written in three bytes; `None` for 0.
            pub const fn from_be_bytes(bytes: [u8; 3]) -> Option<Self> {
                let [high, middle, low] = bytes;
                Self::new(u32::from_be_bytes([0, high, middle, low]))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

prekey_id! {
    /// Id of a one-time prekey: counts up from 1, wraps from 0xFFFFFF to 1.
    PrekeyId
}

prekey_id! {
    /// Id of a signed prekey: starts at 1, one more per rotation.
    SignedPrekeyId
}

impl PrekeyId {
    /// Id `steps` places further on the ring of ids.
    pub(crate) fn advance(self, steps: u32) -> Self {
        let position = (u64::from(self.0) - 1 + u64::from(steps)) % u64::from(MAX_PREKEY_ID);
        Self(u32::try_from(position).map_or(1, |position| position + 1))
    }

    /// Steps from `self` up to `later` on the ring of ids.
    pub(crate) const fn steps_to(self, later: Self) -> u32 {
        if later.0 >= self.0 {
            later.0 - self.0
        } else {
            MAX_PREKEY_ID - self.0 + later.0
        }
    }
}
