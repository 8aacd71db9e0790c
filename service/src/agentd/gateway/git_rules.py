# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What an agent may ask of a forge through git: decided by path, agent and settings.

A request is taken apart by its bytes as they came: nothing in it is decoded, so
that no two readers can take it for two repositories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused
from agentd.gateway_settings import Forge
from agentd.workdirs.names import FORGE, PART, NameRefused, parse_repository

FETCH, PUSH = "git-upload-pack", "git-receive-pack"
ADVERTISEMENT = "info/refs"
KIND = "git"

_PATH = re.compile(
    rf"/git/(?P<forge>{FORGE})/(?P<owner>(?!-){PART})/(?P<name>{PART})\.git"
    rf"/(?P<what>{ADVERTISEMENT}|{FETCH}|{PUSH})".encode()
)
_QUERY = re.compile(rf"service=({FETCH}|{PUSH})".encode())
_REQUEST_HEADERS = {
    b"accept": re.compile(rb"[A-Za-z0-9*/+.,;= -]{1,256}"),
    b"accept-encoding": re.compile(rb"[a-z0-9*,;=. -]{1,128}"),
    b"content-encoding": re.compile(rb"gzip|identity"),
    b"content-length": re.compile(rb"[0-9]{1,15}"),
    b"git-protocol": re.compile(rb"[a-z0-9=:._-]{1,64}"),
    b"user-agent": re.compile(rb"git/[A-Za-z0-9._() -]{1,64}"),
}
_RESPONSE_HEADERS = frozenset(
    {b"cache-control", b"content-encoding", b"content-length", b"expires", b"pragma"}
)
_ENCODINGS = frozenset({b"", b"identity", b"gzip"})


@dataclass(frozen=True)
class GitRequest:
    """One of the four requests that git makes."""

    forge: str
    owner: str
    name: str
    service: str
    advertises: bool

    @property
    def repository(self) -> str:
        """Return the repository as its forge knows it."""
        return f"{self.owner}/{self.name}"

    @property
    def pushes(self) -> bool:
        """Return whether it is part of a push."""
        return self.service == PUSH

    @property
    def path(self) -> str:
        """Return what is below the forge's address."""
        what = f"{ADVERTISEMENT}?service={self.service}"
        return f"/{self.repository}.git/{what if self.advertises else self.service}"

    @property
    def content_type(self) -> str:
        """Return the type of the answer."""
        kind = "advertisement" if self.advertises else "result"
        return f"application/x-{self.service}-{kind}"


def parse_request(method: str, path: bytes, query: bytes) -> GitRequest:
    """Return what git asks for; raise Refused for anything else."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise _no_request()
    forge, owner, name, what = (one.decode() for one in found.groups())
    try:
        parse_repository(f"{forge}:{owner}/{name}")
    except NameRefused as error:
        raise _no_request() from error
    advertises = what == ADVERTISEMENT
    asked = _QUERY.fullmatch(query)
    if method != ("GET" if advertises else "POST"):
        raise Refused(405, KIND, f"{method[:16]} does not pass on this path.")
    if advertises and asked is None:
        raise Refused(403, KIND, "Only git's own protocol of version 1 or 2 passes.")
    if query and not advertises:
        raise Refused(400, KIND, "A query does not pass on this path.")
    service = asked[1].decode() if advertises and asked is not None else what
    return GitRequest(forge, owner, name, service, advertises)


def _no_request() -> Refused:
    return Refused(404, KIND, "Only fetch and push of a repository pass here.")


def allowed_forge(
    agent: str, request: GitRequest, forges: Mapping[str, Forge]
) -> Forge:
    """Return the forge that is asked; raise Refused if the agent may not ask it.

    A repository that it may not reach is refused as one that is not there would be.
    """
    forge = forges.get(request.forge)
    if forge is None or forge.kind == "jira":
        raise Refused(
            404,
            KIND,
            f'No forge with repositories is named "{request.forge}". '
            "Add it to the setting forges.",
        )
    if not is_allowed(forge, agent, request.repository):
        raise Refused(
            403,
            KIND,
            f'Agent "{agent}" may not reach {request.forge}:{request.repository}. Add '
            "it to repositories of the forge, and to those of the agent.",
        )
    if request.pushes and forge.read_only:
        raise Refused(
            403,
            KIND,
            f'Nothing is pushed to the forge "{request.forge}": read_only is set.',
        )
    return forge


def is_allowed(forge: Forge, agent: str, repository: str) -> bool:
    """Return whether an agent may reach a repository of the forge."""
    if not matches(repository, forge.repositories):
        return False
    if forge.agents is None:
        return True
    return matches(repository, forge.agents.get(agent, ()))


def matches(repository: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns holds it; * is anything within a part."""
    return any(
        re.fullmatch("[^/]*".join(map(re.escape, pattern.split("*"))), repository)
        for pattern in patterns
    )


def request_headers(
    headers: Iterable[Header], request: GitRequest, limit: int
) -> list[Header]:
    """Return what goes on beside the token; raise Refused if they are unclear."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value.strip())
    _check_framing(found, limit)
    passed = [
        (name, found[name][0])
        for name, form in _REQUEST_HEADERS.items()
        if len(found.get(name, ())) == 1 and form.fullmatch(found[name][0])
    ]
    if request.advertises or b"transfer-encoding" in found:
        passed = [header for header in passed if header[0] != b"content-length"]
    if not request.advertises:
        kind = f"application/x-{request.service}-request".encode()
        if found.get(b"content-type") != [kind]:
            raise Refused(415, KIND, f"The body is not of type {kind.decode()}.")
        passed.append((b"content-type", kind))
    return passed


def _check_framing(found: Mapping[bytes, list[bytes]], limit: int) -> None:
    lengths = found.get(b"content-length", [])
    if len(lengths) > 1 or (lengths and b"transfer-encoding" in found):
        raise Refused(400, KIND, "The request says in two ways where it ends.")
    encodings = found.get(b"content-encoding", [])
    if len(encodings) > 1 or not set(encodings) <= _ENCODINGS:
        raise Refused(415, KIND, "The body is packed in a way that does not pass.")
    if lengths and (not lengths[0].isdigit() or int(lengths[0][:16]) > limit):
        raise too_large(limit)


def too_large(limit: int) -> Refused:
    """Return the refusal of what is larger than allowed."""
    reason = f"The request is larger than {limit} bytes. Push fewer commits at once."
    return Refused(413, KIND, reason)


def response_headers(headers: Iterable[Header], request: GitRequest) -> list[Header]:
    """Return what goes back to the agent."""
    lowered = ((name.lower(), value) for name, value in headers)
    passed = [header for header in lowered if header[0] in _RESPONSE_HEADERS]
    return [*passed, (b"content-type", request.content_type.encode())]
