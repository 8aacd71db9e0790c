# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The forge as a test has it: its repositories, issues, requests and faults."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .server import safe_directories

TOKEN = "forge-token-that-nobody-may-see"
START_SECONDS = 20.0
SERVER = Path(__file__).with_name("server.py")
AUTHOR = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@forge.example",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@forge.example",
}


def git(directory: Path, *words: str, **environment: str) -> str:
    """Run git as the forge's own user does; return what it wrote, or fail."""
    done = subprocess.run(
        ["git", *words],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **safe_directories(),
            **AUTHOR,
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {words}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class Forge:
    """A running forge; it is reached at ``url`` with ``token``."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default=TOKEN, repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of its web pages, below which repositories are."""
        return f"http://{self.host}:{self.port}"

    @property
    def token_file(self) -> Path:
        """A file with its token, as the gateway is given one."""
        return self.directory / "token"

    @property
    def repositories(self) -> Path:
        """Where its repositories are."""
        return self.directory / "repositories"

    def settings(self, **more: object) -> dict[str, object]:
        """Return what a gateway is told of it."""
        token = {"kind": "forgejo", "url": self.url, "token_file": str(self.token_file)}
        return {**token, **more}

    def start(self, listen: str | None = None) -> None:
        """Start it, on the same port as before if it ran already."""
        self.repositories.mkdir(exist_ok=True)
        self.token_file.write_text(self.token + "\n")
        place = self.directory / "port"
        place.unlink(missing_ok=True)
        words = [str(self.directory), listen or self.host, str(self.port)]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVER), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end_at = time.monotonic() + START_SECONDS
        while not place.exists():
            assert self.process.poll() is None, "the forge did not start"
            assert time.monotonic() < end_at, "the forge did not start in time"
            time.sleep(0.01)
        self.port = int(place.read_text())

    def stop(self) -> None:
        """End it at once; repositories and issues stay."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def new_repository(self, name: str = "team/shop", **files: str) -> Path:
        """Return a new bare repository with one commit on main."""
        path = self.repositories / f"{name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o777)
        # Over SSH another user may push than over HTTP.
        git(
            self.directory,
            "init",
            "-q",
            "--bare",
            "--shared=0666",
            "-b",
            "main",
            f"{path}",
        )
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git(path, "config", key, "true")
        self.commit(name, "Begin", **(files or {"README.md": "A shop.\n"}))
        return path

    def commit(
        self, name: str, message: str, branch: str = "main", **files: str
    ) -> str:
        """Commit files on a branch, as somebody else would; return the commit.

        A branch that is not there begins at main.
        """
        path = self.repositories / f"{name}.git"
        with tempfile.TemporaryDirectory(dir=self.directory) as place:
            tree = Path(place)
            git(tree, "clone", "-q", str(path), ".")
            if git(tree, "branch", "-r", "--list", f"origin/{branch}"):
                git(tree, "checkout", "-q", branch)
            else:
                git(tree, "checkout", "-q", "-B", branch)
            for one, content in files.items():
                (tree / one).parent.mkdir(parents=True, exist_ok=True)
                (tree / one).write_text(content)
            git(tree, "add", "-A")
            git(tree, "commit", "-q", "--allow-empty", "-m", message)
            git(tree, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
            return git(tree, "rev-parse", "HEAD").strip()

    def head(self, name: str, branch: str = "main") -> str | None:
        """Return a branch's commit, if it is there."""
        path = self.repositories / f"{name}.git"
        found = git(path, "for-each-ref", "--format=%(objectname)", _ref(branch))
        return found.strip() or None

    def show(self, name: str, branch: str, file: str) -> str:
        """Return a file's content on a branch."""
        return git(self.repositories / f"{name}.git", "show", f"{branch}:{file}")

    def set_issue(
        self, name: str, number: int | str, state: str | None, **more: object
    ) -> None:
        """Let an issue or pull request be "open" or "closed", or not be there.

        Jira's issues are those of the name "jira".
        """
        issues = self._read("issues")
        of_name = issues.setdefault(name, {})
        of_name.pop(str(number), None)
        if state is not None:
            of_name[str(number)] = {"state": state, **more}
        self._write("issues", issues)

    def break_with(self, *faults: dict[str, object]) -> None:
        """Let requests go wrong, or right again with no fault.

        Each is ``{"path": regular expression, "status": …, "headers": {…},
        "body": …, "delay_seconds": …}``; without a status there is only the delay.
        """
        self._write("faults", list(faults))

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """Return the requests so far whose path has that in it, oldest first."""
        log = self.directory / "requests.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        found = [json.loads(line) for line in lines]
        return [request for request in found if path in request["path"]]

    def _read(self, name: str) -> Any:
        path = self.directory / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def _write(self, name: str, value: object) -> None:
        path = self.directory / f"{name}.new"
        path.write_text(json.dumps(value))
        path.rename(self.directory / f"{name}.json")


def _ref(branch: str) -> str:
    return f"refs/heads/{branch}"


def new_forge(host: str = "127.0.0.1") -> Forge:
    """Return a running forge in a directory of its own; stop and remove it."""
    directory = Path(tempfile.mkdtemp(prefix="agentkeep-forge-"))
    # The SSH server may be another user's.
    directory.chmod(0o755)
    forge = Forge(directory, host)
    forge.start()
    return forge


def remove(forge: Forge) -> None:
    """Stop a forge and remove what it kept."""
    forge.stop()
    shutil.rmtree(forge.directory, ignore_errors=True)
