-- flight_take: let one caller at a time do what has that name. Whoever does not renew loses it at the lease's end.
--   K.flights   hash: name -> token, until (ms; 0 = ended), since (ms), lease (ms), asked, who, a line each. Tokens of one name only grow,
--               also over a loss of the whole server: whoever holds the lower one has been overtaken.
--   ARGV        name, who, lease (milliseconds), asked: a token for asking this once
-- A caller that lost the answer asks again, by the same token, and is given what it was given: it must not find itself busy.
-- Returns {1, token, at}, or {0, until, since, who} where somebody else is at it.
-- include: clock
-- include: flight
local name, who, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = now()
local flight = flight_of(name)
if flight and is_held(flight, at) and flight.asked == ARGV[4] then return {1, flight.token, flight.since} end
if flight and is_held(flight, at) then return {0, flight.ends, flight.since, flight.who} end
if redis.call("HLEN", K.flights) > 500 then forget_flights(at) end
local token = math.max(flight and flight.token + 1 or 0, at)
keep_flight(name, token, at + lease, at, lease, ARGV[4], who)
return {1, token, at}
