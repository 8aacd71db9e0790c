# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The checks, each runnable alone: `nox -s lint`, `nox -s unit -- -k inventory`.

No session makes an environment of its own: they all use the one that holds nox, which
`make test` fills from requirements/dev.txt. Why: CONTRIBUTING.md, "The checks".
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
COLLECTIONS = ROOT / "collections"
BUILD = ROOT / "build"
CHANGELOG = ROOT / "CHANGELOG.md"
GENERATORS = (
    "tools/role_readme.py",
    "tools/module_reference.py",
    "tools/settings_reference.py",
)
# The tools beside the running interpreter, also where .venv is not activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

nox.needs_version = ">=2026.1"
nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False
nox.options.sessions = [
    "lint",
    "types",
    "unit",
    "service",
    "dashboard",
    "contract",
    "docs",
    "build",
    "sanity",
    "molecule",
    "integration",
]
# Scenarios on one host: each leaves it as it was, but for the last one.
SHARED_HOST = ("purge_guard", "drift")
SHARED_HOST_LONG = ("another_uid", "two_deployments", "many_agents", "workdirs")


def link_collection(session: nox.Session) -> dict[str, str]:
    """Return the environment in which Ansible finds this checkout."""
    session.run("python", "tools/link_collection.py", silent=True)
    return {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}


def install_service(session: nox.Session) -> None:
    """Install the service in place, with what it depends on today."""
    python = ("--python", sys.executable)
    session.run("uv", "pip", "install", "--quiet", *python, "-e", "service")


@nox.session
def lint(session: nox.Session) -> None:
    """Style of Python, YAML, playbooks and roles, licences and changelog fragments."""
    environment = link_collection(session)
    session.run("ruff", "check", *(session.posargs or ["."]))
    session.run("ruff", "format", "--check", *(session.posargs or ["."]))
    session.run("yamllint", "--strict", ".")
    session.run("reuse", "lint", "--lines")
    session.run("antsibull-changelog", "lint")
    session.run("ansible-lint", "--offline", env=environment)


@nox.session
def types(session: nox.Session) -> None:
    """Types of the plugins, the service, the tools and the tests, all strict."""
    install_service(session)
    link_collection(session)
    session.run("mypy", "-p", "ansible_collections.agentkeep.agents.plugins")
    session.run("mypy", "-p", "agentd")
    session.run("mypy", "noxfile.py", "tools", "tests")
    session.run("mypy", "service/tests")


@nox.session
def unit(session: nox.Session) -> None:
    """The plugins' decisions and their runs, without an engine."""
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session
def service(session: nox.Session) -> None:
    """The service's own tests, with the real Claude CLI and the offline model."""
    install_service(session)
    session.run("tools/servers", external=True)
    # Most of these tests wait for processes: four at a time take two processors.
    beside = ("-n", "4", "--dist", "loadfile", "--ignore", "tests/browser")
    with session.chdir("service"):
        session.run("pytest", *beside, *session.posargs)


@nox.session
def dashboard(session: nox.Session) -> None:
    """The dashboard in Debian's chromium, with axe; pictures in build/pictures."""
    install_service(session)
    session.run("tools/browser", external=True)
    with session.chdir("service"):
        session.run("pytest", *(session.posargs or ["tests/browser"]))


@nox.session
def kills(session: nox.Session) -> None:
    """200 processes killed below a load of conversations; nothing may be lost."""
    install_service(session)
    session.run("python", "tests/benchmarks/kills.py", *session.posargs)


@nox.session
def task_faults(session: nox.Session) -> None:
    """Workers killed, servers restarted, lost and cut off below a load of tasks."""
    install_service(session)
    session.run("tools/servers", external=True)
    session.run("python", "tests/benchmarks/task_faults.py", *session.posargs)


@nox.session
def work_faults(session: nox.Session) -> None:
    """Agents on twenty branches for ten minutes, with closing, sweeps and kills."""
    install_service(session)
    session.run("tools/servers", external=True)
    session.run("python", "tests/benchmarks/work_faults.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """The HTTP API, fuzzed from its OpenAPI document for two minutes."""
    install_service(session)
    arguments = session.posargs or ["--fuzz-seconds", "120"]
    with session.chdir("service"):
        session.run("pytest", "tests/fuzz", *arguments)


@nox.session
def contract(session: nox.Session) -> None:
    """What two parts of the repository promise each other."""
    install_service(session)
    session.run("pytest", "-n", "2", "tests/contract", *session.posargs)


@nox.session
def sanity(session: nox.Session) -> None:
    """Ansible's own tests for collections, without ignore files."""
    session.run("python", "tools/sanity.py", *session.posargs)


def stories(session: nox.Session, *scenarios: str) -> None:
    """Run scenarios one after the other; those that share a host destroy it last."""
    environment = {
        **link_collection(session),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_HOME": str(ROOT / ".ansible"),
    }
    try:
        for scenario in scenarios:
            session.run("molecule", "test", "-s", scenario, env=environment)
    finally:
        if {*scenarios} & {*SHARED_HOST, *SHARED_HOST_LONG}:
            destroy = ("molecule", "destroy", "-s", SHARED_HOST[0])
            session.run(*destroy, env=environment, success_codes=range(256))


@nox.session
def molecule(session: nox.Session) -> None:
    """A bare host to a conversation that survives; drift, and what must be safe."""
    stories(session, *(session.posargs or ("default", *SHARED_HOST)))


@nox.session
def molecule_long(session: nox.Session) -> None:
    """Other uids, two deployments, many agents, user namespaces, servers; by name."""
    stories(session, *(session.posargs or (*SHARED_HOST_LONG, "userns_remap", "grown")))


@nox.session
def integration(session: nox.Session) -> None:
    """The real stack on this machine's engine: isolation, other uids, bad input."""
    install_service(session)
    session.run("tools/servers", external=True)
    environment = link_collection(session)
    timed = ("--durations=10", "--durations-min=10")
    session.run(
        "pytest", "tests/integration", *timed, *session.posargs, env=environment
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Reference pages build, generated tables and the changelog are up to date."""
    environment = link_collection(session)
    for generator in GENERATORS:
        session.run("python", generator, "--check")
    before = CHANGELOG.read_text(encoding="utf-8")
    session.run("antsibull-changelog", "generate")
    if CHANGELOG.read_text(encoding="utf-8") != before:
        session.error("CHANGELOG.md was not generated. It is now: commit it.")
    session.run(
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--skip-rstcheck",
        str(COLLECTIONS / "ansible_collections" / "agentkeep" / "agents"),
        env=environment,
    )


@nox.session
def reference(session: nox.Session) -> None:
    """Write the tables of the roles' READMEs and docs/modules.md."""
    for generator in GENERATORS:
        session.run("python", generator)


@nox.session
def changelog(session: nox.Session) -> None:
    """Write the fragments into CHANGELOG.md, under the version of galaxy.yml."""
    release = ("release", "--update-existing", "--reload-plugins")
    session.run("antsibull-changelog", *release, *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """The artifact builds and holds what it should."""
    output = ("--force", "--output-path", str(BUILD))
    session.run("ansible-galaxy", "collection", "build", *output)
    session.run("python", "tools/artifact.py", str(BUILD))


@nox.session
def bench(session: nox.Session) -> None:
    """The figures of design section 7, written to tests/benchmarks/records."""
    install_service(session)
    session.run("tools/servers", external=True)
    environment = link_collection(session)
    session.run("python", "tests/benchmarks/run.py", *session.posargs, env=environment)
