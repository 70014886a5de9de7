-- Removes consumers of ended processes, which hold nothing and asked for nothing for long.
-- KEYS: 1 stream;  ARGV: 1 idle ms, then the groups. Returns how many were removed.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local wanted, removed = {}, 0
for i = 2, #ARGV do wanted[ARGV[i]] = true end
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local name = flat[2]
  if wanted[name] then
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], name)) do
      local of = {}
      for i = 1, #consumer, 2 do of[consumer[i]] = consumer[i + 1] end
      if of.pending == 0 and of.idle > tonumber(ARGV[1]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], name, of.name)
        removed = removed + 1
      end
    end
  end
end
return removed
