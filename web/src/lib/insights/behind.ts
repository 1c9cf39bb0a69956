/** The conversations behind a figure, and one of them as it is read. */
import { bucketWords, WEEKDAYS } from "./figures";
import { CHANNEL_NAMES, type Look, pathOf } from "./look";

export interface Conversation {
  conversation_id: string;
  channel: string;
  town: string;
  area: string;
  department: string;
  started_at: string;
  ended_at: string;
  handoff_reason?: string | null;
  agent?: string | null;
  rating?: number | null;
  score?: number | null;
  agreed_callback?: boolean;
}

export const PAGE = 20;
export const REASONS: Record<string, string> = { asked: "市民要人工", not_understood: "没听懂", emergency: "紧急", part_down: "部件停用", other: "其他原因" };

/** Which part of a figure's conversations: ``town:狮山镇``, ``hour_of_week:34``, ``bucket:20261125``, ``topic:3``, ``alert:7``, ``agent:坐席03``. */
export function narrowed(narrow: string): { kind: string; value: string } {
  const at = narrow.indexOf(":");
  return at < 0 ? { kind: "", value: "" } : { kind: narrow.slice(0, at), value: narrow.slice(at + 1) };
}

/** The days that a bucket (hour, day or month) covers. */
export function daysOf(bucket: string): { from: string; to: string } {
  const day = (digits: string): string => `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
  if (bucket.length >= 8) return { from: day(bucket), to: day(bucket) };
  const [year, month] = [Number(bucket.slice(0, 4)), Number(bucket.slice(4, 6))];
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { from: day(`${bucket}01`), to: day(`${bucket}${last}`) };
}

const FILTERED = ["town", "channel", "area", "department"];

/** Where the conversations are asked for. ``measure`` is the figure's; empty: all of them. */
export function behindPath(look: Look, measure: string, offset: number): string {
  const { kind, value } = narrowed(look.narrow);
  const page = { limit: PAGE + 1, offset };
  if (kind === "alert") return `/api/v1/insights/alerts/${encodeURIComponent(value)}/conversations?${new URLSearchParams({ limit: String(page.limit), offset: String(offset) })}`;
  const more = measure ? { measure, ...page } : page;
  if (kind === "bucket") {
    const days = daysOf(value);
    // The first and the last month of a span may stand for a part of it only.
    const within = { from: days.from < look.from ? look.from : days.from, to: days.to > look.to ? look.to : days.to };
    return pathOf("conversations", { ...look, ...within }, more);
  }
  if (FILTERED.includes(kind)) return pathOf("conversations", { ...look, [kind]: value }, more);
  if (kind === "topic") return pathOf("conversations", look, { topic_id: value, ...page });
  if (kind) return pathOf("conversations", look, { ...more, [kind]: value });
  return pathOf("conversations", look, more);
}

export function narrowWords(narrow: string, areaName: (key: string) => string): string {
  const { kind, value } = narrowed(narrow);
  switch (kind) {
    case "bucket":
      return bucketWords(Number(value));
    case "hour_of_week":
      return `${WEEKDAYS[Math.floor(Number(value) / 24)] ?? ""} ${Number(value) % 24} 时`;
    case "channel":
      return CHANNEL_NAMES[value] ?? value;
    case "area":
      return areaName(value);
    case "topic":
    case "alert":
      return "";
    default:
      return value;
  }
}

/** Foshan time: 2026-11-25 13:05. */
export function timeWords(iso: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "" : new Date(at + 8 * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
}

export function lengthWords(row: Conversation): string {
  const seconds = Math.max(0, Math.round((Date.parse(row.ended_at) - Date.parse(row.started_at)) / 1000));
  return seconds >= 60 ? `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒` : `${seconds} 秒`;
}

/** What is worth knowing of a conversation before it is opened. */
export function marks(row: Conversation): string[] {
  return [
    ...(row.handoff_reason ? [`转人工：${REASONS[row.handoff_reason] ?? row.handoff_reason}`] : []),
    ...(row.rating ? [`评价 ${row.rating} 分`] : []),
    ...(row.agreed_callback ? ["同意回电"] : []),
    ...(row.score !== null && row.score !== undefined && row.score < 100 ? [`质检 ${Math.round(row.score)} 分`] : []),
  ];
}

export type Speaker = "citizen" | "bot" | "agent" | "house";

export interface Line {
  seq: number;
  at: string;
  who: Speaker;
  type: string;
  text: string;
  data: Record<string, unknown>;
}

export interface Opened {
  conversation_id: string;
  channel: string;
  started_at: string;
  rating: number | null;
  transcript: Line[];
  /** By the rules as code; for managers only. */
  score?: number | null;
  broken?: Array<{ rule: string; title: string; turn_id?: string | null; detail?: string }>;
}

const STATES: Record<string, string> = { bot: "机器人接待", queued: "开始排队", agent: "人工接待", closed: "对话结束" };
const STEPS: Record<string, string> = { took: "接起了对话", returned: "交回了机器人", replaced: "接管了对话", requeued: "转回了队列", closed: "结束了对话" };

/** Who said it and what is read; null where there is nothing to read. */
export function spoken(line: Line): { who: Speaker; name: string; words: string; sources: number } | null {
  const word = (key: string): string => (typeof line.data[key] === "string" || typeof line.data[key] === "number" ? String(line.data[key]) : "");
  const { who } = line;
  const name = { citizen: "市民", bot: "机器人", agent: word("agent") || "坐席", house: "" }[who] + (line.type === "agent_note" ? "（交接说明）" : "");
  const sources = Array.isArray(line.data.sources) ? line.data.sources.length : 0;
  const told = (): string => {
    if (who !== "house") return line.text;
    switch (line.type) {
      case "conversation_started":
        return word("greeting") ? `开头语：${word("greeting")}` : "对话开始";
      case "state":
        return STATES[word("state")] ?? "";
      case "handling":
        return `${word("agent")} ${STEPS[word("what")] ?? ""}`.trim();
      case "alert":
        return "认出紧急情况";
      case "rating":
        return `市民评价 ${word("score")} 分${word("comment") ? `：${word("comment")}` : ""}`;
      case "call_ended":
        return "电话挂断";
      case "part_down":
        return "有一个部件停用";
      case "transcript":
        return ""; // what was heard on the telephone follows as the citizen's message
      default:
        return line.text;
    }
  };
  const words = told();
  return words ? { who, name, words, sources } : null;
}
