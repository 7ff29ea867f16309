//! The pairing machine: how a companion device is linked to an account.
//!
//! Built here: linking by QR code, whole (pairing chapter, A): refs and their rotation, the QR text,
//! the refresh of its secret, the checks of pair-success with every error reply, the application's
//! veto, the signed reply; and the signed structures around it (A.7, F.3): device identities of other
//! devices, key index lists, the device list hash.
//!
//! Not built here: sockets, storage, request ids, the restart after the reply (the engine does that).
//! Time is an [`Instant`](std::time::Instant) given as an argument, randomness an argument too.
//!
//! # Where the other two flows go
//!
//! Pairing codes (chapter, B) and passkeys (C) share the connection with the QR code, and end in the
//! same pair-success. They become `machine/link_code.rs` and `machine/passkey.rs` beside
//! `machine/offer.rs`, dispatched from [`Pairing::handle_stanza`]; each starts its own clock in
//! `clocks.rs`, where their slots are. [`PairOutput::Exhausted`] comes only when no clock runs any
//! more, and a clock that `holds_secret` keeps a refresh from replacing the ADV secret. The alphabet
//! of the code is in [`PairingCode`].
//!
//! # Driving it
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticSecret, Provider};
//! use wa_pair::{Handled, PairConfig, PairKeys, PairOutput, Pairing};
//! use wa_proto::{Decoder, Jid, Node};
//!
//! let mut rng = ChaCha20Rng::seed_from_u64(7);
//! let keys = PairKeys {
//!     noise: NoiseStaticSecret::generate(Provider::rust(), &mut rng).public(),
//!     identity: IdentitySecret::generate(Provider::rust(), &mut rng),
//!     adv: AdvSecret::generate(&mut rng),
//! };
//! let mut pairing = Pairing::new(keys, PairConfig::default());
//!
//! // The server pushes its refs without being asked.
//! let stanza = Node::new("iq")
//!     .attr("type", "set")
//!     .attr("id", "1")
//!     .attr("from", Jid::server_jid())
//!     .child(Node::new("pair-device").child(Node::new("ref").bytes(*b"2@abc")))
//!     .to_bytes()?;
//! let mut decoder = Decoder::new();
//! let now = Instant::now();
//! assert_eq!(pairing.handle_stanza(now, &decoder.decode(&stanza)?, &mut rng), Handled::Yes);
//!
//! // Carry the outputs out in order: first the acknowledgement, then the code.
//! assert!(matches!(pairing.poll_output(), Some(PairOutput::Send(_))));
//! let Some(PairOutput::Qr(code)) = pairing.poll_output() else { panic!("a code") };
//! assert!(code.text.expose().starts_with("https://wa.me/settings/linked_devices#2@abc,"));
//! assert_eq!(pairing.poll_output().is_none(), true);
//! assert_eq!(pairing.poll_timeout(), Some(now + Duration::from_secs(60)));
//!
//! // It was the only ref, and nobody scanned it.
//! pairing.handle_timeout(now + Duration::from_secs(60));
//! assert!(matches!(pairing.poll_output(), Some(PairOutput::QrExpired)));
//! assert!(matches!(pairing.poll_output(), Some(PairOutput::Exhausted)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adv;
mod client_type;
mod clocks;
mod code;
mod config;
mod error;
mod machine;
mod output;
mod qr;
mod refs;
mod reply;
mod scan;

pub use adv::{
    AdvFamily, KeyIndexList, KeyIndexListError, MAX_DEVICE_IDENTITY_LEN, MAX_KEY_INDEX_LIST_LEN,
    SignedIdentity, SignedIdentityError, SignedKeyIndexList, Verified, device_list_hash,
    verify_pair_success,
};
pub use client_type::ClientType;
pub use code::{PairingCode, PairingCodeError};
pub use config::{APPROVAL_WINDOW, FIRST_REF_TTL, NEXT_REF_TTL, PairConfig, PairKeys, PairTimings};
pub use error::{ErrorReply, PairError};
pub use machine::{Handled, Pairing};
pub use output::{PairCandidate, PairOutput, PairSummary, Paired};
pub use qr::{DEEP_LINK_PREFIX, QrCode, QrForm, QrText};
pub use refs::{MAX_REF_LEN, MAX_REFS};
pub use scan::{QrParseError, ScannedQr, parse_qr};
