-- Reads the absolute state of some zones, consistent with itself.
-- KEYS: 1 epoch, 2 feed;  ARGV: 1 key prefix of the market, 2 driver TTL ms, 3 decay period ms, 4.. zone keys
-- Returns epoch, now ms, '1' when the driver feed is healthy, ms of its last health, then rev, supply, demand total per zone.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local feed = redis.call('HMGET', KEYS[2], 'state', 'watermark', 'healthy_at', 'samples')
local healthy = feed[1] == 'healthy' and feed[2] and now - tonumber(feed[2]) <= tonumber(ARGV[3])
local oldest = now - tonumber(ARGV[2])
if healthy then
  -- Drivers may vanish between two sweeps: the same test as in sweep.lua, with the drivers of now.
  local fresh, peak = redis.call('ZCOUNT', ARGV[1] .. 'drivers:fresh', '(' .. oldest, '+inf'), 1
  for at, sampled in string.gmatch(feed[4] or '', '(%d+):(%d+)') do
    if tonumber(at) > oldest then peak = math.max(peak, tonumber(sampled)) end
  end
  healthy = fresh * 10 >= peak * 6
end
local out = { redis.call('GET', KEYS[1]) or '0', now, healthy and 1 or 0, feed[3] or '0' }
for i = 4, #ARGV do
  local zone = ARGV[1] .. 'zone:' .. ARGV[i]
  local demand = redis.call('HMGET', zone .. ':demand', 'rev', 'total')
  out[#out + 1] = demand[1] or '0'
  out[#out + 1] = redis.call('ZCOUNT', zone .. ':drivers', '(' .. oldest, '+inf')
  out[#out + 1] = demand[2] or '0'
end
return out
