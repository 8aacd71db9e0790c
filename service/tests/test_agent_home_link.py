# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""E03, E04, E05: $HOME/.claude leads to what is kept, and nothing there is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from boots import boot_process, settings_in, tree

from agentd.agent.directories import BootFailed
from agentd.agent.home_link import adopt_state_file, link_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory of its own."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The directory that is kept."""
    (tmp_path / "memory" / ".claude").mkdir(parents=True)
    return tmp_path / "memory" / ".claude"


def test_no_link_is_made_when_it_is_the_same_place(config: Path) -> None:
    """E03."""
    assert link_home(config.parent, config) == []

    assert not config.is_symlink()


def test_the_link_is_made_once(home: Path, config: Path) -> None:
    """E03."""
    for _boot in range(5):
        assert link_home(home, config) == []

    assert os.readlink(home / ".claude") == str(config)
    assert os.listdir(home) == [".claude"]
    assert os.listdir(config) == []


def test_a_home_that_is_not_there_is_made(tmp_path: Path, config: Path) -> None:
    link_home(tmp_path / "new", config)

    assert (tmp_path / "new" / ".claude").resolve() == config


def test_a_link_that_leads_elsewhere_is_replaced_and_its_target_left(
    home: Path, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("x")
    (home / ".claude").symlink_to(tmp_path / "other")

    link_home(home, config)

    assert (home / ".claude").resolve() == config
    assert (tmp_path / "other" / "file").read_text() == "x"
    assert os.listdir(tmp_path / "other") == ["file"]


def test_a_dangling_link_is_replaced(home: Path, config: Path) -> None:
    (home / ".claude").symlink_to("nowhere")

    link_home(home, config)

    assert (home / ".claude").resolve() == config


def test_a_directory_with_content_is_merged(home: Path, config: Path) -> None:
    """E04."""
    old = home / ".claude"
    (old / "projects" / "-a").mkdir(parents=True)
    (old / "projects" / "-a" / "one.jsonl").write_text("old session")
    (old / "projects" / "-a" / "loop").symlink_to(old)
    (config / "projects" / "-a").mkdir(parents=True)
    (config / "projects" / "-a" / "two.jsonl").write_text("new session")

    assert link_home(home, config) == []

    assert (config / "projects" / "-a" / "one.jsonl").read_text() == "old session"
    assert (config / "projects" / "-a" / "two.jsonl").read_text() == "new session"
    assert (config / "projects" / "-a" / "loop").is_symlink()
    assert old.is_symlink()


def test_what_both_have_is_kept_on_both_sides(home: Path, config: Path) -> None:
    """E04."""
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text("{1}")
    (home / ".claude" / "extra").write_text("x")
    (config / "settings.json").write_text("{2}")

    [warning] = link_home(home, config)

    kept = home / ".claude.kept-1"
    assert str(kept) in warning
    assert (kept / "settings.json").read_text() == "{1}"
    assert (config / "settings.json").read_text() == "{2}"
    assert (config / "extra").read_text() == "x"
    assert link_home(home, config) == []


@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_what_is_no_directory_is_kept_beside(
    home: Path, config: Path, kind: str
) -> None:
    """E04."""
    if kind == "file":
        (home / ".claude").write_text("mine")
    else:
        os.mkfifo(home / ".claude")

    [warning] = link_home(home, config)

    assert f"{home}/.claude.kept-1" in warning
    assert (home / ".claude").resolve() == config


def test_hostile_content_is_merged_or_left_and_never_waited_for(
    home: Path, config: Path
) -> None:
    """E04."""
    old = home / ".claude"
    deep_old, deep_new = old, config
    for _level in range(70):
        deep_old, deep_new = deep_old / "d", deep_new / "d"
    deep_old.mkdir(parents=True)
    deep_new.mkdir(parents=True)
    (deep_old / "leaf").write_text("x")
    os.mkfifo(old / "pipe")
    (config / "pipe").write_text("mine")
    (old / "self").symlink_to("self")

    link_home(home, config)

    assert (home / ".claude").resolve() == config
    assert (config / "pipe").read_text() == "mine"
    assert (config / "self").is_symlink()
    leaves = [path for path in tree(home.parent) if path.endswith("/leaf")]
    assert len(leaves) == 1


def test_a_home_that_cannot_be_made_is_refused_with_the_setting(
    tmp_path: Path, config: Path
) -> None:
    with pytest.raises(BootFailed, match="home_directory"):
        link_home(tmp_path / "none" / "home", config)


def test_a_state_file_of_the_home_is_adopted_once(home: Path, config: Path) -> None:
    """E05."""
    (home / ".claude.json").write_text('{"userID": "old"}')

    assert adopt_state_file(home, config) == []
    (home / ".claude.json").write_text('{"userID": "newer"}')
    assert adopt_state_file(home, config) == []

    assert (config / ".claude.json").read_text() == '{"userID": "old"}'
    assert (home / ".claude.json").read_text() == '{"userID": "newer"}'


def test_a_state_file_moves_from_one_device_to_another(config: Path) -> None:
    """E05."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == config.stat().st_dev:
        pytest.skip("needs /dev/shm, on another device")
    home = shm / f"agentkeep-{os.getpid()}"
    home.mkdir()
    try:
        (home / ".claude.json").write_text("{}")
        (home / ".claude" / "projects" / "-a").mkdir(parents=True)
        (home / ".claude" / "projects" / "-a" / "one.jsonl").write_text("x")
        (home / ".claude" / "link").symlink_to("projects")

        assert adopt_state_file(home, config) == []
        assert link_home(home, config) == []

        assert sorted(tree(home)) == [".claude"]
        assert (config / ".claude.json").read_text() == "{}"
        assert (config / "projects" / "-a" / "one.jsonl").read_text() == "x"
        assert os.readlink(config / "link") == "projects"
    finally:
        (home / ".claude").unlink()
        home.rmdir()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_mount_at_the_links_place_is_refused_and_left(
    home: Path, config: Path, kind: str
) -> None:
    """E04: also a bind mount of the same device, which no device number shows."""
    place = home / ".claude"
    place.mkdir()
    source = "-t tmpfs none" if kind == "tmpfs" else f"--bind {home.parent}"
    settings = settings_in(home.parent, home_directory=str(home))

    finished = boot_process(settings, prepare=f"mount {source} {place}")

    assert finished.returncode == 1
    assert f"{place} to {config}: it is a mount point" in finished.stderr
    assert place.is_dir() and not place.is_symlink()


def test_a_configuration_inside_of_the_link_s_place_is_refused(home: Path) -> None:
    """E04: to make room for the link would move the sessions themselves away."""
    config = home / ".claude" / "state"
    (config / "projects").mkdir(parents=True)
    before = tree(home)

    with pytest.raises(BootFailed, match="Set config_directory"):
        link_home(home, config)

    assert tree(home) == before


def test_what_has_the_name_of_the_draft_does_not_end_every_boot(
    home: Path, config: Path
) -> None:
    """E04: in a home that the agent writes, it may be anything."""
    (home / ".claude.agentkeep-link").mkdir()
    (home / ".claude.agentkeep-link" / "note").write_text("mine")

    assert link_home(home, config) == []

    kept = home / ".claude.agentkeep-link.kept-1" / "note"
    assert kept.read_text() == "mine"
    assert (home / ".claude").resolve() == config


def test_a_directory_that_nobody_may_read_is_merged_all_the_same(
    home: Path, config: Path
) -> None:
    """E04: its owner may take and give that right."""
    (home / ".claude").mkdir()
    (home / ".claude" / "note").write_text("mine")
    (home / ".claude").chmod(0)

    link_home(home, config)

    assert (config / "note").read_text() == "mine"


def test_a_link_to_a_directory_above_the_configuration_is_replaced(
    home: Path, config: Path
) -> None:
    """E04."""
    (home / ".claude").symlink_to(config.parent)

    assert link_home(home, config) == []

    assert (home / ".claude").resolve() == config
