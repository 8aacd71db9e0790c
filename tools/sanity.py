# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Run ansible-test sanity on a clean copy of the working tree.

ansible-test refuses linked paths and tests whatever lies in the directory, so it gets a
copy of the files that git knows or would add, at a path of the shape that it demands.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from working_tree import ROOT, working_tree

HOME = ROOT / ".nox" / "sanity-home"

# What get-pip.py does, from what every Python carries. ansible-test downloads the
# original from a host that a machine behind a firewall cannot reach.
GET_PIP = """\
import runpy
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
sys.argv = ["pip", "install"] + [a for a in sys.argv[1:] if not a.startswith("--no-")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def copy_to(target: Path) -> None:
    """Copy the working tree below target."""
    for name in working_tree():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)


def prepare_home() -> None:
    """Give ansible-test a home of its own with pip's settings and its bootstrap."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{pip_version()}.py").write_text(GET_PIP, encoding="utf-8")
    settings = configparser.RawConfigParser()
    places = (".pip/pip.conf", ".config/pip/pip.conf")
    settings.read(Path.home() / place for place in places)
    if not settings.has_section("global"):
        settings.add_section("global")
    for variable, value in os.environ.items():
        if variable.startswith("PIP_") and variable != "PIP_CONFIG_FILE":
            option = variable.removeprefix("PIP_").lower().replace("_", "-")
            settings.set("global", option, value)
    (HOME / ".config" / "pip").mkdir(parents=True, exist_ok=True)
    with (HOME / ".config" / "pip" / "pip.conf").open("w", encoding="utf-8") as file:
        settings.write(file)


def pip_version() -> str:
    """Return the pip version that ansible-test wants, as it writes it in file names."""
    spec = find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "Cannot run sanity: ansible-test is not installed. Run `make test` once, or"
            " install requirements/dev.txt."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    requirements = package / "_internal" / "python_requirements.py"
    found = re.search(r"\bpip='([0-9.]+)'", requirements.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(
            f'Cannot run sanity: "{requirements}" names no pip version. Install the'
            " ansible-core that requirements/controller.txt asks for."
        )
    return found.group(1).replace(".", "_")


def main(arguments: list[str]) -> int:
    """Run the sanity tests with the given further arguments; return the status."""
    prepare_home()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    with TemporaryDirectory(prefix="agentkeep-sanity-") as scratch:
        collection = Path(scratch) / "ansible_collections" / "agentkeep" / "agents"
        copy_to(collection)
        command = ["ansible-test", "sanity", "--local", "--python", python, "--color"]
        environment = {**os.environ, "HOME": str(HOME)}
        return subprocess.run(
            [*command, "yes" if sys.stdout.isatty() else "no", *arguments],
            cwd=collection,
            env=environment,
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
