/** Topics as the page shows them. */

export interface Topic {
  id: number;
  name: string;
  words: string[];
  examples: string[];
  turns: number;
  people: number;
  before: number | null;
  course: Array<number | null>;
  pinned: boolean;
  renamed: boolean;
}

export interface Topics {
  k: number;
  buckets: number[];
  topics: Topic[];
}

export interface TopicBy {
  by: "town" | "channel" | "area";
  rows: Array<Record<string, string | number | null>>;
}

/** The pinned first; within, as the gateway has them: the most asked first. */
export function inOrder(topics: Topic[]): Topic[] {
  return [...topics].sort((a, b) => Number(b.pinned) - Number(a.pinned));
}

export function riseWords(topic: Topic): string {
  if (topic.before === null) return "前一段太少，不显示";
  if (!topic.before) return "前一段没有";
  if (topic.turns === topic.before) return `持平（${topic.before}）`;
  return `${topic.turns > topic.before ? "▲ 多了" : "▼ 少了"} ${Math.abs(topic.turns - topic.before)}（前一段 ${topic.before}）`;
}

/** Points of a polyline over 100×24; a hidden value breaks the line, so that it is not taken for zero. */
export function spark(course: Array<number | null>): string[] {
  const most = Math.max(1, ...course.map((value) => value ?? 0));
  const step = course.length > 1 ? 100 / (course.length - 1) : 0;
  const parts: string[][] = [[]];
  course.forEach((value, n) => {
    if (value === null) parts.push([]);
    else parts.at(-1)!.push(`${(n * step).toFixed(1)},${(23 - (22 * value) / most).toFixed(1)}`);
  });
  // A single point would not be drawn: it becomes a short stroke.
  return parts.filter((part) => part.length).map((part) => (part.length === 1 ? [part[0]!, part[0]!] : part).join(" "));
}
