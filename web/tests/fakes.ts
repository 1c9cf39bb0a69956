/** Scripted stand-ins for the browser's socket and the gateway. */

import type { HotlineApi } from "../src/lib/api";
import type { ConnectionStatus, EventStreamHandlers } from "../src/lib/eventStream";
import { browserMemory, type Memory } from "../src/lib/memory";
import type { EventFrame, Reply } from "../src/lib/types";

export class FakeSocket {
  static made: FakeSocket[] = [];
  readyState: number = WebSocket.CONNECTING;
  binaryType = "blob";
  bufferedAmount = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.made.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  accept(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  receive(data: unknown): void {
    this.onmessage?.({ data: data instanceof ArrayBuffer || typeof data === "string" ? data : JSON.stringify(data) });
  }

  drop(code = 1006): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code });
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    if (this.readyState !== WebSocket.CLOSED) this.drop(1000);
  }

  get texts(): Record<string, unknown>[] {
    return this.sent.filter((data) => typeof data === "string").map((data) => JSON.parse(data as string));
  }
}

export const asSocket = (socket: FakeSocket): WebSocket => socket as unknown as WebSocket;

export function reply(text: string, rest: Partial<Reply> = {}): Reply {
  return { text, buttons: [], card: null, sources: [], ...rest };
}

class MapStorage implements Storage {
  private readonly entries = new Map<string, string>();

  get length(): number {
    return this.entries.size;
  }

  clear = (): void => this.entries.clear();
  getItem = (name: string): string | null => this.entries.get(name) ?? null;
  key = (at: number): string | null => [...this.entries.keys()][at] ?? null;
  removeItem = (name: string): void => void this.entries.delete(name);
  setItem = (name: string, value: string): void => void this.entries.set(name, value);
}

export function freshMemory(): Memory {
  return browserMemory(new MapStorage(), new MapStorage());
}

/** The event stream as the test's own hand. */
export class FakeStream {
  started = false;
  stopped = false;

  constructor(readonly handlers: EventStreamHandlers) {}

  start(): void {
    this.started = true;
    this.status("connected");
  }

  stop(): void {
    this.stopped = true;
  }

  frame(frame: EventFrame): void {
    this.handlers.onFrame(frame);
  }

  status(status: ConnectionStatus): void {
    this.handlers.onStatus(status);
  }
}

export interface Sent {
  text: string;
  id: string;
}

/** A gateway that answers every message; each field can be replaced by a test. */
export function fakeApi(sent: Sent[]): HotlineApi {
  return {
    createConversation: async () => ({ id: "c1", token: "secret", replies: [reply("您好")] }),
    sendMessage: async (_key, text, id) => {
      sent.push({ text, id });
      return { turnId: `t-${id}`, state: "bot", replies: [reply(`答：${text}`)] };
    },
    history: async () => ({ turns: [], state: "bot" }),
    rate: async () => undefined,
    recallConsent: async (_key, agreed, phone) => ({ agreed, contact: agreed ? phone.replace(/^(\d{3})\d{4}/, "$1****") : "" }),
  };
}
