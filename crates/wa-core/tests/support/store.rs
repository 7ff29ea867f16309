use std::collections::BTreeMap;

use wa_core::{
    AccountSummary, Changes, Desired, LinkState, Query, Record, RecordKind, SecretBytes,
};

/// Keeps records as a store does: one transaction per `Changes`.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    records: BTreeMap<(RecordKind, Vec<u8>), SecretBytes>,
    pub link: Option<LinkState>,
    pub desired: Option<Desired>,
    pub identity: Option<AccountSummary>,
    pub commits: usize,
}

impl MemoryStore {
    pub fn commit(&mut self, changes: Changes) {
        self.commits += 1;
        if changes.wipe.is_wipe() {
            self.records
                .retain(|(kind, _), _| changes.wipe.keeps(*kind));
            self.identity = None;
        }
        for key in changes.deletes {
            self.records.remove(&key);
        }
        for record in changes.puts {
            self.records.insert((record.kind, record.key), record.value);
        }
        self.link = changes.link.or(self.link);
        self.desired = changes.desired.or(self.desired);
        self.identity = changes.identity.or(self.identity.take());
    }

    pub fn load(&self, query: Query) -> Vec<Record> {
        let wanted = query.kinds();
        self.records
            .iter()
            .filter(|((kind, _), _)| wanted.contains(kind))
            .map(|((kind, key), value)| Record::new(*kind, key.clone(), value.expose().to_vec()))
            .collect()
    }

    pub fn count(&self, kind: RecordKind) -> usize {
        self.records.keys().filter(|(k, _)| *k == kind).count()
    }

    /// Whether nothing of the link is left but what is needed to finish the logout.
    pub fn has_a_tombstone_only(&self) -> bool {
        let kinds: Vec<RecordKind> = self.records.keys().map(|(kind, _)| *kind).collect();
        kinds == [RecordKind::Tombstone]
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// For tests that damage what is stored.
    pub fn replace(&mut self, record: Record) {
        self.records.insert((record.kind, record.key), record.value);
    }

    pub fn put_all(&mut self, records: Vec<Record>) {
        for record in records {
            self.replace(record);
        }
    }

    pub fn remove(&mut self, kind: RecordKind) {
        self.records.retain(|(k, _), _| *k != kind);
    }
}
