-- What agents of the first release laid out.
CREATE TABLE node (boot_id TEXT NOT NULL) STRICT;
CREATE TABLE attachment (
  id TEXT PRIMARY KEY,
  network TEXT NOT NULL,
  container_id TEXT NOT NULL,
  ifname TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('adding', 'ready', 'deleting')),
  netns_path TEXT NOT NULL,
  netns_inode TEXT NOT NULL,
  mac TEXT NOT NULL,
  mtu INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  pod_namespace TEXT,
  pod_name TEXT,
  pod_uid TEXT,
  created_at INTEGER NOT NULL,
  UNIQUE (network, container_id, ifname)
) STRICT;
CREATE TABLE address (
  address TEXT PRIMARY KEY,
  attachment_id TEXT NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
  position INTEGER NOT NULL
) STRICT;
CREATE INDEX address_by_attachment ON address (attachment_id);
PRAGMA user_version = 1;
