-- revocations_look: what is revoked, if it is not what the caller knows.
--   K.revocations          name -> the revocation as JSON
--   K.revocations_version  see revocation_put; gone where the server has lost everything
--   ARGV                   version the caller knows
-- Returns the version, the time (ms), and the revocations, or 0 where that version is known.
-- include: clock
local version = redis.call("GET", K.revocations_version) or ""
if version == ARGV[1] and version ~= "" then return { version, now(), 0 } end
return { version, now(), redis.call("HVALS", K.revocations) }
