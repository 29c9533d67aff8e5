-- flight_end: give back what flight_take gave; its token stays known, so that whoever held it before is still told that he was overtaken.
--   K.flights   see flight_take.lua
--   ARGV        name, token, asked (see there)
-- Returns 1, or 0 when it had been taken over.
-- include: flight
local flight = flight_of(ARGV[1])
if not flight or flight.token ~= tonumber(ARGV[2]) or flight.asked ~= ARGV[3] then return 0 end
keep_flight(ARGV[1], flight.token, 0, flight.since, flight.lease, flight.asked, flight.who)
return 1
