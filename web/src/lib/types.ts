/** The gateway's contract as the page sees it (docs/interfaces.md). */

export type ConversationState = "bot" | "queued" | "agent" | "closed";

export interface ReplyButton {
  title: string;
  payload: string;
}

export interface Source {
  item_code: string;
  field: string;
  version: string;
}

export interface CardRow {
  label: string;
  value: string;
}

export interface CardStep {
  name: string;
  at: string | null;
  done: boolean;
}

export interface Card {
  kind: string;
  title: string;
  rows: CardRow[];
  steps: CardStep[];
}

export interface Reply {
  text: string;
  buttons: ReplyButton[];
  card: Card | null;
  sources: Source[];
}

export interface ConversationKey {
  id: string;
  token: string;
}

export interface StartedConversation extends ConversationKey {
  replies: Reply[];
}

export interface TurnAnswer {
  turnId: string;
  state: ConversationState;
  replies: Reply[];
}

export interface HistoryTurn {
  turnId: string;
  seq: number;
  text: string | null;
  replies: Reply[];
}

export interface History {
  turns: HistoryTurn[];
  state: ConversationState;
}

/** Whether the citizen wants a call where an answer is put right later; ``contact`` is masked, empty: none left. */
export interface RecallConsent {
  agreed: boolean | null;
  contact: string;
}

export type EventFrame =
  | { type: "reply"; seq: number; turnId: string | null; text: string | null; reply: Reply }
  | { type: "agent_message"; seq: number; text: string }
  | { type: "state"; seq: number; state: ConversationState }
  | { type: "queue"; seq: number; position: number }
  | { type: "typing"; seq: number }
  | { type: "recall_consent"; seq: number; agreed: boolean; contact: string };
