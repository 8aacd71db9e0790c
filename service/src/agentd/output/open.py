# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which output a control has: that of its Redis, or its own."""

from __future__ import annotations

from agentd.clock import Clock
from agentd.output.in_process import InProcessOutput
from agentd.output.protocol import Output
from agentd.settings import ControlSettings, read_secret


def output_of(settings: ControlSettings, clock: Clock) -> Output:
    """Return the output of a control; it is started when it is entered."""
    if settings.redis_url_file is None:
        return InProcessOutput(settings.output_ttl_seconds, clock)
    # Whoever has no Redis does not carry its client.
    from agentd.output.redis_streams import RedisOutput

    url = read_secret(settings.redis_url_file, "redis_url_file")
    return RedisOutput(url, settings, clock)
