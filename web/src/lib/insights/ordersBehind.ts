/** The work orders behind a figure, and one of them as it is read: no citizen's name or number in either. */
import { type Figure } from "./figures";
import { narrowed, PAGE, timeWords } from "./behind";
import { type Look, pathOf } from "./look";

export interface OrderRow {
  /** null: a confidential report that this reader may not see. */
  number: string | null;
  type_name: string;
  town: string | null;
  department: string | null;
  category_name: string | null;
  state_name: string;
  filed_at: string;
  due_on: string | null;
  completed_at: string | null;
  /** null: no limit, or it still runs. */
  in_time: boolean | null;
  score: number | null;
  returned: boolean | null;
  escalated: boolean | null;
  reopened: boolean | null;
  confidential: boolean;
}

export interface OpenedOrder extends OrderRow {
  /** false: only what was counted is known of it. */
  kept: boolean;
  description: string;
  place: string;
  answer: string;
  history: Array<{ seq: number; at: string; party_name: string; what: string; what_name: string; note: string }>;
}

/** Of this moment, whatever the days. */
export const NOW_LISTS: Record<string, string> = { orders_open: "在办工单", orders_overdue: "超期工单", orders_due_soon: "两天内到期" };
/** A share of those in time is as much about those that were late. */
export const LATE = "completed_late";

export function isOrderFigure(key: string): boolean {
  return key.startsWith("order");
}

/** Which list stands behind a figure, and what it is called; empty where the figure is not known (yet). */
export function listOf(behind: string, figures: Record<string, Figure>): { title: string; measure: string } {
  if (NOW_LISTS[behind]) return { title: NOW_LISTS[behind]!, measure: behind };
  const figure = figures[behind];
  return { title: figure?.title ?? "", measure: figure?.order_measure ?? "" };
}

/** Where they are asked for: the figure's days and filters, narrowed to a town or department. Work orders know no
 * channel and no area: where one is chosen the gateway says so. */
export function ordersPath(look: Look, measure: string, offset: number): string {
  const { kind, value } = narrowed(look.narrow);
  const part = kind === "town" || kind === "department" ? { [kind]: value } : {};
  return pathOf("work-orders", { ...look, ...part }, { measure, limit: PAGE + 1, offset });
}

/** When it was to be done and when it was, in words. */
export function clockWords(row: OrderRow): string {
  const due = row.due_on ? `期限 ${row.due_on}` : "没有期限";
  if (row.completed_at) return `${due}，${timeWords(row.completed_at).slice(0, 10)} 办结`;
  return row.in_time === false ? `${due}，已超期` : due;
}

export function orderMarks(row: OrderRow): string[] {
  return [
    ...(row.in_time === false ? [row.completed_at ? "超期办结" : "超期"] : []),
    ...(row.returned ? ["退过单"] : []),
    ...(row.escalated ? ["督办"] : []),
    ...(row.reopened ? ["重办"] : []),
    ...(row.score ? [`评价 ${row.score} 分`] : []),
  ];
}
