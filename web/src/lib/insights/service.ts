/** Agents and work orders as the page shows them. */

export interface Agents {
  rows: Array<{ agent: string; taken: number; minutes: number; seconds_each: number | null; messages: number; ratings: number | null; satisfaction: number | null; load: Load | null }>;
}

/** Of the time at the desk; ``occupancy`` 0 to 1. */
export interface Load {
  hours: number;
  talk_minutes: number;
  after_call_minutes: number;
  ready_minutes: number;
  paused_minutes: number;
  occupancy: number | null;
  taken_per_hour: number | null;
}

export const ORDER_FIGURES = ["orders_filed", "orders_completed", "orders_in_time", "order_days", "order_returned", "order_escalated", "order_reopened"];
export const RATING_FIGURES = ["ratings", "satisfaction", "satisfied", "dissatisfied", "order_satisfaction", "order_dissatisfied"];
