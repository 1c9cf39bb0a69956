/** Quality review as the page shows it. */

export interface Quality {
  conversations: number | null;
  score: number | null;
  rules: Array<{ rule: string; title: string; weight: number; broken: number }>;
  worst: Array<{ conversation_id: string; started_at: string; channel: string; score: number; broken: Array<{ rule: string; detail?: string }> }>;
}

export function brokenWords(broken: Array<{ rule: string; detail?: string }>, rules: Quality["rules"]): string {
  return broken.map(({ rule, detail }) => (rules.find((each) => each.rule === rule)?.title ?? rule) + (detail ? `（${detail}）` : "")).join("；");
}

export interface Review {
  conversation_id: string;
  reviewer: string;
  place: number;
  passed: boolean | null;
  score: number | null;
  note: string;
  asked_at: string;
  done_at: string | null;
}

export interface Results {
  reviewed: number;
  waiting: number;
  kappa: number | null;
  results: Array<{ conversation_id: string; passed: boolean; score: number; agreed: boolean }>;
}

export interface Reviewers {
  reviewers: Array<{ username: string; display_name: string }>;
}

/** Cohen's kappa in words (Landis and Koch, 1977). */
export function kappaWords(kappa: number | null): string {
  if (kappa === null) return "还没有两位都看完的对话";
  const grade = kappa >= 0.81 ? "几乎完全一致" : kappa >= 0.61 ? "大体一致" : kappa >= 0.41 ? "中等一致" : kappa >= 0.21 ? "一致不多" : "几乎不一致";
  return `κ = ${kappa.toFixed(2)}，${grade}`;
}

/** What is still to be looked at first; within, the oldest. */
export function toDo(reviews: Review[]): { waiting: Review[]; done: Review[] } {
  return { waiting: reviews.filter((each) => !each.done_at), done: reviews.filter((each) => each.done_at).sort((a, b) => b.done_at!.localeCompare(a.done_at!)) };
}
