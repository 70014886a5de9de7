-- Puts a dead letter back into its stream and removes it, once.
-- KEYS: 1 stream, 2 dead-letter stream;  ARGV: 1 id of the dead letter, 2 field, 3 text
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('XADD', KEYS[1], '*', ARGV[2], ARGV[3])
return 1
