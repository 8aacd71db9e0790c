# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One version, galaxy.yml's, wherever it is repeated."""

from __future__ import annotations

import tomllib

import yaml
from working_tree import ROOT

import agentd


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


VERSION: str = yaml.safe_load(read("galaxy.yml"))["version"]


def test_service_has_the_version_of_the_collection() -> None:
    package = tomllib.loads(read("service/pyproject.toml"))

    assert package["project"]["version"] == VERSION
    assert agentd.__version__ == VERSION


def test_roles_default_to_the_image_of_this_version() -> None:
    image = yaml.safe_load(read("roles/image/defaults/main.yml"))
    deployment = yaml.safe_load(read("roles/deployment/defaults/main.yml"))

    assert image["image_tag"] == VERSION
    assert deployment["deployment_image"] == f"{image['image_name']}:{VERSION}"


def test_changelog_holds_every_fragment() -> None:
    changelog = yaml.safe_load(read("changelogs/changelog.yaml"))
    fragments = {path.name for path in (ROOT / "changelogs/fragments").glob("*.yml")}

    released = {
        fragment
        for release in changelog["releases"].values()
        for fragment in release["fragments"]
    }

    assert VERSION in changelog["releases"]
    assert fragments == released, "Run `nox -s changelog`."


def test_service_and_root_agree_on_the_oldest_python() -> None:
    service = tomllib.loads(read("service/pyproject.toml"))
    root = tomllib.loads(read("pyproject.toml"))

    oldest = service["project"]["requires-python"].removeprefix(">=")

    assert root["tool"]["mypy"]["python_version"] == oldest
    assert root["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
