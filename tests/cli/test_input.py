"""Arguments of workflows, signals and queries."""

import tempfile

from case import CommandTest


class Input(CommandTest):
    def payloads(self, *flags):
        workflow_id = self.start("T", *flags, queue="none")
        history = self.stele.json("workflow", "show", "-w", workflow_id)
        return history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]

    def test_comes_from_files(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write('{"from": "file"}')
            file.flush()
            payload, = self.payloads("--input-file", file.name)
        self.assertEqual(payload["data"], "eyJmcm9tIjogImZpbGUifQ==")
        self.fail_with("/nowhere.json", "workflow", "start", "-t", "q", "--type", "T",
                       "--input-file", "/nowhere.json")

    def test_comes_in_base64_with_metadata(self):
        payload, = self.payloads("-i", "AAEC/w==", "--input-base64",
                                 "--input-meta", "encoding=binary/plain")
        self.assertEqual(payload["data"], "AAEC/w==")
        self.assertEqual(payload["metadata"]["encoding"], "YmluYXJ5L3BsYWlu")

    def test_keeps_order_lists_and_negative_numbers(self):
        payloads = self.payloads("-i", "[1,2]", "-i", "-3", "-i", "null")
        self.assertEqual([payload["data"] for payload in payloads], ["WzEsMl0=", "LTM=", "bnVsbA=="])

    def test_that_is_not_json_is_named(self):
        start = ("workflow", "start", "-t", "q", "--type", "T")
        self.fail_with("input 2 is not JSON: world", *start, "-i", "1", "-i", "world")
        self.fail_with("not with both", *start, "-i", "1", "--input-file", "x")
        self.fail_with("not base64", *start, "-i", "?", "--input-base64")
        self.fail_with("--input-meta", *start, "-i", "1", "--input-meta", "no")
