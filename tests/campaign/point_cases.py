"""At which points the tests let which program die, at its how manieth visit. Some are visited
before anything is going on; there a later visit tells more. Visits are counted by process."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    point: str
    program: str = None  # None: whoever comes first
    visit: int = 1
    supervisor_dies: bool = False  # the mixture kills it, with all that belongs to it
    few: bool = False  # one of those that stand for their kind

    @property
    def order(self):
        """As common/base/point.h reads it."""
        program = f":{self.program}" if self.program else ""
        return f"{self.point}:{self.visit}{program}" if self.point else ""


def around(statements, program, visit=1, **more):
    return [Case(f"transaction.{statement}.{when}", program, visit, **more)
            for statement in statements.split() for when in ("before", "after")]


CASES = [
    # ---- transactions ----
    *around("workflows_upsert definitions_register workflow_triggers_drop", "front", 4),
    *around("definitions_absent nodes_beat workers_bury runs_crash_interrupted"
            " steps_requeue_lost", "front"),
    *around("runs_insert concurrency_lock runs_admit", "front"),
    *around("approvals_decide runs_pause runs_resume runs_end parents_wake steps_copy"
            " bus_events_insert event_waits_wake", "front"),
    *around("comments_add artifacts_add runs_delete definitions_deactivate workflows_delete"
            " projects_insert projects_update projects_delete_runs projects_delete"
            " api_keys_insert api_keys_end definitions_test steps_given nodes_wish", "front"),
    *around("schedules_insert schedules_update schedules_enable schedules_fire"
            " schedules_delete heartbeats_take_over", "front"),
    *around("bots_insert bots_update bots_delete messages_to_bot messages_to_channel", "front"),
    *around("audit_insert idempotency_find idempotency_insert transaction_commit", "front"),
    *around("workers_register workers_take_session", "worker"),
    *around("workers_renew steps_claim steps_finish", "worker", 3),
    *around("steps_spawn steps_meet steps_close approvals_request runs_pause_waiting"
            " runs_close_open runs_insert runs_admit parents_wake event_waits_add", "worker"),
    *around("heartbeats_follow heartbeat_results_insert", "worker"),
    *around("steps_record", "worker", 2),
    *around("steps_recorded programs_rest runs_count_steps", "worker"),
    *around("artifacts_insert comments_insert state_set state_delete runs_set_facts"
            " sessions_begin sessions_update messages_send messages_reply messages_post", "worker"),
    *around("steps_hand_back steps_hand_back_all workers_leave", "worker"),
    *around("leader_try timers_fire runs_end parents_wake bus_events_expire"
            " idempotency_expire", "scheduler"),
    *around("leader_beat", "scheduler", 2),
    *around("workers_bury steps_requeue_lost", "scheduler", supervisor_dies=True),
    *around("firings_store schedules_stop", "scheduler"),
    *around("schedules_undeclare schedules_declare", "front"),
    *around("runs_expire", "scheduler"), # What it finds is the last that is waited for.
    Case("transaction.schedule_firings_expire.before", "scheduler", 2),
    Case("transaction.schedule_firings_expire.after", "scheduler"),
    # ---- bells ----
    Case("bell.push.before", "worker", 2, few=True), Case("bell.push.after", "worker", 2),
    Case("bell.push.before", "front", 2), Case("bell.push.after", "front", 2),
    Case("bell.push.before", "scheduler"), Case("bell.push.after", "scheduler"),
    Case("bell.publish.before", "worker", 2), Case("bell.publish.after", "worker", 2),
    Case("bell.publish.before", "front", 2), Case("bell.publish.after", "front", 2),
    Case("bell.publish.before", "scheduler"), Case("bell.publish.after", "scheduler"),
    # ---- answers ----
    Case("batch.chunk_stored", "front"), Case("batch.chunk_stored", "front", 2),
    Case("run.stored.before_bell", "front", 3), Case("run.stored.before_answer", "front", 3),
    Case("change.before_bell", "front", 2), Case("change.before_answer", "front", 2, few=True),
    Case("reply.before", "front", 24, few=True), Case("reply.after", "front", 24),
    # ---- what workers do ----
    Case("claim.answered", "worker", 3),
    Case("lease.renew.before", "worker", 2), Case("lease.renew.after", "worker", 2),
    Case("effect.before", "worker", 4), Case("effect.started", "worker", 4, few=True),
    Case("effect.ended", "worker", 4),
    Case("program.fork.before", "worker", 3), Case("program.fork.after", "worker", 3),
    Case("program.exec.before"),
    Case("finish.stored", "worker", 3, few=True), Case("finish.told", "worker", 3),
    Case("finish.gone_on", "worker", 3),
    Case("record.stored", "worker", 2, few=True), Case("record.told", "worker", 2),
    # ---- what the parent does: its first children are the front and two workers ----
    *[Case(f"child.fork.{when}", "supervisor", visit, few=(when, visit) == ("after", 4))
      for when in ("before", "after") for visit in (1, 3, 4)],
    Case("child.exec.before"), Case("child.reaped", "supervisor"),
    # ---- what the scheduler does ----
    Case("timers.fired.before_bell", "scheduler"),
    Case("timers.fired.after_bell", "scheduler", few=True),
    *around("workflow_triggers_put", "front"),
    *around("event_triggers_clear watched_files_put watched_files_drop file_watches_begun",
            "scheduler"),
    Case("file_watches.decided", "scheduler"),
    Case("file_watches.stored.before_bell", "scheduler"),
    Case("event_triggers.decided", "scheduler"),
    Case("event_triggers.stored.before_bell", "scheduler"),
    Case("schedules.decided", "scheduler"), Case("retention.files_gone", "scheduler", 2),
    Case("schedules.stored.before_bell", "scheduler", few=True),
    Case("schedules.stored.after_bell", "scheduler"),
    Case("sweep.timed_out.before_bell", "scheduler"),
    Case("sweep.buried.before_bell", "scheduler", supervisor_dies=True),
    Case("sweep.buried.after_bell", "scheduler", supervisor_dies=True),
]
# Commands that die; point_command.py.
COMMANDS = [
    *around("api_keys_insert api_keys_revoke", "stepmill"),
]
