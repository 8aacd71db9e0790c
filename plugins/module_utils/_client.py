# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent service over HTTP: the one place of the collection with a network."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Mapping
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

from ._argument_spec import ArgumentSpec
from ._errors import InvalidInput, ServiceRefused, ServiceUnreachable

MOST_BYTES = 16 * 1024 * 1024
MOST_TOKEN_BYTES = 4096


def connection_spec() -> ArgumentSpec:
    """Return the options that reach the agent service."""
    return ArgumentSpec(
        options={
            "url": {"type": "str", "required": True},
            "api_token": {"type": "str", "default": "", "no_log": True},
            "api_token_file": {"type": "path", "no_log": False},
            "validate_certs": {"type": "bool", "default": True},
            "use_proxy": {"type": "bool", "default": False},
            "timeout_seconds": {"type": "int", "default": 330},
        }
    )


@dataclass(frozen=True)
class Connection:
    """Hold where the service is and how to reach it."""

    url: str
    api_token: str = field(default="", repr=False)
    validate_certs: bool = True
    use_proxy: bool = False
    timeout_seconds: float = 330

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """Given the options, return the connection; raise InvalidInput."""
        url = str(params["url"]).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f'Cannot reach the service at "{url}"',
                "it is not an address of the form http://host:port",
                "Set url to where control listens, such as http://127.0.0.1:8700.",
            )
        return cls(
            url=url,
            api_token=_token(params["api_token"], params["api_token_file"]),
            validate_certs=params["validate_certs"],
            use_proxy=params["use_proxy"],
            timeout_seconds=params["timeout_seconds"],
        )


def _token(token: str, path: str | None) -> str:
    if path is not None and token:
        raise InvalidInput(
            "Cannot use api_token_file",
            "api_token is set too",
            "Set only one of them.",
        )
    name = "api_token" if path is None else f'api_token_file "{path}"'
    token = token if path is None else _read(path).rstrip("\r\n")
    if any(sign in token for sign in "\r\n"):
        raise InvalidInput(
            f"Cannot use {name}",
            "it has more than one line",
            "Set it to the token alone, without a line end.",
        )
    return token


def _read(path: str) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read(MOST_TOKEN_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f'Cannot read api_token_file "{path}"',
            getattr(error, "strerror", None) or str(error),
            "Set it to the file with the token on the host that the module runs on.",
        ) from error


@dataclass(frozen=True)
class Answer:
    """Hold the status of an answer and its JSON body."""

    status: int
    body: Any

    @property
    def error(self) -> str:
        """Return what the service says went wrong."""
        if isinstance(self.body, Mapping) and self.body.get("error"):
            return str(self.body["error"])
        return f"it answered with status {self.status}"


class Client:
    """Talk to one agent service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def url(self) -> str:
        """Return where the service is."""
        return self._connection.url

    def get(self, path: str, timeout_seconds: float) -> Answer:
        """Return the answer to a GET; raise ServiceUnreachable."""
        return self._ask("GET", path, None, timeout_seconds)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Return the answer to a POST; raise ServiceUnreachable."""
        return self._ask("POST", path, body, self._connection.timeout_seconds)

    def delete(self, path: str) -> Answer:
        """Return the answer to a DELETE; raise ServiceUnreachable."""
        return self._ask("DELETE", path, None, self._connection.timeout_seconds)

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        timeout_seconds: float,
    ) -> Answer:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._connection.api_token:
            headers["Authorization"] = f"Bearer {self._connection.api_token}"
        try:
            response = open_url(
                self.url + path,
                method=method,
                data=None if body is None else json.dumps(body),
                headers=headers,
                timeout=timeout_seconds,
                validate_certs=self._connection.validate_certs,
                use_proxy=self._connection.use_proxy,
                # Another address must never get the token.
                follow_redirects="none",
            )
            return self._answer(response.getcode(), response.read(MOST_BYTES))
        except HTTPError as error:
            return self._answer(error.code, error.read(MOST_BYTES))
        except (URLError, HTTPException, socket.timeout, OSError) as error:
            raise ServiceUnreachable(
                f'Cannot reach the service at "{self.url}"',
                str(getattr(error, "reason", None) or error),
                "Check that control runs and that url is where it listens.",
            ) from error

    def _answer(self, status: int, content: bytes) -> Answer:
        try:
            return Answer(status=status, body=json.loads(content) if content else None)
        except ValueError as error:
            if status >= 400:
                return Answer(status=status, body=None)
            raise ServiceRefused(
                f'Cannot understand the service at "{self.url}"',
                "its answer is not JSON",
                "Check that url is the address of control and not of something else.",
            ) from error
