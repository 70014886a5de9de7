-- Refreshes counts and as_of of an entry under its version, and appends the tick's snapshot.
-- KEYS: 1 board entry, 2 priced, 3 active, 4 decisions stream, 5 prices channel
-- ARGV: 1 zone key, 2 version, 3 as_of ms, 4 state JSON, 5 snapshot JSON, 6 '1' when the zone falls asleep
-- Returns {1, entry} when refreshed, {0, entry held} when the board is ahead, {2, ''} when it lost this version.
local held = redis.call('GET', KEYS[1])
local decision = 'null'
local version = 0
local as_of = 0
if held then
  local cut = string.find(held, '\n', 1, true)
  local state = cjson.decode(string.sub(held, 1, cut - 1))
  version = state.version
  as_of = state.asOfMs
  decision = string.sub(held, cut + 1)
end
if version > tonumber(ARGV[2]) then
  return { 0, held }
end
if version < tonumber(ARGV[2]) then
  return { 2, '' }
end
-- A worker that was paused must not put back older counts; the tick it speaks of still happened.
if as_of > tonumber(ARGV[3]) then
  redis.call('XADD', KEYS[4], '*', 'snapshot', ARGV[5])
  return { 1, held }
end
local entry = ARGV[4] .. '\n' .. decision
redis.call('SET', KEYS[1], entry)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
if ARGV[6] == '1' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], 'NX', ARGV[3], ARGV[1])
end
redis.call('XADD', KEYS[4], '*', 'snapshot', ARGV[5])
redis.call('PUBLISH', KEYS[5], entry)
return { 1, entry }
