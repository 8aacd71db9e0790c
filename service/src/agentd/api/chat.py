# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""POST /chat, and the conversations that came of it."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from agentd.api.bodies import (
    AnswerBody,
    ChatBody,
    ConversationBody,
    ConversationsBody,
    MessageBody,
    MessagesBody,
)
from agentd.api.errors import refusals
from agentd.api.state import Service, ServiceDep
from agentd.api.stream import Wanted, answer_body, stream_turn
from agentd.api.times import iso
from agentd.conversations.values import Ask
from agentd.database.conversations import (
    RUNNING,
    Conversation,
    Message,
    get_conversation,
    list_conversations,
    list_messages,
)
from agentd.database.interrupted import INTERRUPTED
from agentd.errors import ConversationUnknown

router = APIRouter(tags=["chat"])

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31, description="How many to leave out first.")
]
Id = Annotated[str, Path(max_length=64, description="The conversation's id.")]


@router.post(
    "/chat",
    response_model=AnswerBody,
    responses={
        200: {
            "description": "The answer, or its events if the body asks to stream.",
            "content": {"text/event-stream": {}},
        },
        **refusals(400, 401, 404, 409, 413, 503, 507),
    },
)
async def say(body: ChatBody, service: ServiceDep) -> AnswerBody | Response:
    """Say a message to an agent and return its answer.

    The turn goes on to its end and is stored when the caller goes away.
    """
    if not body.message.strip():
        raise HTTPException(400, "The message is empty. Say something.")
    turn = await service.turns.begin(_ask(body))
    if body.stream:
        wanted = Wanted(thinking=body.thinking, tool_use=body.show_tool_use)
        return StreamingResponse(
            stream_turn(turn, wanted),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    turn.feed.forget()
    return answer_body(await turn.answer())


@router.get("/chat", responses=refusals(400, 401, 503))
async def list_all(
    service: ServiceDep, limit: Limit = 1000, offset: Offset = 0
) -> ConversationsBody:
    """Return the conversations, the latest first."""
    async with service.database.read() as connection:
        found = await list_conversations(connection, limit=limit, offset=offset)
    return ConversationsBody(conversations=[_body(one, service) for one in found])


@router.get("/chat/{conversation_id}", responses=refusals(401, 404, 503))
async def get_one(conversation_id: Id, service: ServiceDep) -> ConversationBody:
    """Return one conversation."""
    return _body(await _find(conversation_id, service), service)


@router.get("/chat/{conversation_id}/messages", responses=refusals(400, 401, 404, 503))
async def get_messages(
    conversation_id: Id, service: ServiceDep, limit: Limit = 1000, offset: Offset = 0
) -> MessagesBody:
    """Return what was said in a conversation, in that order.

    Long messages are fewer than asked for, so that an answer stays bounded.
    """
    conversation = await _find(conversation_id, service)
    async with service.database.read() as connection:
        found = await list_messages(
            connection, conversation_id, limit=limit, offset=offset
        )
    messages = [_message(one, conversation.agent) for one in found]
    more = conversation.message_count > offset + len(messages)
    return MessagesBody(conversation_id=conversation_id, messages=messages, more=more)


@router.delete(
    "/chat/{conversation_id}",
    status_code=204,
    response_class=Response,
    responses=refusals(401, 404, 409, 503),
)
async def remove(conversation_id: Id, service: ServiceDep) -> Response:
    """Remove a conversation with its messages, and close its live client."""
    await service.turns.resting.remove(conversation_id)
    return Response(status_code=204)


def _ask(body: ChatBody) -> Ask:
    return Ask(
        message=body.message,
        conversation_id=body.conversation_id,
        agent=body.agent,
        sender=body.sender,
        sender_name=body.sender_name,
        model=body.model,
        thinking_tokens=body.max_thinking_tokens if body.thinking else None,
        max_execution_ms=body.max_execution_ms,
        repository=body.repository,
        issue=body.issue,
        branch=body.branch,
        message_if_resumed=body.message_if_resumed,
        resume_at=body.resume_at,
        definition=body.definition,
        mcp_servers_json=None
        if not body.mcp_servers
        else json.dumps(body.mcp_servers, sort_keys=True, separators=(",", ":")),
    )


def _message(message: Message, agent: str) -> MessageBody:
    by_user = message.role == "user"
    sender = message.sender or ("user" if by_user else "assistant")
    return MessageBody(
        id=message.id,
        conversation_id=message.conversation_id,
        role="user" if by_user else "assistant",
        sender=sender,
        sender_name=message.sender_name or (sender if by_user else agent),
        content=message.content,
        status=message.status,
        created_at=iso(message.created_at),
        persisted=message.persisted,
        last_message_uuid=message.last_message_uuid,
    )


async def _find(conversation_id: str, service: Service) -> Conversation:
    async with service.database.read() as connection:
        found = await get_conversation(connection, conversation_id)
    if found is None:
        raise ConversationUnknown(f'Conversation "{conversation_id}" does not exist.')
    return found


def _body(conversation: Conversation, service: Service) -> ConversationBody:
    return ConversationBody(
        id=conversation.id,
        conversation_id=conversation.id,
        agent=conversation.agent,
        repository=conversation.repository,
        issue=conversation.issue,
        branch=conversation.branch,
        definition=conversation.definition,
        status="running" if _is_running(conversation, service) else "idle",
        session_id=conversation.session_id,
        durable=conversation.durable,
        created_at=iso(conversation.created_at),
        last_activity=iso(conversation.last_activity),
        message_count=conversation.message_count,
        live=service.engine.live(conversation.id) is not None,
    )


def _is_running(conversation: Conversation, service: Service) -> bool:
    # Of an interrupted turn only its agent knows whether it still runs.
    state = service.spawner.states().get(conversation.agent)
    connected = state is not None and state.connected
    return conversation.status == RUNNING or (
        conversation.status == INTERRUPTED and connected
    )
