-- NOBODY: stands among the members of a group for those that nobody knows, see rebuild_group.lua.
-- records_of(own), keep_record(own, key_id, known, all): what is known of an alert's incidents, see lib/answer.lua. `all`: what records_of said, if
--   the caller has just asked.
local NOBODY = "?"

local function records_of(own)
  local text = redis.call("HGET", K.answers, own)
  return text and cjson.decode(text) or {}
end

local function keep_record(own, key_id, known, all)
  all = all or records_of(own)
  all[key_id] = known
  redis.call("HSET", K.answers, own, cjson.encode(all))
end
