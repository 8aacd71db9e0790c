# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The forge's SSH server: Debian's sshd, without root and with its own users."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from servers.programs import (
    end,
    environment,
    free_ports,
    private_directory,
    program,
    until,
    user,
)

USER = "git"


@dataclass
class SshServer:
    """A running server; who has the key may read and write every repository."""

    directory: Path
    repositories: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def key_file(self) -> Path:
        """The private key that it lets in."""
        return self.directory / "key"

    @property
    def known_hosts_file(self) -> Path:
        """Its own key, as a client is told it."""
        return self.directory / "known_hosts"

    def settings(self, **more: object) -> dict[str, object]:
        """Return what a gateway is told of it."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "key_file": str(self.key_file),
            "known_hosts_file": str(self.known_hosts_file),
            **more,
        }

    def start(self) -> None:
        """Start it."""
        words = [program("sshd"), "-D", "-e", "-f", str(self.directory / "conf")]
        with (self.directory / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                words,
                env={**environment(), **self._users()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **user(),
            )
        until(self._answers, "the SSH server")

    def stop_taking_versions(self) -> None:
        """Start again as a server that knows git's first protocol only."""
        if self.process is not None:
            end(self.process)
        conf = self.directory / "conf"
        conf.write_text(conf.read_text().replace("AcceptEnv GIT_PROTOCOL\n", ""))
        self.start()

    def _users(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_PASSWD": str(self.directory / "passwd"),
            "NSS_WRAPPER_GROUP": str(self.directory / "group"),
        }

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    def log(self) -> str:
        """Return what it wrote."""
        return (self.directory / "sshd.log").read_text()

    def stop(self) -> None:
        """End it and remove what it kept."""
        if self.process is not None:
            end(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


def new_key(path: Path) -> str:
    """Make a key pair there; return the public half."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return path.with_name(f"{path.name}.pub").read_text().strip()


def new_ssh_server(repositories: Path, address: str = "127.0.0.1") -> SshServer:
    """Return a running server of these repositories, also at an address; stop it."""
    server = SshServer(private_directory("ssh"), repositories, free_ports(1)[0])
    directory = server.directory
    host, public = new_key(directory / "host"), new_key(server.key_file)
    server.known_hosts_file.write_text(f"[{address}]:{server.port} {host}\n")
    serve = directory / "serve"
    serve.write_text(_SERVE.format(repositories=repositories, path=os.environ["PATH"]))
    serve.chmod(0o755)
    options = f'restrict,command="{serve}"'
    (directory / "authorized_keys").write_text(f"{options} {public}\n")
    number = user().get("user", os.geteuid())
    group = user().get("group", os.getegid())
    line = f"{USER}:x:{number}:{group}::{directory}:/bin/sh\n"
    (directory / "passwd").write_text(line)
    (directory / "group").write_text(f"{USER}:x:{group}:\n")
    listen = "".join(f"ListenAddress {one}\n" for one in sorted({"127.0.0.1", address}))
    (directory / "conf").write_text(
        f"Port {server.port}\n{listen}HostKey {directory}/host\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\nAcceptEnv GIT_PROTOCOL\n"
        "UsePAM no\nStrictModes no\nPidFile none\nPasswordAuthentication no\n"
        "MaxStartups 100\n" + _session_program()
    )
    status = directory.stat()
    os.chown(directory / "host", status.st_uid, status.st_gid)
    server.start()
    return server


def _session_program() -> str:
    """Return where a newer sshd finds its second half, which is unpacked too."""
    found = Path(program("sshd")).parents[1] / "lib/openssh/sshd-session"
    return f"SshdSessionPath {found}\n" if found.exists() else ""


# As forges do: a path with or without a slash before it, and git's commands only.
_SERVE = """#!/bin/sh
PATH={path}
export PATH GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
cd {repositories} || exit 1
exec git shell -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s| '/| '|")"
"""
