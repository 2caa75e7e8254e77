"""Flags, TEMPORAL_* variables and profiles: where a command finds its server."""

import tempfile

from case import CommandTest

NOBODY_LISTENS = "127.0.0.1:1"


class Settings(CommandTest):
    def health(self, *flags, **environment):
        return self.stele.run("operator", "cluster", "health", *flags, address=False,
                              environment=environment)

    def test_unreachable_server_is_named(self):
        result = self.health("--address", NOBODY_LISTENS)
        self.assertEqual(result.code, 1)
        self.assertIn(NOBODY_LISTENS, result.error)
        self.assertIn("stele server start-dev", result.error)

    def test_variables_are_read_and_flags_win(self):
        address = self.stele.address
        self.assertEqual(self.health(TEMPORAL_ADDRESS=address).code, 0)
        self.assertEqual(self.health(TEMPORAL_ADDRESS=NOBODY_LISTENS).code, 1)
        self.assertEqual(self.health("--address", address, TEMPORAL_ADDRESS=NOBODY_LISTENS).code, 0)
        shown = self.succeed("operator", "namespace", "describe",
                             environment={"TEMPORAL_NAMESPACE": "spare"})
        self.assertEqual(shown.field("NamespaceInfo.Name"), "spare")

    def test_flags_may_stand_before_the_command(self):
        shown = self.stele.run("operator", "--address", self.stele.address, "namespace",
                               "-n", "spare", "describe", address=False)
        self.assertEqual(shown.field("NamespaceInfo.Name"), "spare", shown)

    def test_profiles_are_read_and_variables_win(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(f'[profile.default]\naddress = "{NOBODY_LISTENS}"\n'
                       f'[profile.here]\naddress = "{self.stele.address}"\nnamespace = "spare"\n')
            file.flush()
            self.assertEqual(self.health("--config-file", file.name).code, 1)
            variables = {"TEMPORAL_CONFIG_FILE": file.name, "TEMPORAL_PROFILE": "here"}
            self.assertEqual(self.health(**variables).code, 0)
            shown = self.stele.run("operator", "namespace", "describe", address=False,
                                   environment=variables)
            self.assertEqual(shown.field("NamespaceInfo.Name"), "spare", shown)
            variables["TEMPORAL_NAMESPACE"] = "default"
            shown = self.stele.run("operator", "namespace", "describe", address=False,
                                   environment=variables)
            self.assertEqual(shown.field("NamespaceInfo.Name"), "default", shown)
            missing = self.health("--config-file", file.name, "--profile", "gone")
            self.assertIn("gone", missing.error)

    def test_bad_files_are_explained(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("[profile.default]\naddress = \n")
            file.flush()
            result = self.health("--config-file", file.name)
            self.assertEqual(result.code, 1)
            self.assertIn(f"{file.name}, line 2", result.error)
        self.assertIn("no-such.toml", self.health("--config-file", "no-such.toml").error)

    def test_metadata_must_be_pairs(self):
        self.assertIn("--grpc-meta", self.health("--grpc-meta", "nonsense").error)

    def test_tls_is_used_when_there_is_a_key(self):
        """The server speaks no TLS, so that the attempt shows as a failure to connect."""
        self.assertEqual(self.health("--address", self.stele.address, "--api-key", "k").code, 1)
        self.assertEqual(
            self.health("--address", self.stele.address, "--api-key", "k", "--no-tls").code, 0)
