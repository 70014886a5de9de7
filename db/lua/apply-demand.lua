-- Applies a batch of demand events to the counters of one market. A rider counts once per zone × class and bucket with the
-- highest weight seen, so repeats and any order give the same total.
-- KEYS: 1 epoch, 2 changed
-- ARGV: 1 key prefix, 2 countable age ms, 3 life of the seen keys ms, then 5 per event:
--   zone:class, bucket number, rider hash, weight in tenths, t ms
-- Returns counted, repeated, late, zones touched …
local WIDTH, FIRST = 5, 4
local prefix, countable, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- A Lua call is not rolled back, so everything is checked before the first write.
if (#ARGV - FIRST + 1) % WIDTH ~= 0 then
  return redis.error_reply('ERR apply-demand: incomplete event')
end
for i = FIRST, #ARGV, WIDTH do
  local weight, t = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  if not (weight and weight > 0 and weight % 1 == 0 and t and ARGV[i] ~= '' and ARGV[i + 2] ~= '') then
    return redis.error_reply('ERR apply-demand: unusable event in ' .. ARGV[i])
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], string.format('%d', now), 'NX')

local counted, repeated, late = 0, 0, 0
local grown, order = {}, {}
for i = FIRST, #ARGV, WIDTH do
  local member, rider, weight = ARGV[i], ARGV[i + 2], tonumber(ARGV[i + 3])
  if now - tonumber(ARGV[i + 4]) > countable then
    late = late + 1
  else
    local seen = prefix .. 'demand:' .. ARGV[i + 1] .. ':' .. member
    local before = tonumber(redis.call('HGET', seen, rider) or 0)
    if weight > before then
      redis.call('HSET', seen, rider, ARGV[i + 3])
      redis.call('PEXPIRE', seen, life)
      if not grown[member] then order[#order + 1] = member end
      grown[member] = (grown[member] or 0) + weight - before
      counted = counted + 1
    else
      repeated = repeated + 1
    end
  end
end
for _, member in ipairs(order) do
  local key = prefix .. 'zone:' .. member .. ':demand'
  redis.call('HINCRBY', key, 'total', grown[member])
  redis.call('ZADD', KEYS[2], redis.call('HINCRBY', key, 'rev', 1), member)
end
return { counted, repeated, late, unpack(order) }
