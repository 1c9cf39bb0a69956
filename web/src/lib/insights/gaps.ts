/** Gaps, proposals and quality as the page shows them. */

export interface Gap {
  gap_id: string;
  name: string;
  words: string[];
  turns: number;
  people: number;
  kinds: Record<string, number | null>;
  examples: string[];
  item_keys: string[];
  towns: Record<string, number | null>;
}

export interface Gaps {
  /** When what is shown was counted; null: nothing was yet. */
  as_of: string | null;
  /** Months that are being counted again and lack till then. */
  recounting: number;
  turns: number;
  waiting: number;
  kinds: Record<string, { title: string; turns: number }>;
  gaps: Gap[];
}

export type ProposalKind = "alias" | "question" | "example" | "guide";
export const KIND_NAMES: Record<ProposalKind, string> = { alias: "给指南加叫法", question: "给指南加问法", example: "给意图加例句", guide: "起一篇新指南" };
export const DECISIONS: Record<string, string> = { draft: "待定", approved: "已批准", rejected: "不采纳" };

/** What ``make eval`` said of the change, or how far it is. */
export interface Evaluation extends Partial<Record<"before" | "after", Record<string, unknown>>> {
  state?: "queued" | "running" | "done" | "failed";
  step?: string;
  detail?: string;
}

export const evaluating = (evaluation: Evaluation = {}): boolean => evaluation.state === "queued" || evaluation.state === "running";

export interface Proposal {
  proposal_id: number;
  kind: ProposalKind;
  title: string;
  path: string;
  diff: string;
  state: "draft" | "approved" | "rejected";
  findings: string[];
  by?: string;
  at?: string;
  decided_by?: string;
  decided_at?: string | null;
  evaluation?: Evaluation;
}

export interface Draft {
  kind: ProposalKind;
  phrase: string;
  item_key: string;
  intent: string;
  name: string;
  area: string;
}

export function draftOf(gap: Gap): Draft {
  return { kind: gap.item_keys.length ? "question" : "guide", phrase: gap.examples[0] ?? gap.name, item_key: gap.item_keys[0] ?? "", intent: "", name: gap.name, area: "" };
}

/** What is sent: only what this kind needs. A new guide takes what people said as its questions. */
export function bodyOf(draft: Draft, gap: Gap): Record<string, unknown> {
  const { kind } = draft;
  if (kind === "guide") return { kind, name: draft.name.trim(), area: draft.area, questions: gap.examples };
  if (kind === "example") return { kind, intent: draft.intent.trim(), phrase: draft.phrase.trim() };
  return { kind, item_key: draft.item_key.trim().toUpperCase(), phrase: draft.phrase.trim() };
}

/** The kind of a diff's line, said by its first character as well as by colour. */
export function diffLines(diff: string): Array<{ text: string; kind: "added" | "taken" | "same" }> {
  return diff.split("\n").map((text) => ({
    text,
    kind: /^\+(?!\+\+)/.test(text) ? "added" : /^-(?!--)/.test(text) ? "taken" : "same",
  }));
}

/** What ``make eval`` measured, by name; the whole report or its measures alone. Null where it is neither. */
export function measuresOf(json: string): Record<string, unknown> | null {
  try {
    const told: unknown = JSON.parse(json);
    if (typeof told !== "object" || told === null || Array.isArray(told)) return null;
    const inner = (told as Record<string, unknown>).measures ?? told;
    return typeof inner === "object" && inner !== null && Object.keys(inner).some((key) => rateOf((inner as Record<string, unknown>)[key]) !== null) ? (inner as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A measure as a share: ``{count, total}``, or the number itself. */
export function rateOf(measure: unknown): number | null {
  if (typeof measure === "number") return measure;
  const { count, total } = (measure ?? {}) as { count?: unknown; total?: unknown };
  return typeof count === "number" && typeof total === "number" && total > 0 ? count / total : null;
}

const MEASURES: Record<string, string> = {
  "questions.top1.all": "单句提问：事项排第一",
  "questions.aspect.all": "单句提问：方面对",
  "questions.answered_right.all": "单句提问：直接答对",
  "questions.answered_wrongly.all": "单句提问：肯定地答错",
  "search.top1.all": "目录检索：排第一",
  "follow_ups.service_and_aspect.all": "追问：事项和方面都对",
  "follow_ups.answered_wrongly.all": "追问：肯定地答错",
  "out_of_scope.refused.all": "范围外：老实说答不了",
  "flows.intent.all": "流程意图",
  "emergencies.recognised.all": "紧急情况：认出",
  "emergencies.false_alarms.all": "紧急情况：误报",
  "dialogues.turns.all": "多轮对话：一轮对",
};
const LOWER = /wrongly|false_alarms|error/;

export interface Compared {
  key: string;
  title: string;
  before: number | null;
  after: number | null;
  mood: "better" | "worse" | "same";
}

/** Before and after side by side: the named ones, and whatever else moved; what moved stands first. */
export function compared(evaluation: Proposal["evaluation"]): Compared[] {
  const { before = {}, after = {} } = evaluation ?? {};
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const rows = keys.map((key): Compared => {
    const [was, is] = [rateOf(before[key]), rateOf(after[key])];
    const moved = was !== null && is !== null && Math.abs(was - is) > 1e-9;
    const mood = !moved ? "same" : is! > was! === !LOWER.test(key) ? "better" : "worse";
    return { key, title: MEASURES[key] ?? key, before: was, after: is, mood };
  });
  const order = { worse: 0, better: 1, same: 2 };
  return rows.filter((row) => MEASURES[row.key] || row.mood !== "same").sort((a, b) => order[a.mood] - order[b.mood] || Number(!MEASURES[a.key]) - Number(!MEASURES[b.key]));
}

export interface Recall {
  item_key: string;
  version: string;
  /** Those who agreed: not yet on the agents' list, and on it already. */
  to_call_back: number;
  listed: number;
  answers: Array<{ conversation_id: string; turn_id: string; at: string; channel: string; town: string; cited: string[]; text: string | null; agreed_callback: boolean; callback_id: string | null }>;
}

/** What came of asking the agents to call. */
export function calledWords(told: { made: number; already: number; without_number: number }): string {
  const more = [told.already ? `${told.already} 人先前已在名单上` : "", told.without_number ? `其中 ${told.without_number} 人没有留号码，请在对话里答复` : ""].filter(Boolean);
  return `已给坐席派了 ${told.made} 个回电任务${more.length ? `；${more.join("；")}` : ""}。`;
}

const FIELDS: Record<string, string> = {
  materials: "材料", conditions: "条件", steps: "步骤", time_limit: "时限", fee: "费用", where: "地点", when_open: "办公时间", online: "网办", phone: "电话", amount: "金额",
}; // prettier-ignore

/** ``facts.fee@2026-11-01`` → 费用（2026-11-01 版）. */
export function citedWords(cited: string[]): string {
  return cited.map((each) => {
    const [field = "", version = ""] = each.split("@");
    const name = field.replace(/^facts\./, "").split(".")[0] ?? "";
    return `${FIELDS[name] ?? field}（${version} 版）`;
  }).join("、"); // prettier-ignore
}
