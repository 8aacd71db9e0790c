# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mounts of an operator, decided by the allowlist as it is now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from .._errors import MountRefused
from .._state.deployment import Deployment
from .allowlist import LIMIT_BYTES, Allowlist, Malformed, Root
from .guarded import Guarded, is_within, loose
from .host import FoundPath, Host, HostFacts
from .mount import EffectiveMount, RefusedMount
from .request import OperatorOptions
from .rules import Rules


@dataclass(frozen=True)
class OperatorMounts:
    """Hold what an operator gets, what not, and what to warn of."""

    mounts: tuple[EffectiveMount, ...] = ()
    refused: tuple[RefusedMount, ...] = ()
    warnings: tuple[str, ...] = ()
    allowlist: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Read:
    """Hold the allowlist as it was read, or why it cannot be used."""

    found: FoundPath
    allowlist: Allowlist = field(default_factory=Allowlist)
    roots: tuple[tuple[Root, str], ...] = ()
    missing: tuple[str, ...] = ()
    unusable: str = ""


def operator_mounts(
    params: Mapping[str, Any], deployment: Deployment, host: Host
) -> OperatorMounts:
    """Given a module's options, return the operator's mounts; raise MountRefused.

    The allowlist is read anew at each call (C02). A refused mount is an error unless
    operator_mounts_refused is skip; then it is a warning (C14).
    """
    options = OperatorOptions.from_params(params, deployment)
    facts = host.facts()
    read = _read(options.allowlist_file, host, facts)
    real = {
        path: host.resolve(path).resolved
        for path in (deployment.data_root, options.engine_socket)
    }
    rules = _rules(options, deployment, read, facts, real)
    mounts, refused, files = [], [], []
    for request in options.requests:
        found = host.resolve(request.source)
        decided = rules.decide(request, found)
        if isinstance(decided, RefusedMount):
            refused.append(decided)
            continue
        mounts.append(decided)
        if found.kind == "file":
            files.append(decided)
    if refused and options.strict:
        raise _error(refused[0])
    return OperatorMounts(
        mounts=tuple(mounts),
        refused=tuple(refused),
        warnings=(
            *(str(_error(one)) for one in refused),
            *_of_files(files),
            *_of_roots(options, read, mounts),
        ),
        allowlist=rules.guarded.allowlist,
    )


def _rules(
    options: OperatorOptions,
    deployment: Deployment,
    read: _Read,
    facts: HostFacts,
    real: Mapping[str, str],
) -> Rules:
    identities = (
        *deployment.components.values(),
        *(agent.identity for agent in deployment.agents),
    )
    on_host = [deployment.host_ids(one) for one in identities]
    root, socket = deployment.data_root, options.engine_socket
    paths = {options.allowlist_file, read.found.resolved}
    if is_within(read.found.resolved, real[root]):
        # Sources of the inventory are written with the data root as it is declared.
        paths.add(root + read.found.resolved[len(real[root]) :])
    return Rules(
        guarded=Guarded(
            data_roots=(root, real[root]),
            allowlist=tuple(sorted(path for path in paths if path)),
            engine_sockets=(socket, real[socket]),
            facts=facts,
        ),
        allowlist=read.allowlist,
        unusable=read.unusable,
        roots=read.roots,
        allow_sensitive=options.allow_sensitive,
        uids=frozenset(one.uid for one in on_host),
        gids=frozenset(one.gid for one in on_host),
    )


def _read(path: str, host: Host, facts: HostFacts) -> _Read:
    found = host.resolve(path)
    if not found.exists and not found.fault:
        return _Read(found, unusable=f'there is no allowlist at "{path}"')
    fault = found.fault or loose(found, facts.user)
    if found.kind != "file":
        fault = fault or "it is no file"
    if fault:
        return _Read(found, unusable=f'the allowlist "{path}" cannot be used: {fault}')
    try:
        allowlist = Allowlist.from_text(host.read(found.resolved, LIMIT_BYTES))
    except (Malformed, OSError, ValueError) as error:
        return _Read(found, unusable=f'the allowlist "{path}" cannot be used: {error}')
    roots, missing = [], []
    for root in allowlist.roots:
        at = host.resolve(root.path)
        if at.exists and not at.fault:
            roots.append((root, at.resolved))
        else:
            missing.append(root.path)
    return _Read(found, allowlist, tuple(roots), tuple(missing))


def _error(refused: RefusedMount) -> MountRefused:
    return MountRefused(
        f'Cannot mount "{refused.source}" into {refused.agent or refused.component}',
        refused.reason,
        refused.remedy,
    )


def _of_files(mounts: list[EffectiveMount]) -> Iterator[str]:
    for mount in mounts:
        yield (
            f'"{mount.source}" is a single file: a container keeps the old one when it '
            "is replaced. Mount its directory instead."
        )


def _of_roots(
    options: OperatorOptions, read: _Read, mounts: list[EffectiveMount]
) -> Iterator[str]:
    if read.unusable and read.found.exists and not options.requests:
        yield f"No operator mount is allowed: {read.unusable}."
    for path in read.missing:
        yield f'The allowed root "{path}" does not exist and is left out.'
    used = {mount.root for mount in mounts}
    for root, path in read.roots:
        if path not in used:
            yield (
                f'The allowed root "{root.path}" is used by no mount: allowing mounts '
                "nothing, operator_mounts does."
            )
