-- Who set money aside, and until when it counts without a word of them: a process that was killed, or a machine that is
-- gone, must not hold it for ever. at_risk_usd is the part that calls were under way for, or that model_usage does not
-- show yet: it may have been paid, and counts for ever. Rows of before, and those of batches, name no process.
ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS machine String DEFAULT '';
ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS pid UInt32 DEFAULT 0;
ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS pid_started UInt64 DEFAULT 0;
ALTER TABLE budget_holds ADD COLUMN IF NOT EXISTS at_risk_usd Float64 DEFAULT 0;
