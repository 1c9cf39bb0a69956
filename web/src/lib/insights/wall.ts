/** What stands on the wall. */
import type { Alert } from "./alerts";
import { bucketWords, type Trend } from "./figures";
import { dayAt, type Look, lookOf } from "./look";

export const WALL_FIGURES = ["conversations", "answer_15s", "containment", "contained_repeat_72h", "handoff_rate", "abandonment", "satisfaction"];
export const WALL_TREND = "conversations";

/** The day or days on the wall, and the seven days up to them; today where the address names none. */
export function wallSpan(look: Look, now: number): { today: Look; week: Look } {
  const plain = lookOf("", now);
  const own = look.from !== plain.from || look.to !== plain.to;
  const today = { ...look, ...(own ? {} : { from: plain.to, to: plain.to }) };
  return { today, week: { ...today, from: dayAt(Date.parse(today.to) - 8 * 3_600_000, -6) } };
}

/** Those somebody still has to look at, then the confirmed ones; the newest first. */
export function newestOpen(alerts: Alert[], most: number): Alert[] {
  const order = { open: 0, known: 1, closed: 2 };
  return alerts.filter((alert) => alert.state !== "closed").sort((a, b) => order[a.state] - order[b.state] || b.alert_id - a.alert_id).slice(0, most);
}

/** The trend as standing bars; of a day each hour has its place, whether anybody came in it or not. */
export function wallBars(trend: Trend | null): { labels: string[]; values: Array<number | null> } {
  const { grain = "hour", buckets = [], series = {} } = trend ?? {};
  const values = series[WALL_TREND] ?? [];
  const days = new Set(buckets.map((bucket) => Math.floor(bucket / 100)));
  if (grain !== "hour" || days.size !== 1) return { labels: buckets.map(bucketWords), values };
  const at = new Map(buckets.map((bucket, n) => [bucket % 100, values[n] ?? null]));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  return { labels: hours.map((hour) => `${hour} 时`), values: hours.map((hour) => (at.has(hour) ? at.get(hour)! : 0)) };
}
