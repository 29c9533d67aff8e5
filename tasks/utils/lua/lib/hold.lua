-- include: inhibit
-- include: shrink
-- Holds: what keeps an alert's newest event back. A hold has a name: `silence:<id>`, `maintenance:<id>`, `inhibition:<rule>:<digest>`, `flap:<uid>`.
--   K.alert(uid)       held (the event kept back), held_by (the hold), held_for (the rule's name, as the ledger has it)
--   K.held(hold)       alert uid -> since when (ms)
--   K.inhibitors(hold) uids of the open alerts that inhibit
-- holder(rules, uid, at, feeds): the rule's name and the hold of the first rule that is in force, or nil. `rules` is a JSON list of
--   [name, hold, from (ms), until (ms)]; without times it is an inhibition, in force while another alert feeds its hold; `feeds`: this alert feeds some itself.
-- let_go(uid, at): forget the event kept back; its story stays as it is.
-- keep_back(uid, id, name, hold, at): keep event `id` back in place of whatever was.
local function holder(rules, uid, at, feeds)
  if rules == "" then return nil end
  for _, rule in ipairs(cjson.decode(rules)) do
    local hold, from, till = rule[2], rule[3], rule[4]
    if from then
      if at >= from and at < till then return rule[1], hold end
    elseif redis.call("SCARD", K.inhibitors(hold)) > redis.call("SISMEMBER", K.inhibitors(hold), uid) then
      if not feeds or stands(hold, {[uid] = true}) then return rule[1], hold end
    end
  end
end

local function let_go(uid, at)
  local held = redis.call("HMGET", K.alert(uid), "held", "held_by")
  if not held[1] then return end
  redis.call("HDEL", K.alert(uid), "held", "held_by", "held_for")
  redis.call("ZREM", K.held(held[2]), uid)
  shrink(held[1], at)
end

local function keep_back(uid, id, name, hold, at)
  let_go(uid, at)
  redis.call("HSET", K.alert(uid), "held", id, "held_by", hold, "held_for", name)
  redis.call("ZADD", K.held(hold), at, uid)
  record(at, id, "suppressed", name, hold)
end
