/** The conversation's event socket: comes back by itself, from the last event it has seen. */

import { backoffMs } from "./backoff";
import { parseEventFrame } from "./parse";
import type { ConversationKey, EventFrame } from "./types";

export type ConnectionStatus = "connecting" | "connected" | "reconnecting" | "offline";

export interface EventStreamHandlers {
  onFrame(frame: EventFrame): void;
  onStatus(status: ConnectionStatus): void;
  /** The gateway does not accept this conversation's token any more; the stream has stopped. */
  onRefused(): void;
}

/** After so many tries in vain the citizen is told 离线; the stream goes on trying. */
const TRIES_BEFORE_OFFLINE = 3;
/** RFC 6455 policy violation, and the application codes for 401, 403 and 404. */
const REFUSED_CODES: readonly number[] = [1008, 4401, 4403, 4404];

export function eventsUrl(key: ConversationKey, after: number, origin: string): string {
  const base = origin.replace(/^http/, "ws");
  const query = new URLSearchParams({ token: key.token, after: String(after) });
  return `${base}/api/v1/conversations/${encodeURIComponent(key.id)}/events?${query}`;
}

export class EventStream {
  lastSeq = 0;
  unreadable = 0;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private failures = 0;
  private everConnected = false;
  private stopped = false;
  private readonly seen = new Set<string>();

  constructor(
    private readonly key: ConversationKey,
    private readonly handlers: EventStreamHandlers,
    private readonly open: (url: string) => WebSocket = (url) => new WebSocket(url),
    private readonly origin: string = window.location.origin,
  ) {}

  start(): void {
    window.addEventListener("online", this.comeBackNow);
    window.addEventListener("offline", this.networkGone);
    document.addEventListener("visibilitychange", this.whenVisible);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener("online", this.comeBackNow);
    window.removeEventListener("offline", this.networkGone);
    document.removeEventListener("visibilitychange", this.whenVisible);
    this.clearTimer();
    this.dropSocket();
  }

  private connect(): void {
    if (this.stopped) return;
    this.clearTimer();
    if (this.failures === 0) this.handlers.onStatus(this.everConnected ? "reconnecting" : "connecting");
    const socket = this.open(eventsUrl(this.key, this.lastSeq, this.origin));
    this.socket = socket;
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.failures = 0;
      this.everConnected = true;
      this.handlers.onStatus("connected");
    };
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(message.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code);
    };
  }

  private receive(data: unknown): void {
    const frame = parseEventFrame(data);
    if (frame === null) {
      this.unreadable += 1;
      return;
    }
    if (frame.seq > 0) {
      const fingerprint = JSON.stringify(frame);
      if (this.seen.has(fingerprint)) return;
      this.seen.add(fingerprint);
      this.lastSeq = Math.max(this.lastSeq, frame.seq);
    }
    this.handlers.onFrame(frame);
  }

  private closed(code: number): void {
    this.socket = null;
    if (this.stopped) return;
    if (REFUSED_CODES.includes(code)) {
      this.stop();
      this.handlers.onStatus("offline");
      this.handlers.onRefused();
      return;
    }
    this.failures += 1;
    const away = !navigator.onLine || this.failures > TRIES_BEFORE_OFFLINE;
    this.handlers.onStatus(away ? "offline" : "reconnecting");
    this.clearTimer();
    this.timer = setTimeout(() => this.connect(), backoffMs(this.failures - 1));
  }

  private readonly comeBackNow = (): void => {
    if (this.stopped || this.socket?.readyState === WebSocket.OPEN) return;
    this.dropSocket();
    this.failures = 0;
    this.connect();
  };

  private readonly networkGone = (): void => {
    this.handlers.onStatus("offline");
    this.dropSocket(); // the browser may keep a dead socket open for minutes
    this.clearTimer();
    this.timer = setTimeout(() => this.connect(), backoffMs(TRIES_BEFORE_OFFLINE));
    this.failures = TRIES_BEFORE_OFFLINE + 1;
  };

  private readonly whenVisible = (): void => {
    // A phone that slept has a stale timer: look at once when the citizen looks.
    if (document.visibilityState === "visible" && this.socket === null) this.comeBackNow();
  };

  private dropSocket(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
