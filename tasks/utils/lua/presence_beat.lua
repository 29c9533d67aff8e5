-- presence_beat: a process shows the whole fleet that it lives; what was silent for long, or is no sign of life, is forgotten.
--   K.presence   hash: name of a process -> what it says as JSON, and: at (when it last did, ms), well (when it last took messages, had its
--                hands full, or had nothing to take)
--   ARGV         name, what it says as JSON, messages received so far, whether its hands are full (1 or 0), the lists it takes from …
-- include: clock
local FORGOTTEN = 600000  -- milliseconds
local at = now()
local name, said = ARGV[1], cjson.decode(ARGV[2])
local before = redis.call("HGET", K.presence, name)
local known = before and cjson.decode(before) or {}
local waiting = 0
for number = 5, #ARGV do waiting = waiting + redis.call("LLEN", ARGV[number]) end
local is_well = known.received ~= ARGV[3] or ARGV[4] == "1" or waiting == 0
said.at, said.received, said.well = at, ARGV[3], is_well and at or known.well or at
redis.call("HSET", K.presence, name, cjson.encode(said))
local all = redis.call("HGETALL", K.presence)
for number = 1, #all, 2 do
  local is_read, one = pcall(cjson.decode, all[number + 1])
  local last = is_read and type(one) == "table" and tonumber(one.at)
  if not last or at - last > FORGOTTEN then redis.call("HDEL", K.presence, all[number]) end
end
