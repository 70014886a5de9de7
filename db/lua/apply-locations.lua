-- Applies a batch of fixes to the live state of one market. Applying a fix again, or after a newer one, changes nothing.
-- KEYS: 1 epoch, 2 drivers:fresh, 3 drivers:geo, 4 drivers:zones, 5 changed, 6 feed
-- ARGV: 1 key prefix, 2 driver TTL ms, 3 countable age ms, 4 fastest plausible m/s, 5 decay period ms, 6 one flat JSON array of
-- strings, which is much cheaper to send than many arguments; 12 per fix, at most 1,000 fixes:
--   driver, stream id, t ms, lat, lng, kind (fix/inaccurate/left), zone or '', type or '', class or '', avail ('', 0, 1),
--   heading or '', speed or ''
-- Returns applied, stale, implausible, inaccurate, late, left, feed state ('' before the first sweep), zones touched …
-- The hash of a driver: t sid lat lng zone heading speed (last accepted fix), avail type class with the times avt and tyt
-- when the driver said so, and rt rsid rlat rlng (last recorded fix) while that is not the last accepted one.
local WIDTH = 12
local call, keys, argv = redis.call, KEYS, cjson.decode(ARGV[6])
local abs, max, min, sin, cos, sqrt, asin = math.abs, math.max, math.min, math.sin, math.cos, math.sqrt, math.asin
local prefix, ttl, countable, fastest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local period = tonumber(ARGV[5])
local KINDS = { fix = true, inaccurate = true, left = true }
local CLASSES = { car = true, scooter = true, bike = true, [''] = true }
local AVAILABLE = { ['0'] = true, ['1'] = true, [''] = true }

-- A Lua call is not rolled back, so everything is checked before the first write.
if #argv == 0 or #argv % WIDTH ~= 0 then
  return redis.error_reply('ERR apply-locations: incomplete fix')
