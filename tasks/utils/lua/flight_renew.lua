-- flight_renew: go on holding what flight_take gave. What the server forgot altogether is held again, unless somebody else took it.
--   K.flights   see flight_take.lua
--   ARGV        name, token, since (ms), lease (milliseconds), who, asked (see there)
-- Returns 1, or 0 when it had been taken over.
-- include: clock
-- include: flight
local name, token = ARGV[1], tonumber(ARGV[2])
local flight = flight_of(name)
if flight and (flight.token ~= token or flight.asked ~= ARGV[6]) then return 0 end  -- after a loss two may begin in one millisecond
keep_flight(name, token, now() + ARGV[4], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[6], ARGV[5])
return 1
