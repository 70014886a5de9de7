-- Expires drivers whose last accepted fix is older than the TTL, and judges the driver feed of the market.
-- KEYS: 1 epoch, 2 drivers:fresh, 3 drivers:geo, 4 drivers:zones, 5 changed, 6 feed
-- ARGV: 1 key prefix, 2 driver TTL ms, 3 decay period ms, 4 most drivers to expire in this call
-- Returns expired, 1 when there may be more, fresh drivers, feed state, zones touched …
-- The feed is judged by the call that finds nothing more to expire.
local prefix, ttl, period, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], string.format('%d', now), 'NX')

local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ttl, 'LIMIT', 0, most)
local touched, order = {}, {}
for _, driver in ipairs(gone) do
  local member = redis.call('HGET', KEYS[4], driver)
  if member then
    redis.call('ZREM', prefix .. 'zone:' .. member .. ':drivers', driver)
    redis.call('HDEL', KEYS[4], driver)
    if not touched[member] then
      touched[member] = true
      order[#order + 1] = member
    end
  end
  redis.call('ZREM', KEYS[2], driver)
  redis.call('ZREM', KEYS[3], driver)
end
for _, member in ipairs(order) do
  local rev = redis.call('HINCRBY', prefix .. 'zone:' .. member .. ':demand', 'rev', 1)
  redis.call('ZADD', KEYS[5], rev, member)
end

local feed = redis.call('HMGET', KEYS[6], 'watermark', 'samples', 'state', 'flowing_since')
local count = redis.call('ZCARD', KEYS[2])
if #gone == most then
  return { #gone, 1, count, feed[3] or 'unknown', unpack(order) }
end

-- Samples are kept as `ms:count` words: the highest of the last TTL is what a sudden fall is measured from.
local kept, peak, last = {}, count, 0
for word in string.gmatch(feed[2] or '', '%S+') do
  local at, sampled = string.match(word, '^(%d+):(%d+)$')
  if tonumber(at) > now - ttl then
    kept[#kept + 1] = word
    peak = math.max(peak, tonumber(sampled))
    last = math.max(last, tonumber(at))
  end
end
if now - last >= period / 2 then
  kept[#kept + 1] = string.format('%d:%d', now, count)
end
-- After a silence the drivers come back one by one, so the feed must have flowed for a whole period before it is believed.
local silent = not feed[1] or now - tonumber(feed[1]) > period
local young = not feed[4] or now - tonumber(feed[4]) < period
local state = 'healthy'
if silent or young or count == 0 or count * 10 < peak * 6 then state = 'unknown' end
redis.call('HSET', KEYS[6], 'state', state, 'samples', table.concat(kept, ' '))
if state == 'healthy' then
  redis.call('HSET', KEYS[6], 'healthy_at', string.format('%d', now))
end
return { #gone, 0, count, state, unpack(order) }
