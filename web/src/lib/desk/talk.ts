/** One conversation as the agent reads it: the picture, and the lines as they come. */

import { text } from "../parse";
import type { Line, Picture } from "./types";

const WHO: Record<string, Line["who"]> = {
  citizen_message: "citizen",
  reply: "bot",
  agent_message: "agent",
  agent_note: "agent",
};
/** As desk/takeover.py: nothing to read in them. ``transcript`` comes again as ``citizen_message``. */
const UNSEEN: readonly string[] = ["speech", "queue", "transcript"];

export function lineOf(event: Record<string, unknown>): Line | null {
  const type = text(event.type);
  if (UNSEEN.includes(type)) return null;
  const data = (event.data ?? {}) as Record<string, unknown>;
  return { seq: Number(event.seq), at: text(event.at), who: WHO[type] ?? "house", type, text: text(data.text), data };
}

/** ``lines`` with ``line`` in its place; the same line again changes nothing. */
export function withLine(lines: Line[], line: Line): Line[] {
  if (lines.some((each) => each.seq === line.seq)) return lines;
  const at = lines.findIndex((each) => each.seq > line.seq);
  return at < 0 ? [...lines, line] : [...lines.slice(0, at), line, ...lines.slice(at)];
}

export function lastSaid(lines: readonly Line[], who?: Line["who"]): Line | null {
  return [...lines].reverse().find((line) => (who ? line.who === who : line.who !== "house") && line.text) ?? null;
}

/**
 * The id under which an answer is sent: the same words to the same last line make the same id, so that a second
 * tab, or a second press while the first is on its way, adds nothing.
 */
export function answerId(lines: readonly Line[], words: string): string {
  let hash = 0x811c9dc5;
  for (const sign of words) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return `desk-${lastSaid(lines)?.seq ?? 0}-${words.length}-${hash.toString(16)}`;
}

/** Seconds that an offer still has, by the gateway's clock; ``aheadMs`` is how far that is ahead of ours. */
export function secondsLeft(expiresAt: string, aheadMs: number, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(expiresAt) - (now + aheadMs)) / 1000));
}

/** What can be told the bot at the hand-back: names and values that are filled in. */
export function taught(slots: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(slots).filter(([, value]) => value.trim()).map(([k, v]) => [k, v.trim()]));
}

/** The town as far as somebody has told it; ``fields`` are those read from the whole talk. */
export function knownTown(picture: Picture, fields: Record<string, string> = {}): string {
  return fields.town || text(picture.slots.town) || picture.entry?.town || "";
}
