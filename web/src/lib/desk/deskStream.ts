/** The desk's event socket: comes back by itself and goes on after the last event it has seen, in the
 * desk's own trail and in every conversation that is watched. An open socket is the agent's being there. */

import { backoffMs } from "../backoff";
import { isObject } from "../parse";
import type { DeskFrame } from "./types";

export interface DeskStreamHandlers {
  onFrame(frame: DeskFrame): void;
  onStatus(connected: boolean): void;
  /** The session is over, or the role does not fit; the stream has stopped. */
  onRefused(): void;
}

const REFUSED_CODES: readonly number[] = [1008, 4401, 4403];
const FRAME_TYPES: readonly string[] = ["hello", "queue", "offer", "agent", "callback", "alert", "invite", "conversation", "error", "pong"];
/** A dead line is noticed when no answer to a ping has come by the next one. */
const PING_EVERY_MS = 20_000;

export class DeskStream {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private pinging: ReturnType<typeof setInterval> | null = null;
  private heard = true;
  private failures = 0;
  private running = false;
  private readonly watched = new Map<string, number>();

  constructor(
    private after: number,
    private readonly handlers: DeskStreamHandlers,
    private readonly open: (url: string) => WebSocket = (url) => new WebSocket(url),
    private readonly origin: string = window.location.origin,
  ) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    window.addEventListener("online", this.comeBackNow);
    this.connect();
  }

  stop(): void {
    this.running = false;
    window.removeEventListener("online", this.comeBackNow);
    this.drop();
    this.handlers.onStatus(false);
  }

  /** Follows a conversation's events after ``seq``, over reconnections too. */
  watch(conversationId: string, seq: number): void {
    this.watched.set(conversationId, seq);
    this.send({ type: "watch", conversation_id: conversationId, after: seq });
  }

  unwatch(conversationId: string): void {
    if (this.watched.delete(conversationId)) this.send({ type: "unwatch", conversation_id: conversationId });
  }

  typing(conversationId: string): void {
    this.send({ type: "typing", conversation_id: conversationId });
  }

  private send(frame: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private connect(): void {
    const socket = this.open(`${this.origin.replace(/^http/, "ws")}/api/v1/desk/events?after=${this.after}`);
    this.socket = socket;
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(message.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code);
    };
  }

  private receive(data: unknown): void {
    this.heard = true;
    const frame = parsed(data);
    if (!frame) return;
    if (frame.type === "hello") this.settled();
    else if (frame.type === "conversation") {
      const seq = Number(frame.event.seq);
      const last = this.watched.get(frame.conversation_id);
      if (last === undefined || seq <= last) return; // let go of, or seen
      this.watched.set(frame.conversation_id, seq);
    } else if ("seq" in frame) {
      if (frame.seq <= this.after) return;
      this.after = frame.seq;
    }
    this.handlers.onFrame(frame);
  }

  private settled(): void {
    this.failures = 0;
    for (const [id, seq] of this.watched) this.send({ type: "watch", conversation_id: id, after: seq });
    this.pinging = setInterval(() => {
      if (!this.heard) return this.comeBackNow();
      this.heard = false;
      this.send({ type: "ping" });
    }, PING_EVERY_MS);
    this.handlers.onStatus(true);
  }

  private closed(code: number): void {
    this.drop();
    this.handlers.onStatus(false);
    if (!this.running) return;
    if (REFUSED_CODES.includes(code)) {
      this.stop();
      return this.handlers.onRefused();
    }
    this.timer = setTimeout(() => this.connect(), backoffMs(this.failures));
    this.failures += 1;
  }

  private readonly comeBackNow = (): void => {
    if (!this.running) return;
    this.drop();
    this.handlers.onStatus(false);
    this.connect();
  };

  private drop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.pinging !== null) clearInterval(this.pinging);
    this.timer = this.pinging = null;
    this.heard = true;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

function parsed(data: unknown): DeskFrame | null {
  try {
    const value: unknown = JSON.parse(String(data));
    return isObject(value) && FRAME_TYPES.includes(String(value.type)) ? (value as unknown as DeskFrame) : null;
  } catch {
    return null;
  }
}
