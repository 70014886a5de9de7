-- Trims a stream below the oldest entry that any of its groups still needs.
-- KEYS: 1 stream;  ARGV: 1 keep everything younger than this stream id ('' for no such wish), then the groups that must exist
-- A group that is missing has read nothing, so nothing is trimmed. Returns how many entries went, or -1 when a group is missing.
local function before(a, b)
  local ams, aseq = string.match(a, '^(%d+)-(%d+)$')
  local bms, bseq = string.match(b, '^(%d+)-(%d+)$')
  if ams ~= bms then return tonumber(ams) < tonumber(bms) end
  return tonumber(aseq) < tonumber(bseq)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local found, floor = {}, nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  found[group.name] = true
  local needed = group['last-delivered-id']
  if group.pending > 0 then
    local oldest = redis.call('XPENDING', KEYS[1], group.name)[2]
    if oldest and before(oldest, needed) then needed = oldest end
  end
  if not floor or before(needed, floor) then floor = needed end
end
for i = 2, #ARGV do
  if not found[ARGV[i]] then return -1 end
end
if not floor then return -1 end
if ARGV[1] ~= '' and before(ARGV[1], floor) then floor = ARGV[1] end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', floor)
