-- What a replay makes of a dead letter: asked by replay.lua, and by would_replay.lua, which changes nothing.
--   K.event(id), K.alert(uid)   see accept.lua; undecided: see refuse.lua
-- letter_of(id): what is known of it. fate_of(letter): state, reason and the newer event where newer news has overtaken it; nil if it can be replayed.
-- include: overtaken
local LETTER = {"uid", "action", "accepted", "alert", "lane", "replayed", "group", "service", "undecided", "source"}

local function letter_of(id)
  local letter = {id = id}
  for i, value in ipairs(redis.call("HMGET", K.event(id), unpack(LETTER))) do letter[LETTER[i]] = value or nil end
  letter.place = letter.uid
  letter.uid = letter.alert or letter.uid
  letter.accepted = tonumber(letter.accepted or 0)
  letter.first = tonumber(letter.replayed or letter.accepted)
  return letter
end

local function is_open_there(letter, routes)  -- whether the open episode went the way of this letter
  if letter.group then return redis.call("HGET", K.alert(letter.place), "group") == letter.group end
  if routes and letter.lane then return string.find("\n" .. routes, "\n" .. string.match(letter.lane, "@(.*)$") .. " ", 1, true) ~= nil end
  return not letter.lane or letter.place == letter.uid
end

local function fate_of(letter)
  if not letter.uid then return end
  if letter.action == "trigger" then
    local reason, newer = overtaken(letter.id, letter.uid, {letter.place}, letter.first, letter.accepted)
    if reason then return newer and "merged" or "suppressed", reason, newer end
    return
  end
  local status, since, routes = unpack(redis.call("HMGET", K.alert(letter.uid), "status", "since", "routes"))
  local is_later = tonumber(since or 0) > letter.accepted
  local opened_anew = status and status ~= "resolved" and (is_later or not letter.undecided)  -- what nobody has decided on has ended nothing yet
  local fires_anew = status == "open" and is_later
  if letter.action == "resolve" and opened_anew and is_open_there(letter, routes) then return "suppressed", "overtaken" end
  if letter.action == "acknowledge" and fires_anew and is_open_there(letter, routes) then return "suppressed", "overtaken" end
end
