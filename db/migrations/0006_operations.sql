create table audit_log (
  audit_id bigint generated always as identity primary key,
  who text not null,
  what text not null,
  reason text not null check (reason <> ''),
  before jsonb,
  after jsonb,
  at timestamptz not null default now()
);
create index audit_log_by_time on audit_log (at desc);
comment on table audit_log is 'Every change by an operator, written in the transaction of the change. Kept for ever.';

create table stream_positions (
  stream text not null,
  group_name text not null,
  last_id text not null check (last_id ~ '^[0-9]+-[0-9]+$'),
  updated_at timestamptz not null default now(),
  primary key (stream, group_name)
);
comment on table stream_positions is 'How far a group has read, for groups whose results are committed together with their position.';
