/** The desk's records as the gateway sends them (docs/interfaces.md, 坐席工作台). Times are ISO 8601. */

export type AgentState = "offline" | "ready" | "ringing" | "busy" | "after_call" | "paused";

export interface Entry {
  entry_id: string;
  conversation_id: string;
  channel: string;
  state: "waiting" | "offered" | "serving";
  reason: string;
  urgency: string;
  area: string;
  town: string;
  dialect: string;
  queued_at: string;
  agent: string | null;
  served_at: string | null;
}

export interface Waiting extends Entry {
  position: number;
  /** Seconds, by the gateway's clock, when the answer was made. */
  waited_s: number;
}

export interface Agent {
  username: string;
  display_name: string;
  state: AgentState;
  since: string;
}

/** A colleague asks one onto a call. */
export interface Invitation {
  seq: number;
  conversationId: string;
  callId: string;
  by: string;
}

export interface Offer {
  offer_id: string;
  conversation_id: string;
  agent: string;
  state: string;
  offered_at: string;
  expires_at: string;
  assigned_by: string | null;
}

export interface Queue {
  waiting: Waiting[];
  serving: Entry[];
  agents: Agent[];
  offers: Offer[];
  callbacks: number;
  /** How many conversations one agent may hold. */
  most: number;
  /** Why the queue does not move by itself at present. */
  fault: string;
  /** Names of service areas by key. */
  areas?: Record<string, string>;
  seq: number;
}

export interface Line {
  seq: number;
  at: string;
  who: "citizen" | "bot" | "agent" | "house";
  type: string;
  text: string;
  data: Record<string, unknown>;
}

export interface Earlier {
  conversation_id: string;
  channel: string;
  at: string;
  services: string[];
  unanswered: number;
  notes: string[];
  rating: number | null;
}

export interface Picture {
  conversation_id: string;
  channel: string;
  state: string;
  started_at: string;
  seq: number;
  entry: Entry | null;
  transcript: Line[];
  service: { key: string; name: string } | null;
  aspect: string | null;
  slots: Record<string, unknown>;
  slots_known: boolean;
  identity: string;
  mood: { mood: string; name: string; because: string[] };
  summary: { text: string };
  earlier: Earlier[];
  call_id: string | null;
}

export interface Passage {
  item_key: string;
  item_name: string;
  aspect: string;
  score: number;
  reply: { text: string };
}

export interface Assist {
  text: string;
  passages: Passage[];
  fields: Record<string, string>;
}

export interface Template {
  key: string;
  title: string;
  when: string;
  text: string;
}

export interface Warning {
  code: string;
  level: "stop" | "think";
  sentence: string;
}

export interface NumberRead {
  name: string;
  value: string;
  valid: boolean;
  spoken: string;
}

export interface Callback {
  callback_id: string;
  conversation_id: string;
  channel: string;
  state: "open" | "claimed" | "reached" | "given_up";
  reason: string;
  contact_shown: string;
  created_at: string;
  agent: string | null;
  attempts: number;
  note: string;
  has_contact: boolean;
}

/** One frame of ``WS /api/v1/desk/events``. */
export type DeskFrame =
  | { type: "hello"; seq: number; username: string; state: AgentState | null }
  | { type: "queue" | "offer" | "agent" | "callback" | "alert" | "invite"; seq: number; at: string; conversation_id: string | null; agent: string | null; data: Record<string, unknown> }
  | { type: "conversation"; conversation_id: string; event: Record<string, unknown> }
  | { type: "error"; code: string; detail: string }
  | { type: "pong" };
