-- action_told: let the stories of our alerts tell what was done to their incidents, and by whom.
--   K.incidents, K.alert(own), K.event(id), K.ledger
--   ARGV   verb, author, then ids of incidents
-- What Redis has no event of any more is passed over: its story has ended.
-- include: clock
-- include: ledger
local at = now()
for i = 3, #ARGV do
  for line in string.gmatch(redis.call("HGET", K.incidents, ARGV[i]) or "", "[^\n]+") do
    local own = string.match(line, "^%S+ (%S+)$")
    local known = own and redis.call("HMGET", K.alert(own), "opened_by", "last_id") or {}
    local event = known[1] or known[2]
    if event and redis.call("EXISTS", K.event(event)) == 1 then
      record(at, event, "acted", ARGV[1], ARGV[i] .. (ARGV[2] ~= "" and " by " .. ARGV[2] or ""))
    end
  end
end
return at
