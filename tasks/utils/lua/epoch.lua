-- epoch: which data set this is, declared where that is missing.
--   K.epoch
-- Returns when it began (ms), 1 if it had to be declared.
-- include: clock
-- include: epoch
local epoch, fresh = epoch_at(now())
return {epoch, fresh}
