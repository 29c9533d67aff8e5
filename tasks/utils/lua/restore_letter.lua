-- restore_letter: put a dead letter back as a backup has it. Safe to run twice.
--   K.event(id), K.dead   see accept.lua
--   ARGV   id, when it died (ms), then its fields and values
-- Returns created | left: something is known of that event here.
if redis.call("EXISTS", K.event(ARGV[1])) == 1 then return "left" end
local fields = {}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call("HSET", K.event(ARGV[1]), unpack(fields))
redis.call("ZADD", K.dead, ARGV[2], ARGV[1])
return "created"
