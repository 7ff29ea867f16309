//! What a companion can ask about itself as a device (pairing chapter, F.1).

use wa_proto::NodeRef;

use super::World;
use super::code::LINK_CODE;
use super::conn::Conn;
use super::iq::Answer;
use super::remark::CeremonyError;
use crate::fault::{Step, StreamError};

impl World {
    pub(super) fn answer_md(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Option<Answer> {
        if iq.child(LINK_CODE).is_some() {
            let rule = CeremonyError::Registered;
            return Some(self.ceremony_refused(conn, LINK_CODE, rule));
        }
        let remove = iq.child("remove-companion-device")?;
        if iq.attr_text("type").as_deref() != Some("set") {
            return Some(Answer::Error(400, "bad-request"));
        }
        Some(self.answer_removal(conn, iq, &remove))
    }

    /// A companion may remove itself and nobody else.
    fn answer_removal(
        &mut self,
        conn: &mut Conn,
        iq: &NodeRef<'_>,
        remove: &NodeRef<'_>,
    ) -> Answer {
        let Some(session) = conn.session() else {
            return Answer::Error(500, "internal-server-error");
        };
        let (number, device) = (session.number, session.device);
        let own = self.accounts.get(&number).is_some_and(|account| {
            remove
                .attr_jid("jid")
                .is_some_and(|jid| account.is_named(&jid) && jid.device() == device)
        });
        if !own {
            return Answer::Error(403, "forbidden");
        }
        if !self.at(conn, Step::Logout) {
            return Answer::Done;
        }
        self.send_result(conn, iq, Vec::new());
        self.end_stream(conn, &StreamError::DeviceRemoved);
        self.remove_device(number, device);
        Answer::Done
    }
}
