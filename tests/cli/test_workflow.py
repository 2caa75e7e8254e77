"""stele workflow ..."""

import json
import threading
import uuid

from case import CommandTest


class Start(CommandTest):
    def test_shows_what_runs(self):
        workflow_id = f"shown-{uuid.uuid4()}"
        result = self.succeed("workflow", "start", "-w", workflow_id, "-t", "none", "--type", "T")
        self.assertIn("Running execution:", result.out)
        self.assertEqual(result.field("WorkflowId"), workflow_id)
        self.assertEqual(result.field("TaskQueue"), "none")
        self.assertEqual(len(result.field("RunId")), 36)

    def test_makes_an_id_when_none_is_given(self):
        started = self.stele.json("workflow", "start", "-t", "none", "--type", "T")
        self.assertEqual(len(started["workflowId"]), 36)
        self.assertEqual(started["namespace"], "default")

    def test_shows_the_existing_run_unless_told_to_fail(self):
        workflow_id = self.start(queue="none")
        run_id = self.stele.json("workflow", "describe", "-w", workflow_id)[
            "workflowExecutionInfo"]["execution"]["runId"]
        again = ("workflow", "start", "-w", workflow_id, "-t", "none", "--type", "T")
        result = self.succeed(*again)
        self.assertEqual(result.field("RunId"), run_id)
        self.assertIn("already", result.error)
        self.fail_with("already", *again, "--fail-existing")

    def test_obeys_policies(self):
        workflow_id = self.start(queue="none")
        again = ("workflow", "start", "-w", workflow_id, "-t", "none", "--type", "T")
        self.succeed(*again, "--fail-existing", "--id-conflict-policy", "UseExisting")
        self.succeed("workflow", "terminate", "-w", workflow_id)
        self.fail_with("already", *again, "--fail-existing",
                       "--id-reuse-policy", "RejectDuplicate")
        self.succeed(*again, "--fail-existing", "--id-reuse-policy", "AllowDuplicateFailedOnly")
        self.fail_with("Whatever", *again, "--id-reuse-policy", "Whatever")

    def test_passes_all_options_on(self):
        workflow_id = self.start(
            "T", "-i", "1", "-i", '{"a": [true]}', "--memo", 'note="kept"',
            "--run-timeout", "1h30m", "--execution-timeout", "1d", "--task-timeout", "5s",
            "--static-summary", "a summary", queue="none")
        history = self.stele.json("workflow", "show", "-w", workflow_id)
        attributes = history["events"][0]["workflowExecutionStartedEventAttributes"]
        self.assertEqual(attributes["workflowRunTimeout"], "5400s")
        self.assertEqual(attributes["workflowExecutionTimeout"], "86400s")
        self.assertEqual(attributes["workflowTaskTimeout"], "5s")
        self.assertEqual(len(attributes["input"]["payloads"]), 2)
        described = self.stele.json("workflow", "describe", "-w", workflow_id)
        self.assertEqual(described["workflowExecutionInfo"]["memo"]["fields"]["note"], "kept")
        self.assertEqual(described["executionConfig"]["userMetadata"]["summary"], "a summary")

    def test_names_what_is_wrong(self):
        start = ("workflow", "start", "-t", "none", "--type", "T")
        self.fail_with("--type", "workflow", "start", "-t", "none")
        self.fail_with("soon", *start, "--run-timeout", "soon")
        self.fail_with("--memo", *start, "--memo", "novalue")
        self.fail_with("nowhere", *start, "-n", "nowhere")

    def test_signals_with_start(self):
        workflow_id = f"Waiting-{uuid.uuid4()}"
        self.succeed("workflow", "signal-with-start", "-w", workflow_id, "-t", "cli", "--type",
                     "Waiting", "--signal-name", "answer", "--signal-input", '"at once"')
        self.assertEqual(self.stele.json("workflow", "result", "-w", workflow_id)["result"],
                         "at once")


