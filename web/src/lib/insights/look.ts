/** What is looked at stands in the address: a link shows the same to everybody, and the back button goes back. */

export const TABS = { overview: "总览", topics: "话题", alerts: "预警", service: "人工和工单", gaps: "知识缺口", quality: "质检", report: "报告" } as const;
export type Tab = keyof typeof TABS;
export const FILTERS = ["channel", "town", "area", "department"] as const;
export type Filter = (typeof FILTERS)[number];
export const FILTER_NAMES: Record<Filter, string> = { channel: "渠道", town: "镇街", area: "领域", department: "部门" };
export const CHANNEL_NAMES: Record<string, string> = { web: "网页", voice: "电话", rest: "对接系统" };

export interface Look extends Record<Filter, string> {
  tab: Tab;
  /** Days, inclusive: 2026-11-25. */
  from: string;
  to: string;
  /** The figure of the charts. */
  figure: string;
  /** What the charts divide by. */
  by: Filter;
  /** The figure whose conversations are shown; empty: none is. */
  behind: string;
  /** Which part of them: ``town:狮山镇``, ``bucket:20261125`` (behind.ts). */
  narrow: string;
  /** The conversation that is read. */
  open: string;
  topic: string;
  alert: string;
  /** Only conversations that broke this rule. */
  rule: string;
  /** ``wall``: for a screen on the wall. */
  view: "" | "wall";
  kind: "day" | "week" | "month";
  day: string;
}

const DAYS = 30;
const DAY_MS = 86_400_000;
const REPORTS: readonly string[] = ["day", "week", "month"];

/** The day in Foshan (UTC+8) so many days from ``now``. */
export function dayAt(now: number, days = 0): string {
  return new Date(now + 8 * 3_600_000 + days * DAY_MS).toISOString().slice(0, 10);
}

/** ``search`` as in the address; what is missing or not ours has its default: the last thirty days, everything. */
export function lookOf(search: string, now = Date.now()): Look {
  const query = new URLSearchParams(search);
  const word = (name: string): string => query.get(name) ?? "";
  const day = (name: string): string => (isDay(word(name)) ? word(name) : "");
  const to = day("to") || dayAt(now);
  const by = word("by") as Filter;
  return {
    tab: Object.hasOwn(TABS, word("tab")) ? (word("tab") as Tab) : "overview",
    from: day("from") || dayAt(Date.parse(to) - 8 * 3_600_000, 1 - DAYS),
    to,
    channel: word("channel"),
    town: word("town"),
    area: word("area"),
    department: word("department"),
    figure: word("figure") || "conversations",
    by: FILTERS.includes(by) ? by : "town",
    behind: word("behind"),
    narrow: word("narrow"),
    open: word("open"),
    topic: word("topic"),
    alert: word("alert"),
    rule: word("rule"),
    view: word("view") === "wall" ? "wall" : "",
    kind: REPORTS.includes(word("kind")) ? (word("kind") as Look["kind"]) : "day",
    day: day("day") || dayAt(now, -1),
  };
}

/** Only what differs from the default, so that a plain address stays plain. */
export function searchOf(look: Look, now = Date.now()): string {
  const plain = lookOf("", now);
  const query = new URLSearchParams();
  const period = look.from !== plain.from || look.to !== plain.to;
  for (const [name, value] of Object.entries(look)) {
    const own = name === "from" || name === "to" ? period : value !== plain[name as keyof Look];
    if (own && value) query.set(name, value);
  }
  const words = query.toString();
  return words ? `?${words}` : "";
}

export function isDay(word: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(word) && !Number.isNaN(Date.parse(word)) && new Date(word).toISOString().startsWith(word);
}

/** Why the gateway would refuse these days, or nothing. */
export function periodTrouble(from: string, to: string): string {
  if (!isDay(from) || !isDay(to)) return "请把两个日期都填上。";
  if (from > to) return "开始的日期要早于截止的日期。";
  if (Date.parse(to) - Date.parse(from) >= 3 * 366 * DAY_MS) return "一次最多看三年，请把日期缩短。";
  return "";
}

/** The path of an insights route over these days and filters. */
export function pathOf(what: string, look: Look, more: Record<string, string | number> = {}): string {
  const query = new URLSearchParams({ from: look.from, to: look.to });
  for (const name of FILTERS) if (look[name]) query.set(name, look[name]);
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return `/api/v1/insights/${what}?${query}`;
}
