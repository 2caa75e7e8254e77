"""stele task-queue ... and stele worker ..."""

import uuid

from case import CommandTest


class TaskQueue(CommandTest):
    def setUp(self):
        super().setUp()
        self.queue = f"queue-{uuid.uuid4()}"

    def start(self, count):
        for _ in range(count):
            self.succeed("workflow", "start", "-t", self.queue, "--type", "T", "-w",
                         f"waits-{uuid.uuid4()}")

    def test_describe_shows_the_backlog(self):
        self.start(3)
        described = self.stele.json("task-queue", "describe", "-t", self.queue,
                                    "--task-queue-type", "workflow")
        self.assertEqual(described[0]["stats"]["approximateBacklogCount"], "3")
        self.assertIn("No worker has polled lately",
                      self.succeed("task-queue", "describe", "-t", self.queue).out)

    def test_partitions_are_one(self):
        partitions = self.stele.json("task-queue", "list-partition", "-t", self.queue)
        self.assertEqual(len(partitions["workflowTaskQueuePartitions"]), 1)

    def test_config_is_set_shown_and_let_go(self):
        where = ("-t", self.queue, "--task-queue-type", "activity")
        self.assertIn("Nothing is set", self.succeed("task-queue", "config", "get", *where).out)
        self.succeed("task-queue", "config", "set", *where, "--queue-rps-limit", "12.5",
                     "--queue-rps-limit-reason", "slow backend", "--fairness-key-weight", "big=5")
        shown = self.succeed("task-queue", "config", "get", *where)
        self.assertIn("12.5", shown.field("QueueRateLimit"))
        self.assertIn("slow backend", shown.field("QueueRateLimit"))
        self.assertEqual(shown.field("FairnessWeight.big"), "5")
        self.succeed("task-queue", "config", "set", *where, "--queue-rps-limit", "default",
                     "--fairness-key-weight", "big=default")
        self.assertIn("Nothing is set", self.succeed("task-queue", "config", "get", *where).out)

    def test_errors_say_what_is_wrong(self):
        self.fail_with("is no type of task queue", "task-queue", "describe", "-t", self.queue,
                       "--task-queue-type", "timer")
        self.fail_with("not allowed", "task-queue", "config", "set", "-t", self.queue,
                       "--task-queue-type", "workflow", "--queue-rps-limit", "1")


class Worker(CommandTest):
    def test_list_and_count_know_of_the_worker_of_these_tests(self):
        workers = self.stele.json("worker", "list")
        self.assertEqual([(worker["taskQueue"], worker["sdkName"]) for worker in workers],
                         [("cli", "stele-cpp")])
        self.assertEqual(self.succeed("worker", "count").out, "Total: 1\n")

    def test_describe_names_the_one_that_is_missing(self):
        self.fail_with("Worker nobody not found", "worker", "describe", "--worker-instance-key",
                       "nobody")


class ClusterDescription(CommandTest):
    def test_tells_name_and_stores(self):
        cluster = self.stele.json("operator", "cluster", "describe")
        self.assertEqual(cluster["clusterName"], "active")
        self.assertIn("stele", self.succeed("operator", "cluster", "describe", "--detail").out)
