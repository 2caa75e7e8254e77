"""stele activity ..."""

import time
import uuid

from case import CommandTest


class Activities(CommandTest):
    """Each test has a workflow with one activity, "act", that no worker of its queue takes."""

    def setUp(self):
        self.workflow_id = self.start("idle_activity")
        self.wait_for(lambda: len(self.pending()) == 1)

    def wait_for(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def pending(self):
        described = self.stele.json("workflow", "describe", "-w", self.workflow_id)
        return described.get("pendingActivities", [])

    def activity(self, command, *flags):
        return self.succeed("activity", command, "-w", self.workflow_id, *flags)

    def by_id(self, command, *flags):
        return self.activity(command, "-a", self.pending()[0]["activityId"], *flags)

    def result(self):
        return self.stele.json("workflow", "result", "-w", self.workflow_id)

    def test_complete(self):
        self.by_id("complete", "--result", '"by hand"')
        self.assertEqual(self.result()["result"], "by hand")

    def test_fail_needs_a_worker_that_holds_it(self):
        activity_id = self.pending()[0]["activityId"]
        self.fail_with("invalid activityID", "activity", "fail", "-w", self.workflow_id,
                       "-a", activity_id, "--reason", "no")

    def test_pause_and_unpause(self):
        self.by_id("pause", "--reason", "look first")
        pending = self.pending()[0]
        self.assertEqual(pending["state"], "PENDING_ACTIVITY_STATE_PAUSED")
        self.assertEqual(pending["pauseInfo"]["manual"]["reason"], "look first")
        self.activity("unpause", "--match-all")
        self.assertNotIn("paused", self.pending()[0])

    def test_reset(self):
        self.activity("pause", "--activity-type", "nobody")
        self.activity("reset", "--activity-type", "nobody", "--keep-paused")
        self.assertTrue(self.pending()[0]["paused"])
        self.activity("reset", "--match-all", "--jitter", "1s", "--reset-heartbeats")
        self.assertNotIn("paused", self.pending()[0])

    def test_update_options(self):
        changed = self.by_id("update-options", "--start-to-close-timeout", "7s",
                             "--retry-maximum-attempts", "3")
        self.assertEqual(changed.field("StartToCloseTimeout"), "7s")
        self.assertEqual(changed.field("MaximumAttempts"), "3")
        options = self.pending()[0]["activityOptions"]
        self.assertEqual(options["startToCloseTimeout"], "7s")
        restored = self.by_id("update-options", "--restore-original-options")
        self.assertEqual(restored.field("MaximumAttempts"), "0")

    def test_names_what_is_wrong(self):
        self.fail_with("--activity-id", "activity", "pause", "-w", self.workflow_id)
        self.fail_with("not JSON", "activity", "complete", "-w", self.workflow_id, "-a", "x",
                       "--result", "{")
        self.fail_with("nothing to change", "activity", "update-options", "-w", self.workflow_id,
                       "-a", "x")
        self.fail_with("find pending activity", "activity", "reset", "-w", self.workflow_id,
                       "-a", f"none-{uuid.uuid4()}")
