-- Fewer rows and index entries for each job.

-- A completed job is the line of its last attempt itself; the log keeps what leaves no such trace. What is in both
-- would be shown twice.
DELETE FROM job_logs l USING jobs j
WHERE j.id = l.job_id AND j.state = 'completed' AND l.status = 'COMPLETED' AND l.completed_at = j.finalized_at;
CREATE INDEX idx_jobs_completed ON jobs (connected_account_id, finalized_at)
  WHERE state = 'completed' AND connected_account_id IS NOT NULL;

-- What runs for an account is found by idx_jobs_running; this one is for the rest of what the rescuer looks through.
DROP INDEX idx_jobs_lease;
CREATE INDEX idx_jobs_lease ON jobs (row_id) WHERE state = 'running' AND connected_account_id IS NULL;

-- A row that changes its state has new entries in all of its indexes: one to find it by is enough. Its number goes on
-- as what orders and pages what other indexes give.
ALTER TABLE jobs DROP CONSTRAINT jobs_pkey, DROP CONSTRAINT jobs_id_key;
ALTER TABLE jobs ADD PRIMARY KEY (id);

-- Of use to nobody without an account.
DROP INDEX idx_job_logs_account;
CREATE INDEX idx_job_logs_account ON job_logs (connected_account_id, created_at)
  WHERE connected_account_id IS NOT NULL;
