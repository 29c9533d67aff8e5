-- observe: take in what PagerDuty says of one incident: seen, acknowledged or resolved. Safe to run in any order and any number of times.
--   K.alert(own), K.wired, K.incidents, K.homes   see lib/answer.lua
--   K.parked_incidents, K.parked_news, K.parked_keys, K.answer_counts   incidents of no alert that is known, see lib/wire.lua
--   K.inbox, K.inbox_due, K.ledger, K.hints       an answer that changes an alert goes the way of all news
--   ARGV   observation (JSON: id, number, status, at, seen, who, url, service, into), its dedup keys as PagerDuty has them (JSON list), most incidents
--          parked, longest time one is parked (ms)
-- An incident is matched by its id once that is known, and by its keys. Where a key is on the way of several keys of ours, the PagerDuty service
-- decides; where that does not, nobody guesses: it is parked.
-- Returns "matched", "parked" or "ambiguous", how many alerts it stands for, then `<change> <alert uid>` for each it has changed.
-- include: clock
-- include: wire
local seen, keys = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local most, longest = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = now()

local found, order = {}, {}
local function add(line)
  if not found[line] then order[#order + 1] = line end
  found[line] = true
end

local function lines_of(index, field)
  local lines = {}
  for line in string.gmatch(redis.call("HGET", index, field) or "", "[^\n]+") do lines[#lines + 1] = line end
  return lines
end

local function newest_way(lines)  -- of an alert that went several ways, the one it went last
  local best, last = nil, -1
  for _, line in ipairs(lines) do
    local key_id, own = string.match(line, "^(%S+) (%S+)$")
    local known = records_of(own)[key_id]
    if known and known.last > last then best, last = line, known.last end
  end
  return {best}
end

local function meant(lines)  -- those of a dedup key's lines that the incident may stand for; nil if that cannot be told
  local left, ids, owners = {}, {}, {}
  for _, line in ipairs(lines) do
    local key_id, own = string.match(line, "^(%S+) (%S+)$")
    if is_at_home(key_id, seen.service) then
      left[#left + 1] = line
      ids[key_id], owners[own] = true, true
    end
  end
  local function is_one(set) return next(set) == nil or next(set, next(set)) == nil end
  if #lines > 0 and #left == 0 then return nil end  -- somebody else's incident, or our key leads elsewhere by now
  if is_one(ids) then return left end
  return is_one(owners) and newest_way(left) or nil
end

for _, line in ipairs(lines_of(K.incidents, seen.id)) do add(line) end
local is_ambiguous = false
for _, key in ipairs(keys) do
  local lines = meant(lines_of(K.wired, key))
  is_ambiguous = is_ambiguous or not lines
  for _, line in ipairs(lines or {}) do add(line) end
end

if #order == 0 then
  if seen.into ~= "" then return {"parked", 0} end  -- of what goes on elsewhere nothing more is to be known
  park_seen(seen, keys, at, most, longest)
  return {is_ambiguous and "ambiguous" or "parked", 0}
end
local before = redis.call("ZSCORE", K.parked_incidents, seen.id) and unpark_incident(seen.id)
local answer = {"matched", #order}
for _, line in ipairs(order) do
  local key_id, own = string.match(line, "^(%S+) (%S+)$")
  for _, one in ipairs({before or seen, seen}) do
    local change = absorb(own, key_id, one, at)
    if change then answer[#answer + 1] = change .. " " .. own end
  end
end
return answer
