//! The pairing machine: how a companion device is linked to an account.
//!
//! Three ways lead to the same pair-success, and share one connection (pairing chapter, A, B and C):
//!
//! - the QR code: refs and their rotation, the QR text, the refresh of its secret, the checks of
//!   pair-success with every error reply, the application's veto, the signed reply;
//! - the pairing code, typed on the phone ([`Pairing::request_code`]): the wrapped keys, the derived
//!   secret, its limits and its watchdog;
//! - the passkey ceremony, which the server may demand after either ([`PairOutput::PasskeyRequested`]):
//!   the authenticator's assertion, the comparison of codes or the proof that stands for it.
//!
//! Each has its own clock, and [`PairOutput::Exhausted`] comes only when none runs any more. A secret
//! that the phone may already rely on is not replaced by a refresh until its flow has ended.
//!
//! Beside them the signed structures around a link (A.7, F.3): device identities of other devices,
//! key index lists, the device list hash.
//!
//! Not built here: sockets, storage, request ids, the restart after the reply (the engine does that),
//! and the authenticator, which is the owner's. Time is an [`Instant`](std::time::Instant) given as an
//! argument, randomness an argument too; the one slow computation is handed out as a [`PairJob`].
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
//! pairing.handle_timeout(now + Duration::from_secs(60), &mut rng);
//! assert!(matches!(pairing.poll_output(), Some(PairOutput::QrExpired)));
//! assert!(matches!(pairing.poll_output(), Some(PairOutput::Exhausted)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A pairing code takes two steps more: the work that is handed out, and the server's answer. Until that
//! is there nobody sees the code.
//!
//! ```
//! # use std::time::{Duration, Instant};
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticSecret, Provider};
//! # use wa_proto::{Decoder, Jid, Node};
//! # use wa_pair::{PairConfig, PairKeys, Pairing};
//! use wa_pair::{CodeRequest, PairAnswer, PairOutput, PhoneNumber};
//! # let mut rng = ChaCha20Rng::seed_from_u64(7);
//! # let mut pairing = Pairing::new(
//! #     PairKeys {
//! #         noise: NoiseStaticSecret::generate(Provider::rust(), &mut rng).public(),
//! #         identity: IdentitySecret::generate(Provider::rust(), &mut rng),
//! #         adv: AdvSecret::generate(&mut rng),
//! #     },
//! #     PairConfig::default(),
//! # );
//! # let now = Instant::now();
//! # let pair_device = Node::new("iq")
//! #     .attr("type", "set")
//! #     .attr("id", "1")
//! #     .attr("from", Jid::server_jid())
//! #     .child(Node::new("pair-device").child(Node::new("ref").bytes(*b"2@abc")))
//! #     .to_bytes()?;
//! # let mut decoder = Decoder::new();
//! # let _ = pairing.handle_stanza(now, &decoder.decode(&pair_device)?, &mut rng);
//! # while pairing.poll_output().is_some() {}
//!
//! let number = PhoneNumber::parse("+1 (555) 123-4567")?;
//! pairing.request_code(now, CodeRequest::new(number), &mut rng)?;
//! let Some(PairOutput::Compute(job)) = pairing.poll_output() else { panic!("the work") };
//! pairing.handle_computed(now, job.run(), &mut rng); // run it off the loop
//! let Some(PairOutput::Request { request, .. }) = pairing.poll_output() else { panic!("the request") };
//!
//! let reference = Node::new("link_code_pairing_ref").bytes(*b"ref");
//! let answer = Node::new("iq")
//!     .attr("type", "result")
//!     .child(Node::new("link_code_companion_reg").child(reference))
//!     .to_bytes()?;
//! let answer = decoder.decode(&answer)?;
//! pairing.handle_answer(now, request, PairAnswer::Result(&answer), &mut rng);
//! let Some(PairOutput::Code(live)) = pairing.poll_output() else { panic!("the code") };
//! assert_eq!(live.ttl, Duration::from_secs(180));
//! assert_eq!(live.code.display().len(), "ABCD-1234".len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adv;
mod client_type;
mod clocks;
mod code;
mod companion;
mod compute;
mod config;
mod error;
mod link_code;
mod machine;
mod output;
mod passkey;
mod phone_number;
mod qr;
mod refs;
mod reply;
mod request;
mod scan;

pub use adv::{
    AdvFamily, KeyIndexList, KeyIndexListError, MAX_DEVICE_IDENTITY_LEN, MAX_KEY_INDEX_LIST_LEN,
    OwnIdentity, OwnIdentityError, SignedIdentity, SignedIdentityError, SignedKeyIndexList,
    Verified, device_list_hash, verify_pair_success,
};
pub use client_type::ClientType;
pub use code::{PairingCode, PairingCodeError};
pub use companion::CompanionPlatform;
pub use compute::{CODE_ROUNDS, PairComputed, PairJob};
pub use config::{
    AFTER_PRIMARY_HELLO, APPROVAL_WINDOW, CODE_TTL, FINISH_ANSWER, FIRST_REF_TTL, HELLO_ANSWER,
    Handoff, NEXT_REF_TTL, PASSKEY_ANSWER, PASSKEY_ASSERTION, PASSKEY_CONFIRMATION,
    PASSKEY_HANDOFF, PASSKEY_PAIR_SUCCESS, PASSKEY_PRIMARY, PASSKEY_RECEIPT_GRACE, PairConfig,
    PairKeys, PairTimings,
};
pub use error::{ErrorReply, PairError};
pub use link_code::{
    CodeEnd, CodeError, CodeRefusal, CodeRefusalKind, CodeRequest, LiveCode, MAX_BACKOFF,
};
pub use machine::{AwaitedLink, AwaitedVia, Handled, MAX_PRIMARY_HELLOS, Pairing};
pub use output::{PairCandidate, PairOutput, PairSummary, Paired};
pub use passkey::{
    AssertionError, MAX_ASSERTION_FIELD_LEN, MAX_ASSERTION_JSON_LEN, MAX_CREDENTIAL_ID_LEN,
    MAX_PASSKEY_OPTIONS_LEN, MAX_USER_HANDLE_LEN, PasskeyAssertion, PasskeyChallenge, PasskeyEnd,
    PasskeyError, PasskeyOptions, PasskeyOptionsError, PasskeyStage,
};
pub use phone_number::{MAX_PHONE_DIGITS, MIN_PHONE_DIGITS, PhoneNumber, PhoneNumberError};
pub use qr::{DEEP_LINK_PREFIX, QrCode, QrForm, QrText};
pub use refs::{MAX_REF_LEN, MAX_REFS};
pub use request::{PairAnswer, PairRequest, PairStep};
pub use scan::{QrParseError, ScannedQr, parse_qr};
