/** Reads what the gateway sends. A missing optional field gets its default; a frame that is not ours is null. */

import type { Card, ConversationState, EventFrame, Reply } from "./types";

type Json = Record<string, unknown>;

const STATES: readonly string[] = ["bot", "queued", "agent", "closed"];

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}

export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function parseState(value: unknown): ConversationState {
  return typeof value === "string" && STATES.includes(value) ? (value as ConversationState) : "bot";
}

function parseCard(value: unknown): Card | null {
  if (!isObject(value)) return null;
  const card: Card = {
    kind: text(value.kind),
    title: text(value.title),
    rows: objects(value.rows)
      .map((row) => ({
        label: text(row.label),
        value: Array.isArray(row.value) ? row.value.map(text).join("\n") : text(row.value),
      }))
      .filter((row) => row.value !== ""),
    steps: objects(value.steps).map((step) => ({
      name: text(step.name),
      at: text(step.at) || null,
      done: step.done === true,
    })),
  };
  return card.title || card.rows.length || card.steps.length ? card : null;
}

export function parseReply(value: unknown): Reply {
  const raw = isObject(value) ? value : {};
  return {
    text: text(raw.text),
    buttons: objects(raw.buttons)
      .map((button) => ({ title: text(button.title), payload: text(button.payload) }))
      .filter((button) => button.title !== "" && button.payload !== ""),
    card: parseCard(raw.card),
    sources: objects(raw.sources).map((source) => ({
      item_code: text(source.item_code),
      field: text(source.field),
      version: text(source.version),
    })),
  };
}

export function parseReplies(value: unknown): Reply[] {
  return objects(value).map(parseReply);
}

/** One frame of the event socket, or null where the text is no frame this page knows. */
export function parseEventFrame(data: unknown): EventFrame | null {
  if (typeof data !== "string") return null;
  let raw: unknown;
  try {
    raw = JSON.parse(data);
  } catch {
    return null; // not JSON: the stream counts it as unreadable
  }
  if (!isObject(raw)) return null;
  const seq = typeof raw.seq === "number" ? raw.seq : 0;
  switch (raw.type) {
    case "reply":
      return {
        type: "reply",
        seq,
        turnId: text(raw.turn_id) || null,
        text: text(raw.text) || null,
        reply: parseReply(raw.reply ?? raw),
      };
    case "agent_message":
      return { type: "agent_message", seq, text: text(raw.text) };
    case "state":
      return { type: "state", seq, state: parseState(raw.state) };
    case "queue":
      return { type: "queue", seq, position: Number(raw.position) || 0 };
    case "typing":
      return { type: "typing", seq };
    case "recall_consent":
      return { type: "recall_consent", seq, agreed: raw.agreed === true, contact: text(raw.contact) };
    default:
      return null;
  }
}
