//! A companion that is linked logs in (login chapter, sections 2 and 16).

use rand_chacha::rand_core::Rng as _;
use wa_crypto::NoiseStaticPublic;
use wa_proto::{Jid, Node, pb};

use super::conn::{Conn, Phase, Session};
use super::{Misbehaviour, World};
use crate::fault::{Fault, Place, Step, StreamError, pause};
use crate::names::PhoneNumber;

/// Bytes of routing info that are random; the frame around them is what real ones look like.
const ROUTING_RANDOM_LEN: usize = 2;

impl World {
    pub(super) fn login(
        &mut self,
        conn: &mut Conn,
        noise: NoiseStaticPublic,
        username: u64,
        payload: &pb::ClientPayload,
    ) {
        let device = payload.device.and_then(|device| u16::try_from(device).ok());
        let found = PhoneNumber::new(username).ok().zip(device);
        let known = found.and_then(|(number, device)| {
            let account = self.accounts.get(&number)?;
            Some((number, device, account.devices.get(&device)?.noise))
        });
        let Some((number, device, linked)) = known else {
            self.refuse(conn, 401, Misbehaviour::UnknownDevice);
            return;
        };
        if linked != noise {
            self.refuse(conn, 401, Misbehaviour::OtherStaticKey);
            return;
        }
        conn.account = Some(number);
        self.check_routing(conn, number, device);
        self.replace_older(conn, number, device);
        conn.phase = Phase::Online(Session {
            number,
            device,
            active: !payload.passive.unwrap_or(false),
            announced: None,
            drained: false,
        });
        self.prepare_login(conn, number, device);
        if self.at(conn, Step::Login) {
            self.logged_in(conn, number, device);
        }
    }

    /// What faults have ready for this login.
    fn prepare_login(&mut self, conn: &mut Conn, number: PhoneNumber, device: u16) {
        let limit = self.take_fault(conn, |fault| match fault {
            Fault::AckLimit { ms } => Some(pause(*ms)),
            _ => None,
        });
        conn.ack_limit = limit.or(self.config.ack_timeout);
        let mut place = Place::default();
        while let Some((next, (class, count))) =
            self.faults
                .take_after(place, conn.account, |fault| match fault {
                    Fault::OfflineBatch { class, count } => Some((*class, *count)),
                    _ => None,
                })
        {
            place = next;
            self.fill_batch(number, device, class, count);
        }
    }

    fn logged_in(&mut self, conn: &mut Conn, number: PhoneNumber, device: u16) {
        self.touch();
        let now = self.now.unix_secs();
        let Some(account) = self.accounts.get_mut(&number) else {
            return;
        };
        let mut success = Node::new("success")
            .attr("t", now.to_string())
            .attr("lid", account.lid_jid(device))
            .attr("props", "27")
            .attr("abprops", "0")
            .attr("location", "frc")
            .attr("creation", account.created_at.to_string());
        if let Some(name) = &account.phone.config.push_name {
            success = success.attr("display_name", name.clone());
        }
        if let Some(device) = account.devices.get_mut(&device) {
            device.logins = device.logins.saturating_add(1);
            device.last_seen = now;
            device.online = Some(conn.id);
        }
        tracing::info!(account = %number.redacted(), device, "logged in");
        self.send(conn, &success);
        if !self.at(conn, Step::Success) {
            return;
        }
        self.hand_out_routing(conn, number, device);
        if conn.session().is_some_and(|session| session.active) {
            self.deliver_waiting(conn);
        }
    }

    /// The same device twice: the older connection goes.
    fn replace_older(&mut self, conn: &Conn, number: PhoneNumber, device: u16) {
        let older = self
            .accounts
            .get(&number)
            .and_then(|account| account.devices.get(&device))
            .and_then(|device| device.online);
        if let Some(older) = older.filter(|older| *older != conn.id) {
            self.with_conn(older, |world, conn| {
                world.end_stream(conn, &StreamError::Replaced);
                // A silenced connection says nothing more, but it is over all the same.
                world.close(conn);
            });
        }
    }

    fn check_routing(&mut self, conn: &Conn, number: PhoneNumber, device: u16) {
        let given = self
            .accounts
            .get(&number)
            .and_then(|account| account.devices.get(&device))
            .and_then(|device| device.routing.as_ref());
        if given != conn.routing.as_ref() {
            self.remark(conn, Misbehaviour::RoutingPreamble);
        }
    }

    fn hand_out_routing(&mut self, conn: &mut Conn, number: PhoneNumber, device: u16) {
        if !self.config.edge_routing {
            return;
        }
        let device = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device));
        let Some(device) = device.filter(|device| device.routing.is_none()) else {
            return;
        };
        let mut random = [0; ROUTING_RANDOM_LEN];
        self.rng.fill_bytes(&mut random);
        let mut routing = vec![0x08, 0x02, 0x10, 0x05, 0x18];
        routing.extend(random.map(|byte| byte & 0x7f));
        device.routing = Some(routing.clone());
        let ib = Node::new("ib")
            .attr("from", Jid::server_jid())
            .child(Node::new("edge_routing").child(Node::new("routing_info").bytes(routing)));
        self.send(conn, &ib);
    }
}
