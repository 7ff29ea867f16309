use wa_crypto::CryptoRng;
use wa_signal::{PublicSignedPrekey, ROTATION_RETRY_AFTER, SignedPrekey, SignedPrekeyId};

use super::{Device, pickle, put};
use crate::record::Changes;

/// Signed prekeys kept: the current one and two before it, for late first messages (signal chapter,
/// section 3). At one rotation in 27 days that is twelve weeks.
pub const KEPT_SIGNED_PREKEYS: usize = 3;

/// The next signed prekey: made, offered, confirmed. A key that was offered is kept until the server has refused
/// it as malformed or it is old: whatever else the answer was, the server may hand it out.
impl Device {
    /// The signed prekey to offer to the server next: one that was offered and not confirmed, or a fresh one
    /// under the next id that was never used. The current one stays current.
    pub(crate) fn next_signed_prekey(
        &mut self,
        rng: &mut (impl CryptoRng + ?Sized),
        unix_secs: u64,
    ) -> (SignedPrekey, Changes) {
        if let Some(offered) = self.offered_signed_prekey() {
            return (offered.clone(), Changes::default());
        }
        self.newest = self.newest.next();
        let next =
            SignedPrekey::generate(self.provider, self.newest, &self.identity, unix_secs, rng);
        self.signed_prekeys.push(next.clone());
        let mut changes = put(pickle::signed_prekey(&next));
        changes.puts.push(self.record());
        (next, changes)
    }

    /// Whether a rotation is due and nothing speaks against trying it now.
    pub(crate) fn is_rotation_due(&self, unix_secs: u64) -> bool {
        let wait = self.rotate_after.saturating_sub(unix_secs);
        // A wait longer than any was noted down by a clock that was wrong.
        let waits = (1..=ROTATION_RETRY_AFTER).contains(&wait);
        !waits && self.signed_prekey().is_due(unix_secs)
    }

    /// Notes that the server did not take a new signed prekey. A day passes before it is offered one again,
    /// over restarts too.
    pub(crate) fn put_rotation_off(&mut self, unix_secs: u64) -> Changes {
        self.rotate_after = unix_secs.saturating_add(ROTATION_RETRY_AFTER);
        put(self.record())
    }

    /// Drops a signed prekey that the server refused as malformed. Its id is not used again.
    pub(crate) fn drop_signed_prekey(&mut self, id: SignedPrekeyId) -> Changes {
        if id == self.current {
            return Changes::default();
        }
        self.signed_prekeys.retain(|key| key.id != id);
        Changes {
            deletes: vec![pickle::signed_prekey_key(id)],
            ..Changes::default()
        }
    }

    /// The server holds `signed`: if that is the key it was offered without confirming it, it is the current
    /// one from now on.
    pub(crate) fn settle_rotation(&mut self, signed: &PublicSignedPrekey) -> Changes {
        match self.offered_signed_prekey() {
            Some(offered) if offered.public() == *signed => self.use_signed_prekey(signed.id),
            _ => Changes::default(),
        }
    }

    /// Makes `id` current and drops what is older than [`KEPT_SIGNED_PREKEYS`].
    pub(crate) fn use_signed_prekey(&mut self, id: SignedPrekeyId) -> Changes {
        self.current = id;
        self.rotate_after = 0;
        let mut changes = put(self.record());
        while self.signed_prekeys.len() > KEPT_SIGNED_PREKEYS {
            let oldest = self
                .signed_prekeys
                .iter()
                .position(|key| key.id != self.current);
            let Some(oldest) = oldest else { break };
            let dropped = self.signed_prekeys.remove(oldest);
            changes.deletes.push(pickle::signed_prekey_key(dropped.id));
        }
        changes
    }

    fn offered_signed_prekey(&self) -> Option<&SignedPrekey> {
        self.signed_prekeys
            .iter()
            .find(|key| key.id == self.newest && key.id != self.current)
    }
}
