/** Agents and work orders as the page shows them. */

export interface Agents {
  rows: Array<{ agent: string; taken: number; minutes: number; seconds_each: number | null; messages: number; ratings: number | null; satisfaction: number | null }>;
}

export interface OpenOrders {
  by: "town" | "department";
  rows: Array<{ town?: string; department?: string; open: number; overdue: number; due_soon: number }>;
}

export const ORDER_FIGURES = ["orders_filed", "orders_completed", "orders_in_time", "order_days", "order_returned", "order_escalated", "order_reopened"];
export const RATING_FIGURES = ["ratings", "satisfaction", "satisfied", "dissatisfied", "order_satisfaction", "order_dissatisfied"];
