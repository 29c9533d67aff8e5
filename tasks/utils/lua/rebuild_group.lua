-- rebuild_group: make a group known again that PagerDuty shows open, once its members are (see rebuild.lua). Safe to run twice.
--   K.alert(group), K.members(group)   see lib/group.lua; and regrouped (the incidents this was done for: one of each key)
--   K.answers, K.wired                 see lib/answer.lua
--   ARGV   JSON: group, destination, spec, labels, is_storm, severity, channel, key_id, incident, created (ms); "1" = not all of its members are known:
--          one that nobody knows stands for them, so that the group does not end before a person ends it at PagerDuty
-- include: clock
-- include: hint
-- include: group
-- include: answer
local asked, has_others = cjson.decode(ARGV[1]), ARGV[2] == "1"
local at, group, created = now(), asked.group, string.format("%d", asked.created)
group_at(asked.destination, group, asked.spec, asked.labels, at)
local regrouped = redis.call("HGET", K.alert(group), "regrouped") or ""
redis.call("HSET", K.alert(group), "on:" .. asked.channel .. "|" .. asked.key_id, "sent", "episode", 1, "severity", asked.severity,
  "regrouped", regrouped .. asked.incident .. " ")
redis.call("HSETNX", K.alert(group), "began", created)
if asked.is_storm then redis.call("HSET", K.alert(group), "folds", 1) end
if has_others then redis.call("HSETNX", K.members(group), NOBODY, "open") end
local known = records_of(group)[asked.key_id]
if not known or known.status == "resolved" then
  keep_record(group, asked.key_id, {begun = asked.created, last = asked.created, channel = asked.channel, place = group, rebuilt = true})
end
add_line(K.wired, wire_of(group), asked.key_id .. " " .. group)
return 1
