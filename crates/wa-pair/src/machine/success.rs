//! The phone's answer: pair-success, approval, the signed reply (pairing chapter, A.5 to A.9).

use std::time::Instant;

use prost::Message as _;
use wa_crypto::CryptoRng;
use wa_proto::pb::ClientPairingProps;
use wa_proto::{Jid, NodeRef, Server};

use super::{Pairing, State};
use crate::adv::{Verified, verify_pair_success};
use crate::{PairCandidate, PairError, PairOutput, PairSummary, Paired, reply};

/// Longest `client-props` that is looked at. Known props take six bytes; the subscription payload
/// they may carry is small.
const MAX_CLIENT_PROPS_LEN: usize = 4096;

/// Longest platform name kept, in characters.
const MAX_PLATFORM_LEN: usize = 64;

/// Longest business name kept, in characters.
const MAX_BUSINESS_NAME_LEN: usize = 256;

/// A verified pair-success that the application has not approved yet.
pub(super) struct AwaitApproval {
    pub(super) id: String,
    pub(super) deadline: Instant,
    verified: Verified,
    facts: Facts,
}

/// What a pair-success says beside the device identity.
struct Facts {
    candidate: PairCandidate,
    lid_migrated: Option<bool>,
    server_time: Option<u64>,
}

impl Pairing {
    pub(super) fn pair_success(
        &mut self,
        now: Instant,
        id: &str,
        stanza: &NodeRef<'_>,
        pair_success: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        if !matches!(self.state, State::AwaitSuccess(_)) {
            tracing::debug!("ignored another pair-success");
            return;
        }
        self.blank();
        self.end_flows();
        self.outputs.push_back(PairOutput::Verifying);
        let (verified, facts) = match self.check(stanza, pair_success) {
            Ok(checked) => checked,
            Err(error) => return self.refuse(id, error),
        };
        let deadline = now.checked_add(self.config.timings.approval).unwrap_or(now);
        let awaiting = AwaitApproval {
            id: id.to_owned(),
            deadline,
            verified,
            facts,
        };
        if self.config.require_approval {
            self.outputs
                .push_back(PairOutput::ApprovalNeeded(awaiting.facts.candidate.clone()));
            self.state = State::AwaitApproval(Box::new(awaiting));
        } else {
            self.complete(awaiting, rng);
        }
    }

    /// Signs, and orders: persist, send, tell.
    pub(super) fn complete(
        &mut self,
        awaiting: AwaitApproval,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let AwaitApproval {
            id,
            verified,
            facts,
            ..
        } = awaiting;
        let PairCandidate {
            jid,
            lid,
            platform,
            business_name,
        } = facts.candidate;
        let key_index = verified.key_index();
        let primary_identity = *verified.account_key();
        let account = verified.sign(&self.keys.identity, rng);
        let reply = reply::pair_device_sign(&id, &account, key_index);
        let summary = PairSummary {
            jid: jid.clone(),
            lid: lid.clone(),
            platform: platform.clone(),
            business_name: business_name.clone(),
            key_index,
        };
        let paired = Paired {
            jid,
            lid,
            account,
            key_index,
            platform,
            business_name,
            primary_identity,
            lid_migrated: facts.lid_migrated,
            server_time: facts.server_time,
        };
        self.outputs
            .push_back(PairOutput::PersistPaired(Box::new(paired)));
        self.outputs.push_back(PairOutput::Send(reply));
        self.outputs.push_back(PairOutput::Paired(summary));
        self.state = State::Paired;
        self.restart_if_possible();
    }

    fn check(
        &self,
        stanza: &NodeRef<'_>,
        pair_success: &NodeRef<'_>,
    ) -> Result<(Verified, Facts), PairError> {
        let identity = pair_success
            .child("device-identity")
            .and_then(|node| node.bytes())
            .ok_or(PairError::DeviceIdentityMissing)?;
        let candidate = candidate(pair_success)?;
        let verified =
            verify_pair_success(&identity, &self.keys.adv, &self.keys.identity.public())?;
        let facts = Facts {
            candidate,
            lid_migrated: lid_migrated(pair_success),
            server_time: stanza.attr_u64("t"),
        };
        Ok((verified, facts))
    }
}

fn candidate(pair_success: &NodeRef<'_>) -> Result<PairCandidate, PairError> {
    let device = pair_success
        .child("device")
        .ok_or(PairError::DeviceMissing)?;
    if device.attr("jid").is_none() {
        return Err(PairError::DeviceMissing);
    }
    let jid = device
        .attr_jid("jid")
        .filter(|jid| is_companion(jid, &[Server::Pn, Server::Hosted]))
        .ok_or(PairError::DeviceJid)?;
    let lid = device
        .attr_jid("lid")
        .filter(|lid| is_companion(lid, &[Server::Lid, Server::HostedLid]));
    let platform = name_of(pair_success, "platform", MAX_PLATFORM_LEN);
    let business_name = name_of(pair_success, "biz", MAX_BUSINESS_NAME_LEN);
    Ok(PairCandidate {
        jid,
        lid,
        platform,
        business_name,
    })
}

/// A user's device other than the primary, which is device 0.
fn is_companion(jid: &Jid, servers: &[Server]) -> bool {
    servers.contains(&jid.server()) && !jid.is_bare() && jid.device() != 0
}

/// The `name` of a child, without control characters, cut to `limit` characters: it ends on screens.
fn name_of(pair_success: &NodeRef<'_>, child: &str, limit: usize) -> Option<String> {
    let child = pair_success.child(child)?;
    let name: String = child
        .attr_text("name")?
        .chars()
        .filter(|character| !character.is_control())
        .take(limit)
        .collect();
    if name.is_empty() { None } else { Some(name) }
}

/// Props that cannot be read are no reason to refuse the link: the flag stays unknown.
fn lid_migrated(pair_success: &NodeRef<'_>) -> Option<bool> {
    let props = pair_success.child("client-props")?;
    let bytes = props
        .bytes()
        .filter(|bytes| bytes.len() <= MAX_CLIENT_PROPS_LEN)?;
    ClientPairingProps::decode(bytes.as_ref())
        .ok()?
        .is_chat_db_lid_migrated
}
