/** Figures as people read them. */

export type Unit = "count" | "share" | "seconds" | "score" | "days" | "probability";

export interface Figure {
  title: string;
  unit: Unit;
  better: "up" | "down" | "";
  value: number | null;
  before: number | null;
  hidden: boolean;
  /** The measure whose conversations stand behind it; null where they are none. */
  measure: string | null;
  /** The list of work orders that stands behind it; null where they are conversations. */
  order_measure?: string | null;
}

export interface Summary {
  demo: boolean;
  k: number;
  figures: Record<string, Figure>;
  now: Record<string, { title: string; value: number | null; hidden?: boolean }>;
}

export interface Trend {
  grain: "hour" | "day" | "month";
  buckets: number[];
  series: Record<string, Array<number | null>>;
  titles: Record<string, { title: string; unit: Unit }>;
}

export interface Breakdown {
  by: string;
  rows: Array<Record<string, string | number | null>>;
  titles: Record<string, { title: string; unit: Unit }>;
}

/** In which order, under which heading; a figure that is new to this page stands in the last group. */
const GROUPS: Array<[string, string[]]> = [
  ["来了多少", ["conversations", "calls", "people", "turns", "emergencies", "parts_down"]],
  ["机器答得怎样", ["containment", "contained_repeat_72h", "repeat_72h", "answer_15s", "first_answer_s", "refusal", "asked_back", "understanding", "low_understanding", "recognition", "low_recognition", "bot_s"]],
  ["转人工", ["handoffs", "handoff_rate", "handoff_asked", "handoff_not_understood", "handoff_emergency", "handoff_part_down", "connected", "agent_15s", "abandonment", "queue_s", "agent_s", "corrected"]],
  ["评价", ["ratings", "satisfaction", "satisfied", "dissatisfied"]],
  ["工单", ["orders_filed", "orders_completed", "orders_in_time", "order_days", "order_returned", "order_escalated", "order_reopened", "order_satisfaction", "order_dissatisfied"]],
];

/** What a manager looks at first. The honest counterpart of containment stands right beside it. */
export const HEADLINES = ["conversations", "answer_15s", "containment", "contained_repeat_72h", "handoff_rate", "abandonment", "satisfaction", "recognition"];

export function cardsOf(figures: Record<string, Figure>, keys: string[]): Card[] {
  return keys.flatMap((key) => (figures[key] ? [{ key, ...figures[key] }] : []));
}

/** Why callers were handed over, as shares of all who were; the rest is what no figure names. */
export function handoffReasons(figures: Record<string, Figure>): Array<{ name: string; value: number | null; measure: string }> {
  const named = ["handoff_asked", "handoff_not_understood", "handoff_emergency", "handoff_part_down"];
  const rows = cardsOf(figures, named).map((card) => ({ name: card.title, value: card.value, measure: card.measure ?? "", key: card.key }));
  if (!rows.length || rows.some((row) => row.value === null)) return rows.filter((row) => row.value !== null);
  const rest = Math.max(0, 1 - rows.reduce((sum, row) => sum + row.value!, 0));
  return [...rows, { name: "其他原因", value: rest, measure: "handoff_other" }].sort((a, b) => b.value! - a.value!);
}

export interface Card extends Figure {
  key: string;
}

export function groups(figures: Record<string, Figure>): Array<{ title: string; cards: Card[] }> {
  const placed = new Set(GROUPS.flatMap(([, keys]) => keys));
  const rest = Object.keys(figures).filter((key) => !placed.has(key));
  return [...GROUPS, ["其他", rest] as [string, string[]]]
    .map(([title, keys]) => ({ title, cards: keys.flatMap((key) => (figures[key] ? [{ key, ...figures[key] }] : [])) }))
    .filter((group) => group.cards.length > 0);
}

/** Those that have a course over time: work orders have none. */
export function overTime(figures: Record<string, Figure>): Card[] {
  return groups(figures).flatMap((group) => group.cards).filter((card) => !card.key.startsWith("order"));
}

export function shown(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return "—";
  switch (unit) {
    case "share":
      return `${(value * 100).toFixed(1)}%`;
    case "seconds":
      if (value >= 3600) return `${Math.floor(value / 3600)} 小时 ${Math.floor((value % 3600) / 60)} 分`;
      return value >= 90 ? `${Math.floor(value / 60)} 分 ${Math.round(value % 60)} 秒` : `${value.toFixed(1)} 秒`;
    case "score":
      return `${value.toFixed(2)} 分`;
    case "days":
      return `${value.toFixed(1)} 天`;
    case "probability":
      return value.toFixed(2);
    default:
      return Math.round(value).toLocaleString("zh-CN");
  }
}

export const hiddenWords = (k: number): string => `少于 ${k} 人，不显示`;

export function valueWords(figure: Figure, k: number): string {
  if (figure.hidden) return hiddenWords(k);
  return figure.value === null ? "不知道" : shown(figure.value, figure.unit);
}

/** Against the days before, in words as well as by an arrow: colour alone says nothing to some. */
export function change(figure: Figure): { words: string; mood: "good" | "bad" | "even" } {
  const { value, before, unit, better } = figure;
  if (value === null || before === null) return { words: "前一段没有可比的数", mood: "even" };
  const was = `前一段 ${shown(before, unit)}`;
  if (shown(value, unit) === shown(before, unit)) return { words: `持平 · ${was}`, mood: "even" };
  const up = value > before;
  const arrow = up ? "▲" : "▼";
  if (!better) return { words: `${arrow} ${was}`, mood: "even" };
  const good = up === (better === "up");
  return { words: `${arrow} ${good ? "好转" : "变差"} · ${was}`, mood: good ? "good" : "bad" };
}

/** 2026112513, 20261125, 202611 → 11-25 13 时, 11-25, 2026-11. */
export function bucketWords(bucket: number): string {
  const digits = String(bucket);
  const day = `${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
  if (digits.length === 6) return `${digits.slice(0, 4)}-${digits.slice(4)}`;
  return digits.length === 8 ? day : `${day} ${digits.slice(8)} 时`;
}

export const WEEKDAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

/** Seven rows of twenty-four values; null where nothing was counted or it is hidden. */
export function weekOf(rows: Breakdown["rows"], figure: string): Array<Array<number | null>> {
  const week = WEEKDAYS.map(() => Array<number | null>(24).fill(null));
  for (const row of rows) {
    const at = Number(row.hour_of_week);
    const value = row[figure];
    if (week[Math.floor(at / 24)]) week[Math.floor(at / 24)]![at % 24] = typeof value === "number" ? value : null;
  }
  return week;
}
