-- Moves one pending entry to the dead letters. An entry that was acknowledged before is left alone, so a repeated call adds nothing.
-- KEYS: 1 stream, 2 dead-letter stream;  ARGV: 1 group, 2 entry id, then the fields of the dead letter
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return 1
