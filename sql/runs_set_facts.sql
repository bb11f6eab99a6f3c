-- What a tool found out about a run: its branch, commit or pull request, if the attempt
-- still holds its step. After runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 branch text (null: as it is)
-- $5 commit text (the same)   $6 pull request text (the same)
-- Answer: still held.
with held as materialized (
	select 1 from workflow_steps
	 where execution_id = $1 and step_number = $2 and fence = $3 and status + 0 = 2
), stored as (
	update workflow_runs r
	   set branch_name = coalesce($4::text, r.branch_name),
	       commit_sha = coalesce($5::text, r.commit_sha),
	       pr_url = coalesce($6::text, r.pr_url), updated_at = now()
	 where r.id = $1 and exists (select from held)
	returning 1
)
select exists (select from stored);
