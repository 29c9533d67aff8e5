-- breaker_enter: ask whether a call may begin; of a half-open breaker one caller gets the probe.
--   K.breaker(name), K.breakers, K.breaker_events   see lib/breaker.lua
--   ARGV   name, token of the caller, lease of a probe (milliseconds)
-- Returns {"call"} | {"probe"} | {"shut", ms until it may be asked again, since when it is shut: `<name> <ms> <forced|>`}.
-- include: clock
-- include: breaker
local name, who, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = now()
local till = shut_until(name, at)
if till then return {"shut", till - at, down_since(name, at)} end
return {take_probe(name, who, lease, at) and "probe" or "call"}
