/** What stands on the wall, for a manager or for a screen with a display code. */
import { reactive } from "vue";
import { isObject, text } from "../parse";
import type { Alert } from "./alerts";
import { bucketWords, type Figure, type Summary, type Trend } from "./figures";
import { dayAt, lookOf } from "./look";

export const WALL_TREND = "conversations";
export type WallAlert = Pick<Alert, "alert_id" | "title" | "town" | "at" | "window_h" | "people" | "expected" | "state">;

export interface WallTold {
  demo: boolean;
  k: number;
  from: string;
  to: string;
  town: string | null;
  /** null: a manager looks. */
  display: { name: string; expires_at: string } | null;
  figures: Record<string, Figure>;
  now: Summary["now"];
  trend: Trend;
  topics: Array<{ name: string; turns: number }>;
  alerts: WallAlert[];
}

/** Where it is asked for. An address that names no days means whatever day it is, also after midnight. */
export function wallPath(search: string, now: number): string {
  const named = new URLSearchParams(search);
  const look = lookOf(search, now);
  const days = named.has("from") || named.has("to") ? { from: look.from, to: look.to } : { from: dayAt(now), to: dayAt(now) };
  return `/api/v1/insights/wall?${new URLSearchParams({ ...days, ...(look.town ? { town: look.town } : {}) })}`;
}

export interface WallFeed {
  told: WallTold | null;
  trouble: string;
  /** When ``told`` came; 0: never. */
  at: number;
  refresh(path: string): Promise<void>;
}

/** A wall keeps what it shows while the line cannot be reached, and says so. */
export function createWallFeed(ask: (path: string) => Promise<unknown>, now: () => number = Date.now): WallFeed {
  const feed = reactive({
    told: null as WallTold | null,
    trouble: "",
    at: 0,
    async refresh(path: string): Promise<void> {
      try {
        feed.told = (await ask(path)) as WallTold;
        feed.trouble = "";
        feed.at = now();
      } catch (error) {
        feed.trouble = (error as Error).message;
        if (error instanceof DisplayOver) feed.told = null; // no longer let in: nothing stays on the screen
      }
    },
  });
  return feed as WallFeed;
}

/** The code is none, was revoked, or has expired. */
export class DisplayOver extends Error {}

/** Asks with a display code instead of a session. */
export function askWithCode(code: string, get: (path: string, init: RequestInit) => Promise<Response> = (path, init) => fetch(path, init)) {
  return async (path: string): Promise<unknown> => {
    let response: Response;
    let body: unknown;
    try {
      response = await get(path, { headers: { Accept: "application/json", Authorization: `Bearer ${code}` }, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(20_000) });
      body = await response.json();
    } catch {
      throw new Error("连不上服务，正在重试。");
    }
    if (response.ok) return body;
    const detail = (isObject(body) && text(body.detail)) || `系统暂时出了点问题（${response.status}），正在重试。`;
    throw response.status === 401 ? new DisplayOver(detail) : new Error(detail);
  };
}

const DAY_MS = 86_400_000;

/** In how many days a code ends, where somebody should see to it soon. */
export function endsSoon(expiresAt: string | undefined, now: number): number | null {
  const days = Math.ceil((Date.parse(expiresAt ?? "") - now) / DAY_MS);
  return days <= 14 ? days : null;
}

/** A page that hangs for months takes a newer one at night, once it is a day old. */
export function dueForReload(openedAt: number, now: number): boolean {
  const hour = new Date(now + 8 * 3_600_000).getUTCHours();
  return now - openedAt > 0.8 * DAY_MS && hour === 4;
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
