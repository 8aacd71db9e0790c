# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies that tell of definitions, skills and settings of webhooks."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agentd.api.times import iso
from agentd.definitions.check import text_of
from agentd.definitions.values import Content, Entry

Tier = Literal["uploaded", "built-in"]
Text = Annotated[str, StringConstraints(max_length=20_000_000)]


class FileBody(BaseModel):
    """One file of a definition or of a skill."""

    path: str
    bytes: int
    executable: bool


class EntryBody(BaseModel):
    """A definition or a skill."""

    name: str
    tier: Tier = Field(description="Whether it was uploaded, or came with the image.")
    description: str | None = Field(description="What its main file says that it is.")
    files: int = Field(description="How many files it has.")
    bytes: int
    updated_at: str = Field(description="When a file of it changed last, in ISO 8601.")
    hides_built_in: bool = Field(
        description="Whether one of that name came with the image, and is not used."
    )
    problem: str | None = Field(
        default=None, description="Why it cannot be read, or null."
    )


class DetailBody(EntryBody):
    """A definition or a skill with the files that it has."""

    paths: list[FileBody]


class ChangedBody(DetailBody):
    """What is there after an upload or a change, and who has it."""

    warnings: list[str] = Field(
        default_factory=list, description="What is odd about it."
    )
    reloaded: dict[str, str | None] = Field(
        default_factory=dict,
        description="The agents whose skills were synced anew, with what hindered it.",
    )


class DefinitionsAnswer(BaseModel):
    """The definitions that are there."""

    agents: list[EntryBody]


class SkillsListAnswer(BaseModel):
    """The skills that all agents have, beside those of the organisation."""

    skills: list[EntryBody]


class ContentBody(BaseModel):
    """What one file holds: as a text, or in base64 if it is none."""

    name: str
    tier: Tier
    path: str
    content: str | None
    base64: str | None = None
    executable: bool


class PutContentBody(BaseModel):
    """What a file is to hold."""

    model_config = ConfigDict(extra="forbid")

    content: Text | None = Field(default=None, description="A text.")
    base64: Text | None = Field(default=None, description="Anything, in base64.")
    executable: bool = Field(default=False, description="Whether it is a program.")

    @model_validator(mode="after")
    def _has_one(self) -> PutContentBody:
        if (self.content is None) == (self.base64 is None):
            raise ValueError("Send content or base64, and not both.")
        return self


class WebhookBody(BaseModel):
    """The settings of webhooks of one forge or tracker, secrets masked."""

    name: str
    settings: dict[str, Any]


class WebhooksAnswer(BaseModel):
    """Which settings of webhooks are there."""

    webhooks: list[str]


def entry_body(entry: Entry) -> EntryBody:
    """Return what is told of one."""
    return EntryBody(**_told(entry))


def detail_body(entry: Entry) -> DetailBody:
    """Return what is told of one, with its files."""
    return DetailBody(**detail_of(entry))


def content_body(name: str, tier: str, path: str, content: Content) -> ContentBody:
    """Return what a file holds."""
    text = text_of(content)
    encoded = None
    if text is None:
        encoded = base64.b64encode(content.data).decode("ascii")
    return ContentBody.model_validate(
        {
            "name": name,
            "tier": tier,
            "path": path,
            "content": text,
            "base64": encoded,
            "executable": content.runs,
        }
    )


def detail_of(entry: Entry) -> dict[str, Any]:
    """Return what is told of one with its files, by field."""
    paths = [
        FileBody(path=file.path, bytes=file.bytes, executable=file.runs)
        for file in entry.files
    ]
    return {**_told(entry), "paths": paths}


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "tier": entry.tier,
        "description": entry.description,
        "files": len(entry.files),
        "bytes": entry.bytes,
        "updated_at": iso(entry.updated_at),
        "hides_built_in": entry.hides_built_in,
        "problem": entry.problem,
    }
