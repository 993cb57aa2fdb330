-- Fewer rows for each job.

-- A completed job is the line of its last attempt itself; the log keeps what leaves no such trace. What is in both
-- would be shown twice.
DELETE FROM job_logs WHERE status = 'COMPLETED' AND EXISTS (
  SELECT 1 FROM jobs j WHERE j.id = job_logs.job_id AND j.state = 'completed' AND j.finalized_at = job_logs.completed_at);
CREATE INDEX idx_jobs_completed ON jobs (connected_account_id, finalized_at)
  WHERE state = 'completed' AND connected_account_id IS NOT NULL;
