use wa_core::Changes;

use crate::error::StoreError;

/// Longest label of an account, in bytes. Ours: long enough for a sentence.
pub const MAX_LABEL_LEN: usize = 256;

/// Longest key of a record, in bytes. Ours: several times the longest JID.
pub const MAX_RECORD_KEY_LEN: usize = 1024;

/// Longest value of a record, in bytes. Ours: a thousand times the largest pickle there is.
pub const MAX_RECORD_VALUE_LEN: usize = 16 * 1024 * 1024;

/// Refuses changes no store may keep. Every backend calls this before it begins.
pub fn check_changes(changes: &Changes) -> Result<(), StoreError> {
    let keys = changes.puts.iter().map(|record| record.key.len());
    let deleted = changes.deletes.iter().map(|(_, key)| key.len());
    for got in keys.chain(deleted) {
        check("record key", got, MAX_RECORD_KEY_LEN)?;
    }
    for record in &changes.puts {
        check("record value", record.value.len(), MAX_RECORD_VALUE_LEN)?;
    }
    Ok(())
}

fn check(what: &'static str, got: usize, limit: usize) -> Result<(), StoreError> {
    if got > limit {
        return Err(StoreError::TooLarge { what, got, limit });
    }
    Ok(())
}
