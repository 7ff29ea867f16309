use std::time::{Duration, Instant};

use wa_crypto::CryptoRng;
use wa_pair::PairRequest;
use wa_proto::{Jid, Node, NodeRef};

use crate::io::OpId;

/// Most requests waiting for an answer at a time. Prekey upkeep has one, pings have two, cleans a few.
pub const MAX_PENDING_REQUESTS: usize = 64;

/// What a request was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    KeepAlive,
    Ping(OpId),
    Count,
    Upload,
    Digest,
    Rotate,
    Active,
    Clean,
    Devices,
    Unlink,
    Pair(PairRequest),
}

/// Ids of our stanzas, `<a>.<b>-<n>`: two random numbers per client and a counter from 1 (login chapter,
/// section 3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct StanzaIds {
    a: u16,
    b: u16,
    count: u64,
}

impl StanzaIds {
    pub(crate) fn new(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let [a, b, c, d, ..] = rng.next_u64().to_be_bytes();
        Self {
            a: u16::from_be_bytes([a, b]),
            b: u16::from_be_bytes([c, d]),
            count: 0,
        }
    }

    pub(crate) fn next(&mut self) -> String {
        self.count += 1;
        format!("{}.{}-{}", self.a, self.b, self.count)
    }
}

/// Requests of one connection that wait for an answer.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct Pending {
    id: String,
    purpose: Purpose,
    sent_at: Instant,
    deadline: Instant,
}

/// A request that got its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answered {
    pub(crate) purpose: Purpose,
    pub(crate) round_trip: Duration,
}

/// No room for another request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

impl Requests {
    /// Notes a request that is about to be sent.
    pub(crate) fn expect(
        &mut self,
        id: String,
        purpose: Purpose,
        sent_at: Instant,
        limit: Duration,
    ) -> Result<(), Full> {
        if !self.has_room() {
            return Err(Full);
        }
        self.pending.push(Pending {
            id,
            purpose,
            sent_at,
            deadline: sent_at + limit,
        });
        Ok(())
    }

    /// Takes the request an iq of type `result` or `error` answers.
    pub(crate) fn take_answered(&mut self, iq: &NodeRef<'_>, now: Instant) -> Option<Answered> {
        let id = iq.attr_text("id")?;
        let index = self.pending.iter().position(|pending| pending.id == *id)?;
        let pending = self.pending.swap_remove(index);
        Some(Answered {
            purpose: pending.purpose,
            round_trip: now.saturating_duration_since(pending.sent_at),
        })
    }

    /// Takes one request whose time is over.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Purpose> {
        let index = self
            .pending
            .iter()
            .position(|pending| pending.deadline <= now)?;
        Some(self.pending.swap_remove(index).purpose)
    }

    /// Takes every request, when the connection is over.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Purpose> + '_ {
        self.pending.drain(..).map(|pending| pending.purpose)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.pending.len() < MAX_PENDING_REQUESTS
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.deadline).min()
    }
}

/// The code of an iq of type `error`; 500 when it has none that fits.
pub(crate) fn error_code(iq: &NodeRef<'_>) -> u16 {
    iq.child("error")
        .and_then(|error| error.attr_u64("code"))
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(500)
}

/// A request to the server.
pub(crate) fn request(kind: &'static str, xmlns: &'static str, id: &str) -> Node {
    Node::new("iq")
        .attr("to", Jid::server_jid())
        .attr("type", kind)
        .attr("xmlns", xmlns)
        .attr("id", id)
}
