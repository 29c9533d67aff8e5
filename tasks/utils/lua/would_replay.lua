-- would_replay: what a replay would make of dead letters, and where each was to go. Changes nothing.
--   K.dead, K.event(id), K.alert(uid)
--   ARGV   ids
-- Returns fate, destination; and again for each id. Fates: "replayed" · "resolved" · "overtaken" (see replay.lua) · "unreadable" (it never was an
-- alert) · "" (it is no dead letter any more).
-- include: second_chance
local function fate(letter)
  if not redis.call("ZSCORE", K.dead, letter.id) then return "" end
  if letter.source == "message" then return "unreadable" end
  local state, reason = fate_of(letter)
  if not state then return "replayed" end
  return reason == "resolved_before_send" and "resolved" or "overtaken"
end

local function destination(letter)
  if letter.lane then return string.match(letter.lane, "@(.*)$") end
  return letter.group and redis.call("HGET", K.alert(letter.place), "service") or letter.service or ""
end

local told = {}
for _, id in ipairs(ARGV) do
  local letter = letter_of(id)
  told[#told + 1] = fate(letter)
  told[#told + 1] = destination(letter)
end
return told
