"""stele operator ..."""

import uuid

from case import CommandTest


class Namespace(CommandTest):
    def create(self, *flags):
        name = f"space-{uuid.uuid4()}"
        self.succeed("operator", "namespace", "create", "-n", name, *flags)
        return name

    def test_is_created_described_and_updated(self):
        name = self.create("--retention", "48h", "--description", "for tests", "--data", "a=b")
        shown = self.succeed("operator", "namespace", "describe", "-n", name)
        self.assertEqual(shown.field("NamespaceInfo.Name"), name)
        self.assertEqual(shown.field("NamespaceInfo.Description"), "for tests")
        self.assertEqual(shown.field("NamespaceInfo.State"), "Registered")
        self.assertEqual(shown.field("NamespaceInfo.Data"), '{"a":"b"}')
        self.assertEqual(shown.field("Config.WorkflowExecutionRetentionTtl"), "48h0m0s")
        self.succeed("operator", "namespace", "update", "-n", name, "--retention", "3d")
        shown = self.succeed("operator", "namespace", "describe", name)
        self.assertEqual(shown.field("Config.WorkflowExecutionRetentionTtl"), "72h0m0s")
        self.assertEqual(shown.field("NamespaceInfo.Description"), "for tests")

    def test_is_found_by_its_id(self):
        name = self.create()
        namespace_id = self.stele.json("operator", "namespace", "describe", "-n", name)[
            "namespaceInfo"]["id"]
        shown = self.succeed("operator", "namespace", "describe", "--namespace-id", namespace_id)
        self.assertEqual(shown.field("NamespaceInfo.Name"), name)

    def test_keeps_its_workflows_apart(self):
        self.succeed("workflow", "start", "-w", "apart", "-t", "q", "--type", "T", "-n", "spare")
        self.succeed("workflow", "describe", "-w", "apart", "-n", "spare")
        self.fail_with("apart", "workflow", "describe", "-w", "apart")

    def test_list_has_all(self):
        name = self.create()
        listed = self.stele.json("operator", "namespace", "list")
        names = [entry["namespaceInfo"]["name"] for entry in listed]
        for wanted in ("default", "spare", name):
            self.assertIn(wanted, names)
        lines = self.succeed("operator", "namespace", "list", "-o", "jsonl").json_lines
        self.assertEqual(lines, listed)
        self.assertIn(name, self.succeed("operator", "namespace", "list").out)

    def test_errors_name_it(self):
        self.fail_with("unable to describe namespace missing", "operator", "namespace",
                       "describe", "-n", "missing")
        self.fail_with("already exists", "operator", "namespace", "create", "-n", "default")


class Cluster(CommandTest):
    def test_health_is_asked(self):
        self.assertEqual(self.succeed("operator", "cluster", "health").out, "SERVING\n")

    def test_system_tells_capabilities(self):
        system = self.stele.json("operator", "cluster", "system")
        self.assertIn("serverVersion", system)
        self.assertIn("signalAndQueryHeader", system["capabilities"])
