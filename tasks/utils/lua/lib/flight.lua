-- flight_of(name): a flight as it is kept (K.flights, see flight_take.lua): token, ends, since, lease, asked, who; nil where there is none.
-- is_held(flight, at): whether somebody is at it. One with more left than its lease is from before the clock was set back.
-- keep_flight(...): write it.  forget_flights(at): those that ended long ago.
local function read_flight(line)
  local token, ends, since, lease, asked, who = string.match(line, "^(%d+)\n(%d+)\n(%d+)\n(%d+)\n([^\n]*)\n(.*)$")
  return {token = tonumber(token), ends = tonumber(ends), since = tonumber(since), lease = tonumber(lease), asked = asked, who = who}
end

local function flight_of(name)
  local line = redis.call("HGET", K.flights, name)
  return line and read_flight(line) or nil
end

local function is_held(flight, at)
  return flight.ends > at and flight.ends - at <= flight.lease
end

local function keep_flight(name, token, ends, since, lease, asked, who)
  redis.call("HSET", K.flights, name, string.format("%d\n%d\n%d\n%d\n", token, ends, since, lease) .. asked .. "\n" .. who)
end

local FORGOTTEN = 86400000  -- milliseconds

local function forget_flights(at)
  local all = redis.call("HGETALL", K.flights)
  for i = 1, #all, 2 do
    local flight = read_flight(all[i + 1])
    if flight.ends < at and flight.since < at - FORGOTTEN then redis.call("HDEL", K.flights, all[i]) end
  end
end
