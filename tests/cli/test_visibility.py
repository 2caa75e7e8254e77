"""Finding workflows: list, count, search attributes, and the index behind them."""

import os
import tempfile
import uuid

from case import CommandTest


class Lists(CommandTest):
    def test_show_what_a_query_wants(self):
        kind = f"Listed-{uuid.uuid4()}"
        ids = [self.start(kind, queue="none") for _ in range(3)]
        self.succeed("workflow", "terminate", "-w", ids[0])
        query = f'WorkflowType = "{kind}"'
        table = self.succeed("workflow", "list", "-q", query).out
        for workflow_id in ids:
            self.assertIn(workflow_id, table)
        listed = self.stele.json("workflow", "list", "-q", query)
        # Open ones first, the newest before the others.
        self.assertEqual([run["execution"]["workflowId"] for run in listed],
                         [ids[2], ids[1], ids[0]])
        running = self.stele.json("workflow", "list", "-q",
                                  f"{query} AND ExecutionStatus = 'Running'")
        self.assertEqual(len(running), 2)

    def test_are_limited_and_paged(self):
        kind = f"Paged-{uuid.uuid4()}"
        for _ in range(5):
            self.start(kind, queue="none")
        query = f"WorkflowType = '{kind}'"
        self.assertEqual(len(self.stele.json("workflow", "list", "-q", query, "--page-size", "2")), 5)
        self.assertEqual(len(self.stele.json("workflow", "list", "-q", query, "--page-size", "2",
                                             "--limit", "3")), 3)
        lines = self.succeed("workflow", "list", "-q", query, "-o", "jsonl").json_lines
        self.assertEqual(len(lines), 5)

    def test_of_nothing_are_empty(self):
        self.assertEqual(self.stele.json("workflow", "list", "-q", "WorkflowId = 'nobody'"), [])
        self.assertEqual(self.succeed("workflow", "list", "-q", "WorkflowId = 'nobody'").out, "")

    def test_tell_what_is_wrong_with_a_query(self):
        self.fail_with("invalid search attribute: Nope", "workflow", "list", "-q", "Nope = 1")
        self.fail_with("syntax error", "workflow", "count", "-q", "WorkflowId =")

    def test_are_counted(self):
        kind = f"Counted-{uuid.uuid4()}"
        ids = [self.start(kind, queue="none") for _ in range(3)]
        self.succeed("workflow", "terminate", "-w", ids[0])
        query = f"WorkflowType = '{kind}'"
        self.assertEqual(self.succeed("workflow", "count", "-q", query).out, "Total: 3\n")
        grouped = self.succeed("workflow", "count", "-q", f"{query} GROUP BY ExecutionStatus").out
        self.assertIn("Group total: 2, values: \"Running\"", grouped)
        self.assertIn("Group total: 1, values: \"Terminated\"", grouped)
        self.assertEqual(self.stele.json("workflow", "count", "-q", query)["count"], "3")


class SearchAttributes(CommandTest):
    def test_are_created_used_and_removed(self):
        name = f"Mine{uuid.uuid4().hex}"
        self.succeed("operator", "search-attribute", "create", "--name", name, "--type", "Keyword")
        shown = self.succeed("operator", "search-attribute", "list").out
        self.assertIn(name, shown)
        self.assertIn("WorkflowId", shown)
        workflow_id = self.start("T", "--search-attribute", f'{name}="x"', queue="none")
        found = self.stele.json("workflow", "list", "-q", f"{name} = 'x'")
        self.assertEqual([run["execution"]["workflowId"] for run in found], [workflow_id])
        self.fail_with("different type", "operator", "search-attribute", "create", "--name", name,
                       "--type", "Int")
        self.fail_with("add --yes", "operator", "search-attribute", "remove", "--name", name)
        self.succeed("operator", "search-attribute", "remove", "--name", name, "-y")
        self.fail_with("invalid search attribute", "workflow", "list", "-q", f"{name} = 'x'")
        self.fail_with("doesn't exist", "operator", "search-attribute", "remove", "--name", name,
                       "-y")

    def test_refuse_what_can_not_be(self):
        self.fail_with("is no type", "operator", "search-attribute", "create", "--name", "X",
                       "--type", "Number")
        self.fail_with("reserved", "operator", "search-attribute", "create", "--name", "WorkflowId",
                       "--type", "Keyword")

    def test_are_given_to_a_new_server(self):
        server, address = self.stele.start_server("--search-attribute", "Customer=Keyword",
                                                  "--namespace", "orders")
        for namespace in ("default", "orders"):
            shown = self.succeed("operator", "search-attribute", "list", "-n", namespace,
                                 "--address", address, address=False)
            self.assertIn("Customer", shown.out)
        server.stop()
        self.fail_with("NAME=TYPE", "server", "start-dev", "--port", "0", "--search-attribute", "X")
        self.fail_with("Keyword", "server", "start-dev", "--port", "0", "--search-attribute",
                       "X=Number")


class Deletion(CommandTest):
    def test_of_a_namespace_takes_its_name_away(self):
        name = f"doomed-{uuid.uuid4()}"
        self.succeed("operator", "namespace", "create", "-n", name)
        self.succeed("workflow", "start", "-w", "w", "-t", "q", "--type", "T", "-n", name)
        self.fail_with("add --yes", "operator", "namespace", "delete", "-n", name)
        self.succeed("operator", "namespace", "delete", "-n", name, "--yes")
        self.fail_with("not found", "operator", "namespace", "describe", "-n", name)
        self.succeed("operator", "namespace", "create", "-n", name)


class Index(CommandTest):
    def test_is_made_anew_where_it_is_missing(self):
        with tempfile.TemporaryDirectory() as directory:
            server, address = self.stele.start_server("--db-filename", directory)
            self.succeed("workflow", "start", "-w", "kept", "-t", "q", "--type", "T",
                         "--address", address, address=False)
            self.assertEqual(server.stop(), 0, server.output())
            index = os.path.join(directory, "visibility.sqlite")
            self.assertTrue(os.path.exists(index))
            for make_anew in (True, False):
                os.remove(index)
                if make_anew:
                    self.succeed("server", "rebuild-visibility", "--db-filename", directory)
                    self.assertTrue(os.path.exists(index))
                server, address = self.stele.start_server("--db-filename", directory)
                counted = self.succeed("workflow", "count", "-q", "WorkflowId = 'kept'",
                                       "--address", address, address=False)
                self.assertEqual(counted.out, "Total: 1\n")
                self.assertEqual(server.stop(), 0, server.output())
                for notice in ("is made anew", "has been made anew"):
                    self.assertEqual(notice in server.output(), not make_anew, server.output())

    def test_is_not_made_anew_under_a_server(self):
        with tempfile.TemporaryDirectory() as directory:
            self.stele.start_server("--db-filename", directory)
            self.fail_with("already open", "server", "rebuild-visibility", "--db-filename",
                           directory)