end
local drivers = {}
for i = 1, #argv, WIDTH do
  local t, lat, lng = tonumber(argv[i + 2]), tonumber(argv[i + 3]), tonumber(argv[i + 4])
  local ok = t and lat and lng and string.find(argv[i], '^[%w_.-]+$') and argv[i + 1] ~= ''
    and lat >= -90 and lat <= 90 and lng >= -180 and lng <= 180
    and KINDS[argv[i + 5]] and CLASSES[argv[i + 8]] and AVAILABLE[argv[i + 9]]
  if not ok then
    return redis.error_reply('ERR apply-locations: unusable fix of ' .. argv[i])
  end
  drivers[#drivers + 1] = argv[i]
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = now - ttl
call('SET', keys[1], string.format('%d', now), 'NX')

-- What follows from the batch is gathered here and written with few calls at its end.
local member_of, fresh, places, joined, touched, order = {}, {}, {}, {}, {}, {}
for i, member in ipairs(call('HMGET', keys[4], unpack(drivers))) do
  member_of[drivers[i]] = member or ''
end

local applied, stale, implausible, inaccurate, late, left = 0, 0, 0, 0, 0, 0
local news = false

local function touch(member)
  if not touched[member] then
    touched[member] = true
    order[#order + 1] = member
  end
end

-- Fixes are ordered by time, then by stream id.
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
  local reach = fastest * max(elapsed, 1000) / 1000
  held_lat, held_lng = tonumber(held_lat), tonumber(held_lng)
  -- No way is longer than its two legs, measured at the equator: most fixes need no more than this.
  if (abs(lat - held_lat) + abs(lng - held_lng)) * 111200 <= reach then return true end
  local rad = math.pi / 180
  local x, y = sin((lat - held_lat) * rad / 2), sin((lng - held_lng) * rad / 2)
  local h = x * x + cos(lat * rad) * cos(held_lat * rad) * y * y
  return 2 * 6371008.8 * asin(min(1, sqrt(h))) <= reach
end

-- Moves a driver into the supply of `member`, or out of any with ''.
local function join(driver, member, t)
  local before = member_of[driver]
  if before ~= member then
    if before ~= '' then
      call('ZREM', prefix .. 'zone:' .. before .. ':drivers', driver)
      if joined[before] then joined[before][driver] = nil end
      touch(before)
    end
    if member == '' then
      call('HDEL', keys[4], driver)
    else
      call('HSET', keys[4], driver, member)
      touch(member)
    end
    member_of[driver] = member
  end
  if member ~= '' then
    if not joined[member] then joined[member] = {} end
    joined[member][driver] = t
  end
end

local function apply(i)
  local driver, sid, t, kind = argv[i], argv[i + 1], tonumber(argv[i + 2]), argv[i + 5]
  if now - t > countable then
    late = late + 1
    return
  end
  local key = prefix .. 'driver:location:' .. driver
  local h = call('HMGET', key, 't', 'sid', 'lat', 'lng', 'zone', 'avail', 'avt', 'class', 'tyt', 'rt', 'rsid', 'rlat', 'rlng')
  local held_t, zone, avail, class = h[1] and tonumber(h[1]), h[5] or '', h[6] or '1', h[8] or 'car'
  local set, n = {}, 0

  -- What drivers say about themselves is believed whatever the position is worth. The latest word stands; of two words of the
  -- same time the smaller, so that their order does not matter.
  local said, class_said = argv[i + 9], argv[i + 8]
  if said ~= '' then
    local at = h[7] and tonumber(h[7]) or -1
    if t > at or (t == at and said < avail) then
      avail = said
      set[1], set[2], set[3], set[4] = 'avail', said, 'avt', argv[i + 2]
      n = 4
    end
  end
  if class_said ~= '' then
    local at = h[9] and tonumber(h[9]) or -1
    if t > at or (t == at and class_said < class) then
      class = class_said
      set[n + 1], set[n + 2], set[n + 3], set[n + 4] = 'class', class, 'type', argv[i + 7]
      set[n + 5], set[n + 6] = 'tyt', argv[i + 2]
      n = n + 6
    end
  end

  local moved = false
  if kind == 'inaccurate' then
    inaccurate = inaccurate + 1
  else
    local rt, rsid, rlat, rlng = h[1], h[2], h[3], h[4]
    if h[10] then rt, rsid, rlat, rlng = h[10], h[11], h[12], h[13] end
    local lat, lng = tonumber(argv[i + 3]), tonumber(argv[i + 4])
    if not newer(t, sid, rt, rsid) then
      stale = stale + 1
    elseif kind == 'fix' and plausible(t, lat, lng, rt, rlat, rlng) then
      applied = applied + 1
      moved, zone, held_t = true, argv[i + 6], t
      if now - t <= period then news = true end
      if h[10] then call('HDEL', key, 'rt', 'rsid', 'rlat', 'rlng') end
      set[n + 1], set[n + 2], set[n + 3], set[n + 4] = 't', argv[i + 2], 'sid', sid
      set[n + 5], set[n + 6], set[n + 7], set[n + 8] = 'lat', argv[i + 3], 'lng', argv[i + 4]
      set[n + 9], set[n + 10], set[n + 11], set[n + 12] = 'zone', zone, 'heading', argv[i + 10]
      set[n + 13], set[n + 14] = 'speed', argv[i + 11]
      n = n + 14
    else
      if kind == 'left' then
        left = left + 1
        zone, held_t = '', nil
        call('HDEL', key, 't', 'sid', 'lat', 'lng', 'zone', 'heading', 'speed')
        call('ZREM', keys[2], driver)
        call('ZREM', keys[3], driver)
        fresh[driver], places[driver] = nil, nil
      else
        implausible = implausible + 1
      end
      set[n + 1], set[n + 2], set[n + 3], set[n + 4] = 'rt', argv[i + 2], 'rsid', sid
      set[n + 5], set[n + 6], set[n + 7], set[n + 8] = 'rlat', argv[i + 3], 'rlng', argv[i + 4]
      n = n + 8
    end
  end
  if n == 0 then return end
  call('HSET', key, unpack(set, 1, n))
  call('PEXPIRE', key, ttl)

  local young = held_t and held_t > oldest
  if young and zone ~= '' and avail == '1' then
    join(driver, zone .. ':' .. class, held_t)
  else
    join(driver, '', 0)
  end
  if moved and young then
    fresh[driver], places[driver] = t, i
    local heading, speed = argv[i + 10], argv[i + 11]
    call('PUBLISH', prefix .. 'driver:' .. driver, '{"driverId":"' .. driver .. '","latitude":' .. argv[i + 3]
      .. ',"longitude":' .. argv[i + 4] .. ',"heading":' .. (heading == '' and 'null' or heading)
      .. ',"speed":' .. (speed == '' and 'null' or speed) .. ',"atMs":' .. argv[i + 2] .. '}')
  end
end

for i = 1, #argv, WIDTH do
  apply(i)
end

local list = {}
for driver, t in pairs(fresh) do
  list[#list + 1] = t
  list[#list + 1] = driver
end
if #list > 0 then call('ZADD', keys[2], unpack(list)) end
list = {}
for driver, i in pairs(places) do
  -- The GEO index of Redis ends at these latitudes.
  if abs(tonumber(argv[i + 3])) <= 85.05 then
    list[#list + 1] = argv[i + 4]
    list[#list + 1] = argv[i + 3]
    list[#list + 1] = driver
  end
end
if #list > 0 then call('GEOADD', keys[3], unpack(list)) end
for member, scores in pairs(joined) do
  list = {}
  for driver, t in pairs(scores) do
    list[#list + 1] = t
    list[#list + 1] = driver
  end
  if #list > 0 then call('ZADD', prefix .. 'zone:' .. member .. ':drivers', unpack(list)) end
end
-- Only fresh fixes speak for the feed: what a backlog brings was true once. The first after a silence begins the feed anew,
-- and nobody believes it before the sweep does.
if news then
  local watermark = call('HGET', keys[6], 'watermark')
  if not watermark or now - tonumber(watermark) > period then
    call('HSET', keys[6], 'flowing_since', string.format('%d', now), 'state', 'unknown')
  end
  call('HSET', keys[6], 'watermark', string.format('%d', now))
end
for _, member in ipairs(order) do
  local rev = call('HINCRBY', prefix .. 'zone:' .. member .. ':demand', 'rev', 1)
  call('ZADD', keys[5], rev, member)
end
local state = call('HGET', keys[6], 'state') or ''
return { applied, stale, implausible, inaccurate, late, left, state, unpack(order) }
