-- Notes that zones were told their newest observation.
-- KEYS: 1 changed, 2 active;  ARGV: 1 now ms, then pairs of zone key and the rev that was sent
-- A zone whose rev moved on meanwhile stays in the changed set. Returns how many were removed.
local removed = 0
for i = 2, #ARGV, 2 do
  local rev = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if rev and tonumber(rev) <= tonumber(ARGV[i + 1]) then
    removed = removed + redis.call('ZREM', KEYS[1], ARGV[i])
  end
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i])
end
return removed
