/** Topics as the page shows them, and what the manager did to them. */

export interface Topic {
  id: number;
  name: string;
  /** As the machine named it. */
  mined_name: string;
  words: string[];
  examples: string[];
  turns: number;
  people: number;
  before: number | null;
  course: Array<number | null>;
  pinned: boolean;
  renamed: boolean;
  /** Topics that were merged into it. */
  merged: Array<{ id: number; name: string }>;
  first_seen?: string;
}

export interface Topics {
  k: number;
  grain: "day" | "month";
  buckets: number[];
  topics: Topic[];
}

export interface TopicBy {
  by: "town" | "channel" | "area";
  rows: Array<Record<string, string | number | null>>;
}

export interface TopicChange {
  name?: string;
  pinned?: boolean;
  merge_into?: number | null;
}

/** A change, in words, and what takes it back. */
export interface Done {
  words: string;
  topic: number;
  back: TopicChange;
}

export function undoOf(topic: Topic, change: TopicChange, names: (id: number) => string): Done {
  if (change.merge_into !== undefined) {
    return change.merge_into === null
      ? { words: `「${topic.name}」已单独列出`, topic: topic.id, back: {} }
      : { words: `「${topic.name}」已并进「${names(change.merge_into)}」`, topic: topic.id, back: { merge_into: null } };
  }
  if (change.name !== undefined) {
    const words = change.name ? `已改名为「${change.name}」` : `换回了机器起的名字「${topic.mined_name}」`;
    return { words, topic: topic.id, back: { name: topic.renamed ? topic.name : "" } };
  }
  return { words: change.pinned ? `「${topic.name}」已固定` : `「${topic.name}」不再固定`, topic: topic.id, back: { pinned: topic.pinned } };
}

/** The pinned first; within, as the gateway has them: the most asked first. */
export function inOrder(topics: Topic[]): Topic[] {
  return [...topics].sort((a, b) => Number(b.pinned) - Number(a.pinned));
}

/** Those whose name, words or examples hold what is looked for. */
export function found(topics: Topic[], words: string): Topic[] {
  const wanted = words.trim();
  if (!wanted) return topics;
  return topics.filter((topic) => [topic.name, ...topic.words, ...topic.examples, ...topic.merged.map((each) => each.name)].some((text) => text.includes(wanted)));
}

export function riseWords(topic: Topic): string {
  if (topic.before === null) return "前一段太少，不显示";
  if (!topic.before) return "前一段没有";
  if (topic.turns === topic.before) return `持平（${topic.before}）`;
  return `${topic.turns > topic.before ? "▲ 多了" : "▼ 少了"} ${Math.abs(topic.turns - topic.before)}（前一段 ${topic.before}）`;
}

/** Points of a polyline over 100×24; a hidden value breaks the line, so that it is not taken for zero. */
export function spark(course: Array<number | null>): string[] {
  const most = Math.max(...course.map((value) => value ?? 0)) || 1;
  const step = course.length > 1 ? 100 / (course.length - 1) : 0;
  const parts: string[][] = [[]];
  course.forEach((value, n) => {
    if (value === null) parts.push([]);
    else parts.at(-1)!.push(`${(n * step).toFixed(1)},${(23 - (22 * value) / most).toFixed(1)}`);
  });
  // A single point would not be drawn: it becomes a short stroke.
  return parts.filter((part) => part.length).map((part) => (part.length === 1 ? [part[0]!, part[0]!] : part).join(" "));
}
