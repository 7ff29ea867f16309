use wa_noise::NoiseRoot;
use wa_pair::Paired;
use wa_proto::{Jid, Server};

use super::{Credentials, Device, Registered, pickle};
use crate::record::{Changes, LinkState};

impl Device {
    /// Takes the link over; everything of the pairing chapter, A.9 step 3, in one transaction.
    pub(crate) fn link_to(&mut self, paired: &Paired, unix_secs: u64) -> Changes {
        let registered = Registered {
            jid: paired.jid.clone(),
            lid: paired.lid.clone(),
            account: paired.account.clone(),
            key_index: paired.key_index,
            platform: paired.platform.clone(),
            business_name: paired.business_name.clone(),
            push_name: None,
            primary_identity: paired.primary_identity,
            lid_migrated: paired.lid_migrated,
            logins: 0,
            paired_at: unix_secs,
        };
        let primary = pickle::peer_identity(&registered.primary(), &paired.primary_identity);
        self.credentials = Credentials::Registered(Box::new(registered));
        Changes {
            puts: vec![self.record(), primary],
            link: Some(LinkState::Linked),
            identity: self.summary(),
            ..Changes::default()
        }
    }

    /// Notes a login; takes over a LID and a name the server has told. The primary's identity moves to the
    /// address that it has from now on.
    pub(crate) fn logged_in(
        &mut self,
        root: NoiseRoot,
        lid: Option<Jid>,
        push_name: Option<String>,
    ) -> Changes {
        self.root.get_or_insert(root);
        let Credentials::Registered(registered) = &mut self.credentials else {
            return Changes::default();
        };
        registered.logins = registered.logins.saturating_add(1);
        if push_name.is_some() {
            registered.push_name = push_name;
        }
        let mut changes = Changes::default();
        let lid = lid.filter(|lid| matches!(lid.server(), Server::Lid | Server::HostedLid));
        let renamed = lid.is_some() && lid != registered.lid;
        if renamed {
            let before = registered.primary();
            registered.lid = lid;
            let after = registered.primary();
            if before != after {
                changes.deletes.push(pickle::peer_identity_key(&before));
                let primary = pickle::peer_identity(&after, &registered.primary_identity);
                changes.puts.push(primary);
            }
            changes.identity = self.summary();
        }
        changes.puts.push(self.record());
        changes
    }
}
