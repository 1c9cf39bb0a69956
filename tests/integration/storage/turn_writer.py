"""Stores turns for ever and prints each one's id once stored; test_store_sql kills it."""

import asyncio
import sys
from datetime import UTC, datetime

from hotline.messages import Channel, CitizenMessage, Reply
from storage.engine import make_engine
from storage.ports import NewConversation, TurnOutcome
from storage.rules import hash_token
from storage.sql import SqlStore


async def main(database_url: str) -> None:
    store = SqlStore(make_engine(database_url))
    now = datetime.now(UTC)
    new = NewConversation(conversation_id="c1", channel=Channel.WEB, token_hash=hash_token("s"), at=now)
    await store.create_conversation(new)
    number = 0
    while True:
        number += 1
        turn_id = f"t{number}"
        message = CitizenMessage(conversation_id="c1", turn_id=turn_id, channel=Channel.WEB, text="你好")
        await store.begin_turn(message, "你好", now)
        print(f"begun {turn_id}", flush=True)
        await store.finish_turn(turn_id, TurnOutcome(replies=[Reply(text=f"第{number}答")]), now)
        print(f"finished {turn_id}", flush=True)


asyncio.run(main(sys.argv[1]))
