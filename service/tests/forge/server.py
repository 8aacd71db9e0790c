# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The forge's web server: git's own HTTP backend, and the API's issues.

It is a program of the standard library only: ``python server.py DIRECTORY HOST PORT``.
What it says is in files below the directory, which the test writes and reads.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

PIECE = 64 * 1024
GIT_PATH = re.compile(
    r"/(?P<repository>[^/]+/[^/]+)\.git/(info/refs|git-upload-pack|git-receive-pack)"
)
ISSUE_PATH = re.compile(
    r"/api/v[13]/repos/(?P<repository>[^/]+/[^/]+)/issues/(?P<issue>[^/]+)"
)
JIRA_PATH = re.compile(r"/rest/api/2/issue/(?P<issue>[^/]+)")
# What a public forge would not say of a repository that is private.
MISSING = {"message": "Not Found", "url": "https://forge.example/api/swagger"}


class Server(ThreadingHTTPServer):
    """Serves what is below a directory."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, directory: Path, host: str, port: int) -> None:
        super().__init__((host, port), Handler)
        self.directory = directory
        self.lock = threading.Lock()

    def read(self, name: str) -> Any:
        """Return what the test has written into a file, or nothing."""
        path = self.directory / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def note(self, **request: object) -> None:
        """Tell the test of a request."""
        line = json.dumps({"at": time.time(), **request}) + "\n"
        with self.lock, (self.directory / "requests.jsonl").open("a") as log:
            log.write(line)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a question."""
        self.answer()

    def do_POST(self) -> None:
        """Take a request with a body."""
        self.answer()

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: requests are noted for the test."""

    @property
    def forge(self) -> Server:
        """The server, with what the test has written."""
        return cast(Server, self.server)

    def answer(self) -> None:
        """Answer one request."""
        path, _mark, query = self.path.partition("?")
        authorized = self.is_authorized()
        self.forge.note(
            method=self.command,
            path=self.path,
            authorized=authorized,
            headers=sorted(name.lower() for name in self.headers),
        )
        if self.has_fault(path):
            return
        if not authorized:
            challenge = {"WWW-Authenticate": 'Basic realm="forge"'}
            self.tell(401, {"message": "token is required"}, challenge)
        elif GIT_PATH.fullmatch(path):
            self.serve_git(path, query)
        elif found := ISSUE_PATH.fullmatch(path):
            self.tell_issue(found["repository"], found["issue"])
        elif found := JIRA_PATH.fullmatch(path):
            self.tell_jira(found["issue"])
        else:
            self.tell(404, MISSING)

    def is_authorized(self) -> bool:
        """Return whether the token came, in one of the ways that forges take."""
        kind, _space, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            try:
                value = base64.b64decode(value).decode().partition(":")[2]
            except ValueError:
                return False
        token = (self.forge.directory / "token").read_text().strip()
        return hmac.compare_digest(value.encode(), token.encode())

    def has_fault(self, path: str) -> bool:
        """Do what the test wants to go wrong with that path."""
        for fault in self.forge.read("faults") or []:
            if re.search(fault["path"], path) is None:
                continue
            time.sleep(fault.get("delay_seconds", 0))
            if fault.get("status") is not None:
                body = fault.get("body", {"message": "a fault of the test's"})
                self.tell(fault["status"], body, fault.get("headers", {}))
                return True
        return False

    def tell(
        self, status: int, value: object, headers: dict[str, str] | None = None
    ) -> None:
        """Answer with JSON; the request's body is not read, so the connection ends."""
        body = json.dumps(value).encode()
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, one in (headers or {}).items():
            self.send_header(name, one)
        self.end_headers()
        self.wfile.write(body)

    def tell_issue(self, repository: str, number: str) -> None:
        """Answer as Forgejo and GitHub do, which have these fields in common."""
        issue = self.forge.read("issues").get(repository, {}).get(number)
        if issue is None:
            self.tell(404, MISSING)
            return
        page = f"https://forge.example/{repository}/issues/{number}"
        told = {"id": 1000 + int(number), "number": int(number), "html_url": page}
        self.tell(200, {**told, "title": "An issue", "pull_request": None, **issue})

    def tell_jira(self, key: str) -> None:
        """Answer as Jira does: a status belongs to one of three categories."""
        issue = self.forge.read("issues").get("jira", {}).get(key)
        if issue is None:
            self.tell(404, {"errorMessages": ["Issue does not exist"], "errors": {}})
            return
        category = {"open": "indeterminate", "closed": "done"}[issue["state"]]
        status = {"name": "A name of theirs", "statusCategory": {"key": category}}
        self.tell(200, {"id": "10002", "key": key, "fields": {"status": status}})

    def serve_git(self, path: str, query: str) -> None:
        """Let git answer, as any web server does."""
        headers = self.headers
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.forge.directory / "repositories"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "somebody",
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            **safe_directories(),
        }
        if "Content-Length" in headers:
            environment["CONTENT_LENGTH"] = headers["Content-Length"]
        with subprocess.Popen(
            ["git", "http-backend"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as backend:
            assert backend.stdin is not None and backend.stdout is not None
            feeder = threading.Thread(target=self.feed, args=(backend.stdin,))
            feeder.start()
            try:
                self.pass_on(cast(BufferedReader, backend.stdout))
            finally:
                backend.kill()
                feeder.join()

    def feed(self, backend: IO[bytes]) -> None:
        """Give the request's body to git."""
        try:
            with backend:
                for piece in self.body():
                    backend.write(piece)
        except (OSError, ValueError):
            self.close_connection = True

    def body(self) -> Iterator[bytes]:
        """Return the request's body in pieces, announced or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            left = int(self.headers.get("Content-Length", 0))
            while left > 0 and (piece := self.rfile.read(min(left, PIECE))):
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def pass_on(self, backend: BufferedReader) -> None:
        """Send git's answer, in chunks as it comes."""
        status, headers = 200, []
        while line := backend.readline().strip():
            name, _colon, value = line.decode().partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := backend.read1(PIECE):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


def safe_directories() -> dict[str, str]:
    """Return the environment in which git takes repositories of another user."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


if __name__ == "__main__":
    server = Server(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    port = server.server_address[1]
    place = server.directory / "port.new"
    place.write_text(str(port))
    place.rename(server.directory / "port")
    server.serve_forever()
