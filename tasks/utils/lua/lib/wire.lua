-- include: answer
-- wire_up(own, place, channel, key_id, id, is_fresh, at): the send of a trigger (event `id`) to PagerDuty begins: whatever comes back of it finds its alert.
--   `is_fresh`: it is the first to open the alert at this place. What came back before is parked, and taken in now.
-- unwire(own, at): the alert is forgotten.
-- park_seen(seen, keys, at, most, longest): keep an observation nobody is known for, the oldest giving way. See keys.py for K.parked_….
local function next_episode(own, key_id, known, at)  -- news of the incident before is news no longer
  end_receipt(own, key_id, at)
  if known.id and known.past_id then take_line(K.incidents, known.past_id, key_id .. " " .. own) end
  return {begun = at, past_id = known.id or known.past_id, past = known.number or known.past}
end

local function unpark_incident(incident)
  local text = redis.call("HGET", K.parked_news, incident)
  redis.call("HDEL", K.parked_news, incident)
  redis.call("ZREM", K.parked_incidents, incident)
  if not text then return nil end
  local seen = cjson.decode(text)
  for _, key in ipairs(seen.keys) do take_line(K.parked_keys, key, incident) end
  return seen
end

local function take_up(own, key_id, wire, at)
  for incident in string.gmatch(redis.call("HGET", K.parked_keys, wire) or "", "[^\n]+") do
    local text = redis.call("HGET", K.parked_news, incident)
    if text and is_at_home(key_id, cjson.decode(text).service) then absorb(own, key_id, unpark_incident(incident), at) end
  end
end

local function wire_up(own, place, channel, key_id, id, is_fresh, at)
  local all = records_of(own)
  local known = all[key_id]
  if not known then
    known = {begun = at}
    add_line(K.wired, wire_of(own), key_id .. " " .. own)
  elseif known.status == "resolved" or is_fresh then
    known = next_episode(own, key_id, known, at)
  end
  known.last, known.channel, known.place = at, channel, place
  keep_record(own, key_id, known, all)
  redis.call("HSET", K.alert(own), "opened_by", id)
  if redis.call("EXISTS", K.parked_incidents) == 1 then take_up(own, key_id, wire_of(own), at) end
end

local function unwire(own, at)
  for key_id, known in pairs(records_of(own)) do
    local line = key_id .. " " .. own
    end_receipt(own, key_id, at)
    take_line(K.wired, wire_of(own), line)
    for _, incident in ipairs({known.id or "", known.past_id or "", known.into or ""}) do take_line(K.incidents, incident, line) end
  end
  redis.call("HDEL", K.answers, own)
end

local function merged_with(before, seen, keys)  -- one of two observations of the same incident; both sets of keys
  local all, is_there = {}, {}
  for _, list in ipairs({before and before.keys or {}, keys}) do
    for _, key in ipairs(list) do
      if not is_there[key] then all[#all + 1] = key end
      is_there[key] = true
    end
  end
  local kept = before and not is_later(before, seen) and before or seen
  kept.seen = math.min(seen.seen, before and before.seen or seen.seen)
  kept.keys = all
  return kept
end

local function park_seen(seen, keys, at, most, longest)
  redis.call("ZADD", K.parked_incidents, "NX", string.format("%d", at), seen.id)
  local before = redis.call("HGET", K.parked_news, seen.id)
  local kept = merged_with(before and cjson.decode(before), seen, keys)
  redis.call("HSET", K.parked_news, seen.id, cjson.encode(kept))
  for _, key in ipairs(kept.keys) do add_line(K.parked_keys, key, seen.id) end
  local old = redis.call("ZRANGEBYSCORE", K.parked_incidents, "-inf", at - longest, "LIMIT", 0, 20)
  if redis.call("ZCARD", K.parked_incidents) - #old > most then old = redis.call("ZRANGE", K.parked_incidents, 0, #old) end
  for _, incident in ipairs(old) do
    unpark_incident(incident)
    redis.call("HINCRBY", K.answer_counts, "parked_dropped", 1)
  end
end
