-- Many calls of one script in one call of the server: the shared functions are made once for all of them.
--   ARGV   of each call how many arguments it has, then those
-- Returns what each call returned, in order; in the place of one that failed, its error: the others are made all the same.
local function call(ARGV)
OWN_LINES
end
local replies, at_count = {}, 1
while ARGV[at_count] do
  local last = at_count + tonumber(ARGV[at_count])
  local is_done, reply = pcall(call, {unpack(ARGV, at_count + 1, last)})
  if not is_done and type(reply) ~= "table" then reply = {err = "ERR " .. tostring(reply)} end
  replies[#replies + 1] = reply or false
  at_count = last + 1
end
return replies
