/** Gaps, proposals and quality as the page shows them. */

export interface Gap {
  gap_id: string;
  name: string;
  words: string[];
  turns: number;
  people: number;
  kinds: Record<string, number>;
  examples: string[];
  item_keys: string[];
  towns: Record<string, number>;
}

export interface Gaps {
  turns: number;
  waiting: number;
  kinds: Record<string, { title: string; turns: number }>;
  gaps: Gap[];
}

export type ProposalKind = "alias" | "question" | "example" | "guide";
export const KIND_NAMES: Record<ProposalKind, string> = { alias: "给指南加叫法", question: "给指南加问法", example: "给意图加例句", guide: "起一篇新指南" };
export const DECISIONS: Record<string, string> = { draft: "待定", approved: "已批准", rejected: "不采纳" };

export interface Proposal {
  proposal_id: number;
  kind: ProposalKind;
  title: string;
  path: string;
  diff: string;
  state: "draft" | "approved" | "rejected";
  findings: string[];
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

export interface Quality {
  conversations: number | null;
  score: number | null;
  rules: Array<{ rule: string; title: string; weight: number; broken: number }>;
  worst: Array<{ conversation_id: string; started_at: string; channel: string; score: number; broken: Array<{ rule: string; detail?: string }> }>;
}

export function brokenWords(broken: Array<{ rule: string; detail?: string }>, rules: Quality["rules"]): string {
  return broken.map(({ rule, detail }) => (rules.find((each) => each.rule === rule)?.title ?? rule) + (detail ? `（${detail}）` : "")).join("；");
}

/** The kind of a diff's line, said by its first character as well as by colour. */
export function diffLines(diff: string): Array<{ text: string; kind: "added" | "taken" | "same" }> {
  return diff.split("\n").map((text) => ({
    text,
    kind: /^\+(?!\+\+)/.test(text) ? "added" : /^-(?!--)/.test(text) ? "taken" : "same",
  }));
}
