-- Budget: how many events PagerDuty takes of one key in a minute, and whose turn it is while more want to go. A sliding window, kept under by a
-- second's margin. The first alert of a service and summaries may spend what the others must leave; the others are spread over the minute, too.
--   K.sends(key)        one member a send -> when it began, then when its answer came (ms); the last window only
--   K.firsts(key)       service -> when an alert of it went out with this key
--   K.parked(key|team)  lane -> rank, the lowest goes first; K.teams(key): team with such lanes -> when one of them was let go
--   K.parking           lane -> key|team, or `!` once it was let go
--   K.budgets           key -> most events in a minute; K.keys_due: key -> when its lanes are looked at next
-- room(key, limit, rank, at, more): whether a send of that rank may go now, `more` others being on their way already.
-- spend(key, member, service, at): book a send; of a trigger, with its service.
-- rank_of(event, key, at): FIRST, SUMMARY, FOLLOWS (acknowledge, resolve) or that of a severity.
-- has_turn(lane, key, rank): whether it may go if there is room.
-- park(lane, key, limit, team, rank, since, at): have a lane wait for its turn. unpark(lane): it waits no more.
-- let_go(at): lanes whose turn it is fall due.
local WINDOW_MS, PACE_MS = 61000, 1000
local LET_GO = "!"
local FIRST, SUMMARY, FOLLOWS = 0, 1, 2
local SEVERITY_RANKS = {critical = 3, error = 4, warning = 5, info = 6}
local RANK = 10000000000000  -- more milliseconds than there are since the epoch

local function reserve(limit) return math.max(1, math.floor(limit / 30)) end

local function room(key, limit, rank, at, more)
  redis.call("ZREMRANGEBYSCORE", K.sends(key), "-inf", at - WINDOW_MS)
  local used = redis.call("ZCARD", K.sends(key)) + more
  if rank == FIRST then return used < limit end
  if used >= limit - reserve(limit) then return false end
  if rank == SUMMARY or used < limit / 2 then return true end
  local lately = redis.call("ZCOUNT", K.sends(key), at - PACE_MS, "+inf") + more
  return lately < math.max(2, math.ceil(limit / 20))
end

local function spend(key, member, service, at)
  redis.call("ZADD", K.sends(key), at, member)
  if service then redis.call("HSET", K.firsts(key), service, at) end
end

local function rank_of(event, key, at)
  if event.action == "trigger" then
    local before = tonumber(redis.call("HGET", K.firsts(key), event.service or "") or 0)
    if at - before > WINDOW_MS then return FIRST end
  end
  if event.members then return SUMMARY end
  if event.action ~= "trigger" then return FOLLOWS end
  return SEVERITY_RANKS[event.severity] or 6
end

local function next_look(key, at)  -- when a place may be free: soon, while it is only a matter of pace
  local oldest = redis.call("ZRANGE", K.sends(key), 0, 0, "WITHSCORES")
  local limit = tonumber(redis.call("HGET", K.budgets, key) or 0)
  if not oldest[2] or redis.call("ZCARD", K.sends(key)) < limit - reserve(limit) then return at + PACE_MS / 5 end
  return math.max(at + 20, tonumber(oldest[2]) + WINDOW_MS + 1)
end

local function park(lane, key, limit, team, rank, since, at)
  local place = key .. "|" .. team
  redis.call("ZADD", K.parked(place), rank * RANK + RANK - since, lane)
  redis.call("ZADD", K.teams(key), "NX", 0, team)
  redis.call("HSET", K.parking, lane, place)
  redis.call("HSET", K.budgets, key, limit)
  redis.call("ZADD", K.keys_due, "LT", string.format("%d", next_look(key, at)), key)
end

local function unpark(lane)
  local place = redis.call("HGET", K.parking, lane)
  if not place then return end
  redis.call("HDEL", K.parking, lane)
  if place ~= LET_GO then redis.call("ZREM", K.parked(place), lane) end
end

local function has_turn(lane, key, rank)  -- whether nobody waits who was here before
  return rank <= SUMMARY or not redis.call("ZSCORE", K.keys_due, key) or redis.call("HGET", K.parking, lane) == LET_GO
end

local function next_lane(key)  -- the lane whose turn it is, its rank and team: the most urgent of all, else that of the team that waited longest
  local best, rank, of
  for _, team in ipairs(redis.call("ZRANGE", K.teams(key), 0, -1)) do
    local head = redis.call("ZRANGE", K.parked(key .. "|" .. team), 0, 0, "WITHSCORES")
    if not head[1] then
      redis.call("ZREM", K.teams(key), team)
    else
      local its = math.floor(tonumber(head[2]) / RANK)
      if not best or its <= SUMMARY and its < rank then best, rank, of = head[1], its, team end
    end
  end
  return best, rank, of
end

local function let_go_of(key, at)
  local limit, gone = tonumber(redis.call("HGET", K.budgets, key) or 0), 0
  local lane, rank, team = next_lane(key)
  while lane and gone < 20 and room(key, limit, rank, at, gone) do
    gone = gone + 1
    unpark(lane)
    redis.call("HSET", K.parking, lane, LET_GO)
    redis.call("ZADD", K.teams(key), "XX", at + gone / 100, team)
    redis.call("ZADD", K.outbox_due, string.format("%.2f", at - 1 + gone / 100), lane)  -- in this order
    lane, rank, team = next_lane(key)
  end
  if not lane then return redis.call("ZREM", K.keys_due, key) end
  redis.call("ZADD", K.keys_due, string.format("%d", next_look(key, at)), key)
end

local function let_go(at)
  for _, key in ipairs(redis.call("ZRANGEBYSCORE", K.keys_due, "-inf", at, "LIMIT", 0, 20)) do let_go_of(key, at) end
end
