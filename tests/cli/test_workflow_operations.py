"""stele workflow reset | delete | pause | unpause | update-options"""

import time

from case import CommandTest


class Reset(CommandTest):
    def reset(self, workflow_id, *flags):
        run_id = self.stele.json("workflow", "reset", "-w", workflow_id, "--reason", "test",
                                 *flags)["runId"]
        described = self.stele.json("workflow", "describe", "-w", workflow_id)
        self.assertEqual(described["workflowExecutionInfo"]["execution"]["runId"], run_id)
        return run_id

    def closed(self, *flags):
        workflow_id = self.start("fail", "-i", '"first"', *flags)
        self.stele.run("workflow", "result", "-w", workflow_id)
        return workflow_id

    def test_begins_a_new_run_at_an_event(self):
        workflow_id = self.closed()
        result = self.succeed("workflow", "reset", "-w", workflow_id, "-e", "4",
                              "--reason", "test")
        self.assertEqual(len(result.field("RunId")), 36)
        self.assertEqual(self.event_types(workflow_id)[3], "EVENT_TYPE_WORKFLOW_TASK_FAILED")

    def test_finds_the_first_and_the_last_task(self):
        for kind in ("FirstWorkflowTask", "LastWorkflowTask"):
            workflow_id = self.closed()
            self.reset(workflow_id, "--type", kind)

    def test_finds_the_run_before_the_last_continuation(self):
        workflow_id = self.start("count_down", "-i", "1")
        self.succeed("workflow", "result", "-w", workflow_id)
        # The new run continues as new too, at once: it need not be the current one any more.
        run_id = self.stele.json("workflow", "reset", "-w", workflow_id, "--reason", "test",
                                 "--type", "LastContinuedAsNew")["runId"]
        self.succeed("workflow", "result", "-w", workflow_id)
        history = self.stele.json("workflow", "show", "-w", workflow_id, "-r", run_id)
        self.assertEqual(history["events"][-1]["eventType"],
                         "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW")

    def test_tells_what_it_does_not_reapply(self):
        workflow_id = self.start()
        self.succeed("workflow", "signal", "-w", workflow_id, "--name", "answer", "-i", '"42"')
        self.succeed("workflow", "result", "-w", workflow_id)
        self.reset(workflow_id, "--type", "FirstWorkflowTask", "--reapply-exclude", "Signal")
        self.assertNotIn("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED", self.event_types(workflow_id))
        self.succeed("workflow", "terminate", "-w", workflow_id)

    def test_names_what_is_wrong(self):
        workflow_id = self.closed()
        reset = ("workflow", "reset", "-w", workflow_id, "--reason", "test")
        self.fail_with("event-id or reset type", *reset)
        self.fail_with("event-id or reset type", *reset, "-e", "4", "--type", "LastWorkflowTask")
        self.fail_with("expected FirstWorkflowTask", *reset, "--type", "Whatever")
        self.fail_with("needs --build-id", *reset, "--type", "BuildId")
        self.fail_with("has not continued as new", *reset, "--type", "LastContinuedAsNew")
        self.fail_with("expected All, Signal", *reset, "-e", "4", "--reapply-exclude", "Nothing")
        self.fail_with("finish ID", *reset, "-e", "400")


class Delete(CommandTest):
    def test_leaves_nothing(self):
        workflow_id = self.start(queue="none")
        self.succeed("workflow", "delete", "-w", workflow_id)
        deadline = time.monotonic() + 30
        while self.stele.run("workflow", "describe", "-w", workflow_id).code == 0:
            self.assertLess(time.monotonic(), deadline, "the workflow is not deleted")
            time.sleep(0.2)
        self.fail_with("not found", "workflow", "delete", "-w", workflow_id)


class UpdateOptions(CommandTest):
    def test_changes_the_priority(self):
        workflow_id = self.start(queue="none")
        self.succeed("workflow", "update-options", "-w", workflow_id, "--priority-key", "2")
        described = self.stele.json("workflow", "describe", "-w", workflow_id)
        self.assertEqual(described["workflowExecutionInfo"]["priority"]["priorityKey"], 2)

    def test_overrides_versioning(self):
        workflow_id = self.start(queue="none")
        update = ("workflow", "update-options", "-w", workflow_id)
        self.succeed(*update, "--versioning-override-behavior", "auto_upgrade")
        self.succeed(*update, "--versioning-override-behavior", "unspecified")
        self.fail_with("deployment name and build id", *update,
                       "--versioning-override-behavior", "pinned")
        self.fail_with("nothing to update", *update)


class Pause(CommandTest):
    def test_is_off_unless_the_namespace_has_it(self):
        workflow_id = self.start(queue="none")
        self.fail_with("not enabled", "workflow", "pause", "-w", workflow_id)
        self.fail_with("not paused", "workflow", "unpause", "-w", workflow_id)
