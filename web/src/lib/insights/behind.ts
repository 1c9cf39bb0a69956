/** The conversations behind a figure, as rows of a table. */
import { CHANNEL_NAMES } from "./look";

export interface Conversation {
  conversation_id: string;
  channel: string;
  town: string;
  area: string;
  department: string;
  started_at: string;
  ended_at: string;
  handoff_reason?: string;
  rating?: number | null;
}

export const PAGE = 50;

/** Foshan time: 2026-11-25 13:05. */
export function timeWords(iso: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "" : new Date(at + 8 * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
}

export function lengthWords(row: Conversation): string {
  const seconds = Math.max(0, Math.round((Date.parse(row.ended_at) - Date.parse(row.started_at)) / 1000));
  return seconds >= 60 ? `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒` : `${seconds} 秒`;
}

export function cells(row: Conversation, areaName: (key: string) => string): string[] {
  return [
    timeWords(row.started_at), lengthWords(row), CHANNEL_NAMES[row.channel] ?? row.channel, row.town || "不明",
    row.area ? areaName(row.area) : "不明", row.department || "不明", row.rating ? `${row.rating} 分` : "没有评", row.conversation_id,
  ]; // prettier-ignore
}

export const HEAD = ["开始", "时长", "渠道", "镇街", "领域", "部门", "评价", "编号"];
