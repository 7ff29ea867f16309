//! The Signal material of a companion device: what linking and login need of it.
//!
//! Built here (signal chapter, sections 1 and 3; login chapter, section 4):
//! - [`RegistrationId`], the number that must stay equal in every place that names this device;
//! - [`SignedPrekey`] with its signature and its rotation after 27 days;
//! - one-time prekeys ([`OneTimePrekey`]) with 24-bit ids, and [`PrekeyLedger`], the two watermarks
//!   that keep a key from being offered under two ids, or an id from being used for two keys;
//! - the stanza children that upload, rotate, count and digest the bundle, and the bounded parsers of
//!   the server's answers.
//!
//! Not built here: sockets, request ids, timeouts and storage. The engine wraps the children in an iq
//! and decides when; the store keeps what the engine hands it. Time is unix seconds given as an
//! argument, randomness an argument too.
//!
//! # Where the rest of the Signal layer goes
//!
//! Sessions come as sibling modules of the ones here, on the same key types: `x3dh` (section 5, takes
//! [`SignedPrekey`] and [`OneTimePrekey`]), `ratchet` (6), `wire` (7, message framing), `sender_key`
//! (8), `session` (9, records and their pickles), `bundle` (4, the parser of other devices' bundles,
//! beside `answer`). None of them needs anything of this crate to move.
//!
//! # Driving it
//!
//! The rule for prekeys is: plan, generate, **persist**, send, and only on the `result` move the
//! watermark, persist again. A crash anywhere in between leads to the same plan with the same keys.
//!
//! ```
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use wa_crypto::{IdentitySecret, Provider};
//! use wa_signal::{FIRST_UPLOAD, PrekeyLedger, RegistrationId, SignedPrekey, SignedPrekeyId};
//!
//! let mut rng = ChaCha20Rng::seed_from_u64(7);
//! let provider = Provider::rust();
//! let identity = IdentitySecret::generate(provider, &mut rng);
//! let registration = RegistrationId::generate(&mut rng);
//! let signed = SignedPrekey::generate(provider, SignedPrekeyId::FIRST, &identity, 1_790_000_000, &mut rng);
//!
//! let mut ledger = PrekeyLedger::new();
//! let plan = ledger.plan(FIRST_UPLOAD);
//! let keys = ledger.generate_missing(&plan, provider, &mut rng);
//! // ... persist `ledger` and `keys` in one transaction, then send:
//! let children = wa_signal::upload_stanza_children(registration, &identity.public(), &keys, &signed);
//! assert_eq!(children.len(), 5);
//! // ... and when the `result` iq is here:
//! ledger.mark_uploaded(plan.upload())?;
//! assert!(ledger.pending().is_empty());
//! # Ok::<(), wa_signal::LedgerError>(())
//! ```

mod answer;
mod backoff;
mod id;
mod ledger;
mod prekey;
mod registration;
mod signed_prekey;
mod stanza;

pub use answer::{
    AnswerError, CountAnswer, DigestAnswer, DigestMismatch, MAX_COUNT, MAX_LISTED_PREKEYS,
    RotateRefusal,
};
pub use backoff::{MAX_UPLOAD_BACKOFF, upload_backoff};
pub use id::{MAX_PREKEY_ID, PrekeyId, SignedPrekeyId};
pub use ledger::{
    FIRST_UPLOAD, LATER_UPLOAD, LedgerError, MAX_BATCH, MAX_PENDING, PrekeyLedger, PrekeyRange,
    REFILL_THRESHOLD, UploadPlan, needs_refill,
};
pub use prekey::{OneTimePrekey, PublicPrekey};
pub use registration::{MAX_REGISTRATION_ID, RegistrationId};
pub use signed_prekey::{
    PublicSignedPrekey, ROTATION_RETRY_AFTER, SIGNED_PREKEY_MAX_AGE, SignedPrekey,
};
pub use stanza::{
    KEY_TYPE_CURVE25519, UPLOAD_CHILDREN, bundle_digest, count_stanza_child, digest_stanza_child,
    rotate_stanza_child, upload_stanza_children, write_upload_children,
};
