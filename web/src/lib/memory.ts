/** What the page keeps in the browser: the conversation's key, unsent messages, the chosen type size. No answers. */

import { isObject, objects, text } from "./parse";
import type { ConversationKey } from "./types";

const CONVERSATION = "hotline.conversation";
const OUTBOX = "hotline.outbox";
const ELDERLY = "hotline.elderly";

export interface OutgoingMessage {
  clientMessageId: string;
  text: string;
  /** What the citizen sees: a button's title where ``text`` is its payload. */
  shown: string;
}

export interface Memory {
  conversation(): ConversationKey | null;
  keepConversation(key: ConversationKey | null): void;
  outbox(): OutgoingMessage[];
  keepOutbox(messages: OutgoingMessage[]): void;
  elderly(): boolean;
  keepElderly(on: boolean): void;
}

function read(storage: Storage, name: string): unknown {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    return null; // storage is switched off, or holds what another version wrote
  }
}

function write(storage: Storage, name: string, value: unknown): void {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, JSON.stringify(value));
  } catch {
    console.warn(`浏览器不让保存 ${name}，刷新后要重新开始。`);
  }
}

/** ``lasting`` outlives the browser; ``passing`` lives as long as the tab, so two tabs never send the same message. */
export function browserMemory(lasting: Storage, passing: Storage): Memory {
  return {
    conversation() {
      const raw = read(lasting, CONVERSATION);
      if (!isObject(raw) || !text(raw.id) || !text(raw.token)) return null;
      return { id: text(raw.id), token: text(raw.token) };
    },
    keepConversation: (key) => write(lasting, CONVERSATION, key && { id: key.id, token: key.token }),
    outbox: () =>
      objects(read(passing, OUTBOX))
        .map((raw) => ({
          clientMessageId: text(raw.clientMessageId),
          text: text(raw.text),
          shown: text(raw.shown),
        }))
        .filter((message) => message.clientMessageId !== "" && message.text !== ""),
    keepOutbox: (messages) => write(passing, OUTBOX, messages.length ? messages : null),
    elderly: () => read(lasting, ELDERLY) === true,
    keepElderly: (on) => write(lasting, ELDERLY, on ? true : null),
  };
}
