"""What all tests of the command line share."""

import unittest
import uuid

import harness


class CommandTest(unittest.TestCase):
    """Tests that run commands against the common server."""

    @property
    def stele(self):
        return harness.stele

    def succeed(self, *arguments, **options):
        result = self.stele.run(*arguments, **options)
        self.assertEqual(result.code, 0, result)
        return result

    def fail_with(self, message, *arguments, **options):
        """The command must end with 1 and tell why on stderr, in words that hold `message`."""
        result = self.stele.run(*arguments, **options)
        self.assertEqual(result.code, 1, result)
        self.assertTrue(result.error.startswith("Error: "), result)
        self.assertIn(message, result.error, result)
        return result

    def start(self, kind="Waiting", *flags, queue="cli"):
        """Starts a workflow under a fresh id and returns the id."""
        workflow_id = f"{kind}-{uuid.uuid4()}"
        self.succeed("workflow", "start", "-w", workflow_id, "-t", queue, "--type", kind, *flags)
        return workflow_id

    def event_types(self, workflow_id):
        history = self.stele.json("workflow", "show", "-w", workflow_id)
        return [event["eventType"] for event in history["events"]]
