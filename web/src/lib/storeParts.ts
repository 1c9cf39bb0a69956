/** What a conversation is given from outside: real in the page, scripted in tests. */

import type { HotlineApi } from "./api";
import type { EventStreamHandlers } from "./eventStream";
import type { Memory } from "./memory";
import type { ConversationKey } from "./types";

export interface Stream {
  start(): void;
  stop(): void;
}

export interface StoreParts {
  api: HotlineApi;
  memory: Memory;
  openStream(key: ConversationKey, handlers: EventStreamHandlers): Stream;
  newId(): string;
}
