/** What the page shows, in order. Each turn is shown once, whichever way its answer came. */

import type { HistoryTurn, Reply } from "./types";

export interface Turn {
  kind: "turn";
  key: string;
  order: number;
  turnId: string | null;
  /** The citizen's words as shown; null for the greeting. */
  text: string | null;
  status: "sending" | "sent" | "failed";
  /** A sentence for the citizen about what went wrong with this turn. */
  problem: string | null;
  /** Sending it again may help. */
  canRetry: boolean;
  replies: Reply[];
}

export interface AgentLine {
  kind: "agent";
  key: string;
  order: number;
  text: string;
}

export type TimelineItem = Turn | AgentLine;

function sameReply(a: Reply, b: Reply): boolean {
  return a.text === b.text && JSON.stringify(a.card) === JSON.stringify(b.card);
}

export class Timeline {
  items: TimelineItem[] = [];
  private highest = 0;
  private made = 0;

  get turns(): Turn[] {
    return this.items.filter((item): item is Turn => item.kind === "turn");
  }

  /** Something was told that names its sources: it may have to be put right one day. */
  get cites(): boolean {
    return this.turns.some((turn) => turn.replies.some((reply) => reply.sources.length > 0));
  }

  clear(): void {
    this.items = [];
    this.highest = 0;
  }

  /** The greeting that came with a new conversation: its turn id is learnt from the events. */
  greet(replies: Reply[]): void {
    if (replies.length) this.insert(this.newTurn({ status: "sent", replies }));
  }

  load(history: HistoryTurn[]): void {
    for (const item of history) {
      if (this.find(item.turnId)) continue;
      const text = this.shown(item.text);
      this.insert(this.newTurn({ turnId: item.turnId, text, status: "sent", replies: item.replies }, item.seq));
    }
  }

  /** A message of this page that is on its way. */
  begin(clientMessageId: string, text: string): Turn {
    const turn = this.newTurn({ text, status: "sending" });
    turn.key = clientMessageId;
    this.insert(turn);
    return this.byKey(clientMessageId) ?? turn;
  }

  /** The answer to a message of this page. */
  settle(key: string, turnId: string, replies: Reply[]): Turn | null {
    const turn = this.byKey(key);
    const known = this.find(turnId);
    if (known && turn && known !== turn) {
      // Shown already (history or events): the message had arrived although its answer was lost.
      this.items = this.items.filter((item) => item.key !== key);
    }
    const target = known ?? turn;
    if (!target) return null;
    const later = target.replies.filter((old) => !replies.some((reply) => sameReply(old, reply)));
    Object.assign(target, { turnId, status: "sent", problem: null, canRetry: false });
    target.replies = [...replies, ...later];
    return target;
  }

  fail(key: string, problem: string, canRetry: boolean): void {
    const turn = this.byKey(key);
    if (turn) Object.assign(turn, { status: "failed", problem, canRetry });
  }

  /** A reply from the events: new, or one that is shown already. */
  pushReply(seq: number, turnId: string | null, text: string | null, reply: Reply): void {
    let turn = this.find(turnId) ?? this.adopt(turnId, text, reply);
    if (!turn) {
      turn = this.newTurn({ turnId, text: this.shown(text), status: "sent" }, seq);
      this.insert(turn);
      turn = this.byKey(turn.key) ?? turn;
    }
    if (!turn.replies.some((old) => sameReply(old, reply))) turn.replies.push(reply);
    this.highest = Math.max(this.highest, seq);
  }

  pushAgentLine(seq: number, text: string): void {
    const key = `agent-${seq}`;
    if (this.items.some((item) => item.key === key)) return;
    this.insert({ kind: "agent", key, order: seq || this.nextOrder(), text });
    this.highest = Math.max(this.highest, seq);
  }

  knows(turnId: string | null): boolean {
    return this.find(turnId) !== null;
  }

  private adopt(turnId: string | null, text: string | null, reply: Reply): Turn | null {
    const orphan = this.turns.find(
      (turn) =>
        turn.turnId === null &&
        (text === null
          ? turn.text === null && turn.replies.some((old) => sameReply(old, reply))
          : turn.status === "failed" && turn.text === this.shown(text)),
    );
    if (!orphan) return null;
    Object.assign(orphan, { turnId, status: "sent", problem: null, canRetry: false });
    return orphan;
  }

  /** A tapped button is recorded as its payload; people read its title. */
  private shown(text: string | null): string | null {
    if (text === null) return null;
    for (const turn of [...this.turns].reverse()) {
      for (const reply of turn.replies) {
        const button = reply.buttons.find((candidate) => candidate.payload === text);
        if (button) return button.title;
      }
    }
    return text;
  }

  private find(turnId: string | null): Turn | null {
    if (turnId === null) return null;
    return this.turns.find((turn) => turn.turnId === turnId) ?? null;
  }

  private byKey(key: string): Turn | null {
    return this.turns.find((turn) => turn.key === key) ?? null;
  }

  private newTurn(given: Partial<Turn>, seq = 0): Turn {
    this.highest = Math.max(this.highest, seq);
    this.made += 1;
    return {
      kind: "turn",
      key: `turn-${this.made}`,
      order: seq || this.nextOrder(),
      turnId: null,
      text: null,
      status: "sent",
      problem: null,
      canRetry: false,
      replies: [],
      ...given,
    };
  }

  /** Behind everything seen so far, before the next event of the gateway. */
  private nextOrder(): number {
    const last = this.items.at(-1)?.order ?? 0;
    return Math.max(this.highest, last) + 0.0001;
  }

  private insert(item: TimelineItem): void {
    const at = this.items.findIndex((other) => other.order > item.order);
    if (at < 0) this.items.push(item);
    else this.items.splice(at, 0, item);
  }
}
