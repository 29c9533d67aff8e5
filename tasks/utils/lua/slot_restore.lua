-- slot_restore: tell a server that lost everything what is remembered of a scheduled task outside of it. What it knows of later wins.
--   K.schedule(entry)   see lib/slot.lua
--   ARGV   entry, slot (ms), when it was last paused (ms), resumed (ms), how many of the following are of its run, then field, value, …
-- Returns 1 if the slot was not known.
local key = K.schedule(ARGV[1])
local slot, paused, resumed, count = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local known = redis.call("HMGET", key, "slot", "paused_at", "resumed_at")
local is_news = slot > tonumber(known[1] or 0)
local is_newer_pause = math.max(paused, resumed) > math.max(tonumber(known[2] or 0), tonumber(known[3] or 0))
for i = 6, #ARGV, 2 do
  local is_of_run = i < 6 + count
  if is_of_run and is_news or not is_of_run and is_newer_pause then redis.call("HSET", key, ARGV[i], ARGV[i + 1]) end
end
return is_news and 1 or 0
