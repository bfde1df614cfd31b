-- What runs made and what customers brought. The bytes lie in the file store under `id`.
create table files (
  id text collate "C" primary key,
  account_id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  -- The run that made it; null for an upload.
  run_id text collate "C",
  name text not null,
  content_type text not null,
  size_bytes bigint not null check (size_bytes >= 0),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index files_by_account on files (account_id, mode, created_at desc, id);
create index files_by_expiry on files (expires_at);
