-- error_note: count some occurrences of one kind of error; the journal gets one entry a minute for it, however many there are.
--   K.errors, K.error_counts
--   ARGV   fingerprint, how many, report as JSON, most entries, oldest entry (ms)
-- What is too old or too much goes out in the same step. Returns 1 for a new entry, 0 where one of this minute was counted up.
-- include: clock
local fingerprint, many, report, most, age = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local TRIMMED_AT_ONCE = 50
local at = now()
local field = string.format("%d|%s", math.floor(at / 60000), fingerprint)
local before = redis.call("HGET", K.error_counts, field)
local counted = before and tonumber(string.match(before, "^%d+")) or 0
redis.call("HSET", K.error_counts, field, string.format("%d %d", counted + many, at))
if before then return 0 end

redis.call("XADD", K.errors, "*", "c", field, "t", string.format("%d", at), "r", report)
local excess = redis.call("XLEN", K.errors) - most
for index, entry in ipairs(redis.call("XRANGE", K.errors, "-", "+", "COUNT", math.max(excess, TRIMMED_AT_ONCE))) do
  local fields = entry[2]  -- c, its value, t, its value, …
  if index > excess and tonumber(fields[4]) > at - age then break end
  redis.call("XDEL", K.errors, entry[1])
  redis.call("HDEL", K.error_counts, fields[2])
end
return 1
