PRAGMA application_id = 0x57415354;

-- How the master key is found and checked. One row.
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    header BLOB NOT NULL
) STRICT;

-- data_key is wrapped by the master key; profile (label, JIDs, platform) is sealed by the data key.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    data_key BLOB NOT NULL,
    profile BLOB NOT NULL,
    link TEXT NOT NULL,
    desired TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0,
    since_unix_ms INTEGER NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    updated_unix_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- slot is a keyed hash of kind and key; the key itself is inside what is sealed.
CREATE TABLE record (
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    slot BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (account, kind, slot)
) STRICT, WITHOUT ROWID;
