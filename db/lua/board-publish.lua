-- Publishes one decision: board, decisions stream and Pub/Sub together, once per version.
-- KEYS: 1 board entry, 2 priced, 3 active, 4 decisions stream, 5 prices channel
-- ARGV: 1 zone key, 2 version, 3 as_of ms, 4 state JSON, 5 decision JSON, 6 snapshot JSON or ''
-- A board entry is two lines of JSON, state and decision, so that no script ever re-encodes a decision.
-- Returns {1, entry} when this call wrote the version, {0, entry held} when another writer was first.
local held = redis.call('GET', KEYS[1])
if held then
  local state = cjson.decode(string.sub(held, 1, string.find(held, '\n', 1, true) - 1))
  if state.version >= tonumber(ARGV[2]) then
    return { 0, held }
  end
end
local entry = ARGV[4] .. '\n' .. ARGV[5]
redis.call('SET', KEYS[1], entry)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], 'NX', ARGV[3], ARGV[1])
redis.call('XADD', KEYS[4], '*', 'decision', ARGV[5])
if ARGV[6] ~= '' then
  redis.call('XADD', KEYS[4], '*', 'snapshot', ARGV[6])
end
redis.call('PUBLISH', KEYS[5], entry)
return { 1, entry }
