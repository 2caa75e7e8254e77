#!/usr/bin/env python3
"""The codec server of the examples, as a web page and a command line call it.

Usage: codec_server.py BUILD_DIRECTORY [HOST:PORT of a server]

With a server a workflow with encrypted payloads is run there, and the codec server decodes what its
history holds. Prints a line `N passed, N failed` at the end.
"""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import suite

BUILD, SERVER = None, None
ORIGIN = "http://page.example"
TOKEN = "open-sesame"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def payload(data, encoding="json/plain"):
    return {"metadata": {"encoding": base64.b64encode(encoding.encode()).decode()},
            "data": base64.b64encode(data).decode()}


def encoding_of(sealed):
    return base64.b64decode(sealed["metadata"]["encoding"]).decode()


class CodecServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.process = subprocess.Popen(
            [os.path.join(BUILD, "stele_example_codec_server"), "--port", str(cls.port),
             "--origin", ORIGIN, "--token", TOKEN], stdout=subprocess.PIPE, text=True)
        assert "codec server on" in cls.process.stdout.readline()
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", cls.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait()
        cls.process.stdout.close()

    def call(self, path, body=None, method="POST", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Authorization", "Bearer " + TOKEN)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers,
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def payloads(self, path, payloads):
        status, _, body = self.call(path, {"payloads": payloads}, X_Namespace="default")
        self.assertEqual(status, 200, body)
        return json.loads(body).get("payloads", [])

    def test_what_was_encoded_is_decoded_again(self):
        plain = [payload(b'"short"'), payload(b'"' + b"long " * 1000 + b'"'), payload(b"", "binary/null")]
        sealed = self.payloads("/encode", plain)
        self.assertEqual([encoding_of(each) for each in sealed], ["binary/encrypted"] * 3)
        self.assertLess(len(sealed[1]["data"]), 1000)  # compressed before it was encrypted
        opened = self.payloads("/decode", sealed)
        self.assertEqual([each.get("data", "") for each in opened],
                         [each["data"] for each in plain])

    def test_only_the_end_of_the_path_counts(self):
        sealed = self.payloads("/any/namespace/encode", [payload(b"1")])
        self.assertEqual(self.payloads("/other/decode?preserveStorageRefs=true", sealed),
                         [payload(b"1")])
        self.assertEqual(self.call("/download", {})[0], 404)
        self.assertEqual(self.call("/undecode", {})[0], 404)

    def test_what_it_did_not_encode_passes_through(self):
        self.assertEqual(self.payloads("/decode", [payload(b"1")]), [payload(b"1")])
        self.assertEqual(self.payloads("/decode", []), [])

    def test_broken_requests_are_refused_with_a_reason(self):
        status, _, body = self.call("/decode", b"not json")
        self.assertEqual(status, 400)
        self.assertIn(b"Payloads in JSON", body)
        sealed = self.payloads("/encode", [payload(b"1")])
        changed = bytearray(base64.b64decode(sealed[0]["data"]))
        changed[-1] ^= 1
        sealed[0]["data"] = base64.b64encode(changed).decode()
        status, _, body = self.call("/decode", {"payloads": sealed})
        self.assertEqual(status, 400)
        self.assertIn(b"cannot be encrypted or decrypted", body)
        self.assertEqual(self.call("/decode", {"payloads": [payload(b"?", "binary/zlib")]})[0], 400)

    def test_whoever_has_no_token_reads_nothing(self):
        self.assertEqual(self.call("/decode", {}, Authorization="Bearer guessed")[0], 401)

    def test_browsers_of_the_page_may_call_and_others_may_not(self):
        status, headers, _ = self.call("/decode", method="OPTIONS", Origin=ORIGIN,
                                       Access_Control_Request_Method="POST")
        self.assertEqual(status, 204)
        self.assertEqual(headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertIn("X-Namespace", headers["Access-Control-Allow-Headers"])
        self.assertIn("POST", headers["Access-Control-Allow-Methods"])
        _, headers, _ = self.call("/decode", {}, Origin=ORIGIN)
        self.assertEqual(headers["Access-Control-Allow-Origin"], ORIGIN)
        _, headers, _ = self.call("/decode", method="OPTIONS", Origin="http://elsewhere.example")
        self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_history_of_a_server_becomes_readable(self):
        if SERVER is None:
            self.skipTest("no server was named")
        output = subprocess.run([os.path.join(BUILD, "stele_example_encryption"), "--address", SERVER],
                                capture_output=True, text=True, timeout=60, check=True).stdout
        workflow = re.search(r"workflow: (\S+)", output).group(1)
        history = json.loads(subprocess.run(
            [os.path.join(BUILD, "stele"), "workflow", "show", "-w", workflow, "--address", SERVER,
             "--output", "json", "--no-json-shorthand-payloads"],
            capture_output=True, text=True, timeout=60, check=True).stdout)
        started = history["events"][0]["workflowExecutionStartedEventAttributes"]
        sealed = started["input"]["payloads"]
        self.assertEqual(encoding_of(sealed[0]), "binary/encrypted")
        self.assertEqual(base64.b64decode(self.payloads("/decode", sealed)[0]["data"]), b'"Mr. X"')


def main():
    global BUILD, SERVER
    BUILD = sys.argv[1]
    SERVER = sys.argv[2] if len(sys.argv) > 2 else None
    return suite.run(unittest.defaultTestLoader.loadTestsFromTestCase(CodecServer))


if __name__ == "__main__":
    sys.exit(main())