class Execute(CommandTest):
    def test_shows_progress_and_result(self):
        result = self.succeed("workflow", "execute", "-t", "cli", "--type", "greet",
                              "-i", '"world"')
        for name in ("Progress:", "WorkflowExecutionStarted", "ActivityTaskCompleted",
                     "WorkflowExecutionCompleted", "Results:"):
            self.assertIn(name, result.out)
        self.assertEqual(result.field("Status"), "COMPLETED")
        self.assertEqual(result.field("Result"), '"Hello, world!"')

    def test_gives_json(self):
        answer = self.stele.json("workflow", "execute", "-t", "cli", "--type", "greet",
                                 "-i", '"world"', "--detailed")
        self.assertEqual(answer["result"], "Hello, world!")
        self.assertEqual(answer["status"], "COMPLETED")
        self.assertEqual(answer["closeEvent"]["eventType"],
                         "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED")
        self.assertEqual(len(answer["history"]["events"]), int(answer["closeEvent"]["eventId"]))

    def test_fails_with_the_workflow(self):
        result = self.fail_with("FAILED", "workflow", "execute", "-t", "cli", "--type", "fail",
                                "-i", '"not today"')
        self.assertIn("not today", result.field("Failure"))
        self.assertIn("Refused", result.field("Failure"))

    def test_follows_runs_that_continue_as_new(self):
        result = self.succeed("workflow", "execute", "-t", "cli", "--type", "count_down",
                              "-i", "2")
        self.assertEqual(result.out.count("WorkflowExecutionContinuedAsNew"), 2)
        self.assertEqual(result.field("Result"), "0")

    def test_gives_up_when_told_to(self):
        self.fail_with("2s", "workflow", "execute", "-t", "none", "--type", "T",
                       "--command-timeout", "2s")


