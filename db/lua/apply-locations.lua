-- Applies a batch of fixes to the live state of one market. Applying a fix again, or later than a newer one, changes nothing.
-- KEYS: 1 epoch, 2 drivers:fresh, 3 drivers:geo, 4 drivers:zones, 5 changed, 6 feed
-- ARGV: 1 key prefix, 2 driver TTL ms, 3 countable age ms, 4 fastest plausible m/s, then 13 per fix:
--   driver, stream id, t ms, lat, lng, kind (fix/inaccurate/left), zone or '', type or '', class or '', avail ('', 0, 1),
--   heading or '', speed or '', text for the driver's channel
-- Returns applied, stale, implausible, inaccurate, late, left, feed state ('' before the first sweep), zones touched …
local WIDTH, FIRST = 13, 5
local prefix, ttl, countable, fastest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local KINDS = { fix = true, inaccurate = true, left = true }
local CLASSES = { car = true, scooter = true, bike = true, [''] = true }
local AVAILABLE = { ['0'] = true, ['1'] = true, [''] = true }

-- A Lua call is not rolled back, so everything is checked before the first write.
if (#ARGV - FIRST + 1) % WIDTH ~= 0 then
  return redis.error_reply('ERR apply-locations: incomplete fix')
end
for i = FIRST, #ARGV, WIDTH do
  local t, lat, lng = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local ok = t and lat and lng and ARGV[i] ~= '' and string.match(ARGV[i + 1], '^%d+%-%d+$')
    and lat >= -90 and lat <= 90 and lng >= -180 and lng <= 180
    and KINDS[ARGV[i + 5]] and CLASSES[ARGV[i + 8]] and AVAILABLE[ARGV[i + 9]]
  if not ok then
    return redis.error_reply('ERR apply-locations: unusable fix of ' .. ARGV[i])
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = now - ttl
redis.call('SET', KEYS[1], string.format('%d', now), 'NX')

local applied, stale, implausible, inaccurate, late, left = 0, 0, 0, 0, 0, 0
local touched, order = {}, {}

local function touch(member)
  if not touched[member] then
    touched[member] = true
    order[#order + 1] = member
  end
end

-- Order of fixes: by time, then by stream id.
local function newer(t, sid, held_t, held_sid)
  if not held_t then return true end
  held_t = tonumber(held_t)
  if t ~= held_t then return t > held_t end
  if sid == held_sid then return false end
  local ms, seq = string.match(sid, '^(%d+)-(%d+)$')
  local held_ms, held_seq = string.match(held_sid, '^(%d+)-(%d+)$')
  if ms ~= held_ms then return tonumber(ms) > tonumber(held_ms) end
  return tonumber(seq) > tonumber(held_seq)
end

-- The same rule as domain/plausibility.ts.
local function plausible(t, lat, lng, held_t, held_lat, held_lng)
  if not held_t then return true end
  local elapsed = t - tonumber(held_t)
  if elapsed > ttl then return true end
  local rad = math.pi / 180
  local a, b = lat * rad, tonumber(held_lat) * rad
  local x, y = math.sin((a - b) / 2), math.sin((lng - tonumber(held_lng)) * rad / 2)
  local h = x * x + math.cos(a) * math.cos(b) * y * y
  local meters = 2 * 6371008.8 * math.asin(math.min(1, math.sqrt(h)))
  return meters <= fastest * math.max(elapsed, 1000) / 1000
end

-- Moves a driver into the supply of `member`, or out of any with ''.
local function join(driver, member, t)
  local before = redis.call('HGET', KEYS[4], driver) or ''
  if before ~= member then
    if before ~= '' then
      redis.call('ZREM', prefix .. 'zone:' .. before .. ':drivers', driver)
      touch(before)
    end
    if member == '' then
      redis.call('HDEL', KEYS[4], driver)
    else
      redis.call('HSET', KEYS[4], driver, member)
      touch(member)
    end
  end
  if member ~= '' then
    redis.call('ZADD', prefix .. 'zone:' .. member .. ':drivers', t, driver)
  end
end

local function apply(i)
  local driver, sid, kind = ARGV[i], ARGV[i + 1], ARGV[i + 5]
  local t, lat, lng = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  if now - t > countable then
    late = late + 1
    return
  end
  local key = prefix .. 'driver:location:' .. driver
  local h = redis.call('HMGET', key, 'rt', 'rsid', 'rlat', 'rlng', 't', 'zone', 'class', 'avail', 'avt', 'avs', 'tyt', 'tys')
  local set = {}
  local function put(name, value)
    set[#set + 1] = name
    set[#set + 1] = value
  end
  local held_t, zone, class, avail = h[5] and tonumber(h[5]), h[6] or '', h[7] or 'car', h[8] or '1'

  -- What a driver says about itself is believed whatever the position is worth; the latest statement stands.
  if ARGV[i + 9] ~= '' and newer(t, sid, h[9], h[10]) then
    avail = ARGV[i + 9]
    put('avail', avail) put('avt', ARGV[i + 2]) put('avs', sid)
  end
  if ARGV[i + 8] ~= '' and newer(t, sid, h[11], h[12]) then
    class = ARGV[i + 8]
    put('type', ARGV[i + 7]) put('class', class) put('tyt', ARGV[i + 2]) put('tys', sid)
  end

  local moved = false
  if kind == 'inaccurate' then
    inaccurate = inaccurate + 1
  elseif not newer(t, sid, h[1], h[2]) then
    stale = stale + 1
  else
    put('rt', ARGV[i + 2]) put('rsid', sid) put('rlat', ARGV[i + 3]) put('rlng', ARGV[i + 4])
    if kind == 'left' then
      left = left + 1
      zone, held_t = '', nil
      redis.call('HDEL', key, 't', 'sid', 'lat', 'lng', 'zone', 'heading', 'speed')
      redis.call('ZREM', KEYS[2], driver)
      redis.call('ZREM', KEYS[3], driver)
    elseif plausible(t, lat, lng, h[1], h[3], h[4]) then
      moved = true
      applied = applied + 1
      zone, held_t = ARGV[i + 6], t
      put('t', ARGV[i + 2]) put('sid', sid) put('lat', ARGV[i + 3]) put('lng', ARGV[i + 4]) put('zone', zone)
      put('heading', ARGV[i + 10]) put('speed', ARGV[i + 11])
    else
      implausible = implausible + 1
    end
  end
  if #set == 0 then return end
  redis.call('HSET', key, unpack(set))
  redis.call('PEXPIRE', key, ttl)

  local fresh = held_t ~= nil and held_t > oldest
  local member = ''
  if fresh and zone ~= '' and avail == '1' then member = zone .. ':' .. class end
  join(driver, member, held_t)
  if moved and fresh then
    redis.call('ZADD', KEYS[2], t, driver)
    -- The GEO index of Redis ends at these latitudes.
    if math.abs(lat) <= 85.05 then redis.call('GEOADD', KEYS[3], ARGV[i + 4], ARGV[i + 3], driver) end
    redis.call('PUBLISH', prefix .. 'driver:' .. driver, ARGV[i + 12])
  end
end

for i = FIRST, #ARGV, WIDTH do
  apply(i)
end

if applied > 0 then
  redis.call('HSET', KEYS[6], 'watermark', string.format('%d', now))
end
for _, member in ipairs(order) do
  local rev = redis.call('HINCRBY', prefix .. 'zone:' .. member .. ':demand', 'rev', 1)
  redis.call('ZADD', KEYS[5], rev, member)
end
local state = redis.call('HGET', KEYS[6], 'state') or ''
return { applied, stale, implausible, inaccurate, late, left, state, unpack(order) }
