/** Early warnings as the page shows them, and the stream that brings new ones. */
import type { Look } from "./look";

export interface Alert {
  alert_id: number;
  topic_id: number;
  title: string;
  town: string;
  at: string;
  window_h: number;
  count: number;
  people: number;
  expected: number;
  evidence: string[];
  /** Hour, people (null: too few to show), usual. */
  series: Array<[number, number | null, number]>;
  state: AlertState;
  incident_id: number | null;
}

export type AlertState = "open" | "known" | "closed";
export const STATE_NAMES: Record<AlertState, string> = { open: "待确认", known: "已确认", closed: "已排除" };
export const ALERTS_PAGE = 20;

export interface Alerts {
  alerts: Alert[];
  /** Where the page after this one begins; null: there is none. */
  next: number | null;
}

export interface IncidentDraft {
  text: string;
  source: string;
  words: string[];
  valid_until: string;
}

/** What callers call it, as typed: parted by commas, spaces or the like. */
export function wordsOf(typed: string): string[] {
  return [...new Set(typed.split(/[\s,，、;；]+/).filter(Boolean))];
}

export interface Incident {
  incident_id: number;
  text: string;
  source: string;
  town: string | null;
  valid_from?: string;
  valid_until: string;
  words?: string[];
}

type Span = Pick<Look, "from" | "to" | "town">;

/** Whether an alert belongs to the days (in Foshan) and the town looked at. */
export function fits(alert: Alert, span: Span): boolean {
  const day = new Date(Date.parse(alert.at) + 8 * 3_600_000).toISOString().slice(0, 10);
  return day >= span.from && day <= span.to && (!span.town || span.town === alert.town);
}

/** The list with this alert in it, newest first; one that is there already is replaced. */
export function withAlert(alerts: Alert[], alert: Alert, span: Span): Alert[] {
  if (!fits(alert, span)) return alerts;
  return [alert, ...alerts.filter((each) => each.alert_id !== alert.alert_id)].sort((a, b) => b.alert_id - a.alert_id);
}

/** An alert from the stream's text; null where it is none. */
export function alertOf(data: string): Alert | null {
  try {
    const told = JSON.parse(data) as Alert;
    return typeof told.alert_id === "number" && typeof told.at === "string" && Array.isArray(told.series) ? told : null;
  } catch {
    return null; // a broken frame: the next question for the list brings the alert
  }
}

export function sizeWords(alert: Pick<Alert, "window_h" | "people" | "expected">): string {
  return `${alert.window_h} 小时内 ${alert.people} 人来，平常${alert.expected < 0.1 ? "不到 0.1" : ` ${alert.expected.toFixed(1)}`} 人`;
}

/** How many times the usual; null where there is next to nothing usual to divide by. */
export function timesWords(alert: Alert): string {
  if (alert.expected < 0.1) return "平常几乎没有人说";
  return `是平常的 ${Math.round(alert.people / alert.expected)} 倍`;
}

export interface AlertStream {
  close(): void;
}

/** New alerts as they are raised, from after ``after`` on; the browser comes back by itself. */
export function alertStream(
  after: number,
  on: { alert(alert: Alert): void; live(live: boolean): void },
  open: (url: string) => EventSource = (url) => new EventSource(url),
): AlertStream {
  const source = open(`/api/v1/insights/alerts/stream?after=${after}`);
  source.onopen = () => on.live(true);
  source.onerror = () => on.live(false);
  source.addEventListener("alert", (event) => {
    const alert = alertOf((event as MessageEvent<string>).data);
    if (alert) on.alert(alert);
  });
  return source;
}