class View(CommandTest):
    def test_describes_an_open_workflow(self):
        workflow_id = self.start("T", "--memo", "count=3", queue="none")
        result = self.succeed("workflow", "describe", "-w", workflow_id)
        self.assertEqual(result.field("WorkflowId"), workflow_id)
        self.assertEqual(result.field("Status"), "Running")
        self.assertEqual(result.field("Memo"), '{"count":3}')
        self.assertIn("Pending Activities: 0", result.out)
        iso = self.succeed("workflow", "describe", "-w", workflow_id, "--time-format", "iso")
        self.assertRegex(iso.field("StartTime"), r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")

    def test_describes_a_closed_workflow(self):
        workflow_id = self.start("greet", "-i", '"you"')
        self.succeed("workflow", "result", "-w", workflow_id)
        result = self.succeed("workflow", "describe", "-w", workflow_id)
        self.assertEqual(result.field("Result"), '"Hello, you!"')
        self.assertEqual(self.stele.json("workflow", "describe", "-w", workflow_id)["result"],
                         "Hello, you!")

    def test_names_a_workflow_that_does_not_exist(self):
        for command in ("describe", "show", "result", "cancel", "terminate"):
            self.fail_with("nobody", "workflow", command, "-w", "nobody")
        self.fail_with("--workflow-id", "workflow", "describe")

    def test_shows_histories_in_every_way(self):
        workflow_id = self.start("greet", "-i", '"you"')
        self.succeed("workflow", "result", "-w", workflow_id)
        table = self.succeed("workflow", "show", "-w", workflow_id)
        self.assertRegex(table.out, r"\n +1 +\d{4}-\S+Z +WorkflowExecutionStarted\n")
        detailed = self.succeed("workflow", "show", "-w", workflow_id, "--detailed")
        self.assertIn("activityType.name: compose", detailed.out)
        self.assertIn("input[0]: you", detailed.out)
        types = self.event_types(workflow_id)
        self.assertEqual(types[0], "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED")
        reverse = self.stele.json("workflow", "show", "-w", workflow_id, "--reverse")
        self.assertEqual([event["eventType"] for event in reverse["events"]], types[::-1])

    def test_history_json_keeps_payloads_for_replayers(self):
        workflow_id = self.start("T", "-i", '"kept"', queue="none")
        history = self.stele.json("workflow", "show", "-w", workflow_id)
        payload = history["events"][0]["workflowExecutionStartedEventAttributes"]["input"][
            "payloads"][0]
        self.assertEqual(payload["data"], "ImtlcHQi")

    def test_follows_a_workflow_to_its_end(self):
        workflow_id = self.start("Waiting")
        shown = []
        follower = threading.Thread(target=lambda: shown.append(
            self.stele.run("workflow", "show", "-w", workflow_id, "--follow")))
        follower.start()
        self.succeed("workflow", "signal", "-w", workflow_id, "--name", "answer", "-i", '"42"')
        follower.join()
        self.assertEqual(shown[0].code, 0, shown[0])
        self.assertIn("WorkflowExecutionCompleted", shown[0].out)
        self.assertEqual(shown[0].field("Result"), '"42"')

    def test_none_prints_nothing(self):
        workflow_id = self.start(queue="none")
        self.assertEqual(self.succeed("workflow", "show", "-w", workflow_id, "-o", "none").out, "")


class Control(CommandTest):
    def test_signal_is_in_the_history(self):
        workflow_id = self.start(queue="none")
        result = self.succeed("workflow", "signal", "-w", workflow_id, "--name", "poke",
                              "-i", "[1]", "--identity", "me")
        self.assertIn("Signal workflow succeeded", result.out)
        detailed = self.succeed("workflow", "show", "-w", workflow_id, "--detailed")
        self.assertIn("signalName: poke", detailed.out)
        self.assertIn("identity: me", detailed.out)

    def test_query_shows_the_answer(self):
        workflow_id = self.start("Waiting")
        result = self.succeed("workflow", "query", "-w", workflow_id, "--name", "question")
        self.assertEqual(result.field("QueryResult"), '"what now?"')
        self.assertEqual(self.stele.json("workflow", "query", "-w", workflow_id, "--name",
                                         "question"), {"queryResult": "what now?"})
        self.fail_with("nothing_like_it", "workflow", "query", "-w", workflow_id, "--name",
                       "nothing_like_it")
        self.succeed("workflow", "terminate", "-w", workflow_id)
        self.fail_with("Terminated", "workflow", "query", "-w", workflow_id, "--name", "question",
                       "--reject-condition", "not_open")

    def test_cancel_is_requested(self):
        workflow_id = self.start(queue="none")
        result = self.succeed("workflow", "cancel", "-w", workflow_id)
        self.assertIn("Canceled workflow", result.out)
        described = self.succeed("workflow", "describe", "-w", workflow_id)
        self.assertEqual(described.field("CancelRequested"), "true")

    def test_terminate_ends_with_the_reason(self):
        workflow_id = self.start(queue="none")
        self.succeed("workflow", "terminate", "-w", workflow_id, "--reason", "no longer wanted")
        result = self.fail_with("TERMINATED", "workflow", "result", "-w", workflow_id)
        self.assertEqual(result.field("Reason"), "no longer wanted")
        self.fail_with("already completed", "workflow", "terminate", "-w", workflow_id)


class Formats(CommandTest):
    def test_json_lines_are_lines(self):
        workflow_id = self.start(queue="none")
        result = self.succeed("workflow", "describe", "-w", workflow_id, "-o", "jsonl")
        self.assertEqual(len(result.out.splitlines()), 1)
        self.assertEqual(json.loads(result.out)["workflowExecutionInfo"]["status"],
                         "WORKFLOW_EXECUTION_STATUS_RUNNING")

    def test_payloads_as_they_are_on_request(self):
        workflow_id = self.start("T", "--memo", "n=1", queue="none")
        result = self.succeed("workflow", "describe", "-w", workflow_id, "-o", "json",
                              "--no-json-shorthand-payloads")
        memo = result.json["workflowExecutionInfo"]["memo"]["fields"]["n"]
        self.assertEqual(memo, {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="})

    def test_color_only_when_asked(self):
        workflow_id = self.start(queue="none")
        self.assertNotIn("\x1b[", self.succeed("workflow", "show", "-w", workflow_id).out)
        colored = self.succeed("workflow", "show", "-w", workflow_id, "--color", "always")
        self.assertIn("\x1b[", colored.out)
