-- breaker_leave: what came of a call.
--   K.breaker(name), K.breakers, K.breaker_events   see lib/breaker.lua
--   ARGV   name, token of the caller, verdict (failed | answered | "" = nothing is known), `<threshold> <window> <pause> <longest pause>` (milliseconds)
-- include: clock
-- include: breaker
report_call(ARGV[1], ARGV[2], ARGV[3], ARGV[4], now())
