# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how the containers of a deployment run."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options of every module that reads or makes containers."""

    DOCUMENTATION = r"""
options:
  services:
    description:
      - How the containers of each component run, by the name of the component, such as
        C(control), C(gateway), C(agent) or C(redis).
      - There is one container for each agent of the component C(agent), and one for
        each other component. What one agent has different stands in
        O(agents[].service).
      - C(image) is a tag, a digest or an id. C(command) and C(entrypoint) are lists;
        what is left out must be the image's.
      - C(environment) maps names to values that are no secrets. A value with a newline
        is refused, any other reaches the process as it is.
      - C(networks) is a list of names; each becomes the network
        C(agentkeep-<deployment>-<name>). An empty list means no network at all.
      - C(ports) is a list of C(host), C(published) and C(target).
      - C(health) has C(command) (a list) or C(shell), C(interval_seconds),
        C(timeout_seconds), C(retries), C(start_period_seconds) and
        C(start_interval_seconds).
      - C(restart) is V(no), V(always), V(unless-stopped) or V(on-failure) with an
        optional C(:count); the default is V(unless-stopped), and V(no) for a lazy
        agent.
      - C(stop_grace_seconds) is how long running work may take to end before the
        container is killed.
      - C(read_only) (default V(true)), C(capabilities) (default none),
        C(no_new_privileges) (default V(true)) and C(init) harden the container.
      - C(memory_bytes), C(cpus), C(max_tasks), C(log_bytes) and C(log_files) limit it.
      - C(temporary) is a list of C(target), C(bytes), C(exec) and C(mode) of
        directories in memory.
      - C(working_directory) is where the process starts. C(config_directory) is where
        the Claude CLI keeps its configuration in the container; its C(projects) must be
        writable.
      - C(mount_options) are given to its directories, such as V(z) or V(Z) for a host
        with SELinux; they are no drift.
      - C(needs) lists the components that must be healthy before it starts.
      - C(stop_order) sorts containers that are stopped, lower ones first.
      - C(find) says how to find containers that another program makes, by C(labels) (a
        mapping) or C(name) (a pattern with C(*)); it is used with O(managed=false).
        C({agent}), C({deployment}) and the agent's C(names) are filled in.
    type: dict
    default: {}
  secret_environment:
    description:
      - Variables of the environment whose values are secrets, by the name of the
        component or of one container (such as C(agent-main)); that of the container
        wins.
      - The values lie in C(<root>/environment/<container>.env) with mode 0600, one
        C(NAME=value) a line. Other lines of that file, comments and their order are
        kept, but only what is declared here reaches the container.
    type: dict
    default: {}
  files:
    description:
      - The files that belong into the directories of the inventory.
      - The containers that mount the entry are made anew when one of its files with
        the policy V(replace) or V(generate) changes, unless the file is C(live).
    type: list
    elements: dict
    default: []
    suboptions:
      entry:
        description: The entry of the inventory that holds the file.
        type: str
        required: true
      agent:
        description: The agent whose directory it is; every agent's if left out.
        type: str
      name:
        description: The path of the file below the entry.
        type: str
        required: true
      content:
        description: What the file holds; not used with the policy V(generate).
        type: str
      policy:
        description:
          - V(replace) keeps the file as declared.
          - V(keep) writes it only if there is none, so that what others make of it
            stays.
          - V(generate) writes a random token once and keeps it.
        type: str
        choices: [replace, keep, generate]
        default: replace
      length:
        description: The number of characters of a generated token; at least 22.
        type: int
        default: 43
      renew:
        description: Whether a generated token is replaced by a new one in this run.
        type: bool
        default: false
      live:
        description:
          - Whether its users read the file again when it changes. It is then replaced
            at once and whole, and no container is made anew for it, so that what runs
            goes on.
          - What it holds is no part of a release. C(state=previous) leaves it as it is;
            a run that fails puts it back.
        type: bool
        default: false
      owner:
        description:
          - Who owns the file, as in the inventory (V(agent), V(root), a component or
            C("uid:gid")); the owner of the entry if left out.
        type: str
      group:
        description: Whose group it has; that of the entry if left out.
        type: str
      mode:
        description: Its mode, in quotes.
        type: str
        default: "0640"
      generated:
        description:
          - A file with the policy V(generate), as C(entry/name). Its token takes the
            place of C({generated}) in the content, so that a server and its client
            have the same password, which never passes through the play.
        type: str
  legacy:
    description:
      - What earlier systems used and what took its place.
      - C(environment) maps names of variables, C(targets) maps paths in containers, to
        the words that name the replacement.
      - Each that is still found, in O(services), in an environment file or in a running
        container, gives one warning. A value is never shown.
    type: dict
    default: {}
    suboptions:
      environment:
        description: Variables that are gone.
        type: dict
        default: {}
      targets:
        description: Mounts that are gone, by their path in the container.
        type: dict
        default: {}
  legacy_refused:
    description: Whether something of O(legacy) that is still declared is an error.
    type: bool
    default: false
  engine_wait_seconds:
    description: How long to wait for an engine that does not answer yet.
    type: int
    default: 0
"""
