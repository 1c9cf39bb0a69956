/** What the page says of a work order beside what the gateway says. */
import type { HistoryLine, OrderLine } from "./types";

/** The clock in working days: what is left, or by how much it is late. */
export function clockWords(order: Pick<OrderLine, "days_left" | "standing" | "standing_name">): string {
  const left = order.days_left;
  if (left === null) return order.standing_name;
  if (order.standing === "overdue") return left < 0 ? `超期 ${-left} 个工作日` : "已超期";
  return left === 0 ? "今天到期" : `还剩 ${left} 个工作日`;
}

const MOMENT = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false });

export function momentWords(at: string): string {
  return MOMENT.format(new Date(at)).replace("/", "-");
}

/** 「12月3日」 of an ISO day. */
export function dayWords(day: string): string {
  const [, month, date] = day.split("-").map(Number);
  return `${month}月${date}日`;
}

export function sizeWords(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

/** What a line of the history holds beside its note. */
export function dataWords(line: HistoryLine): string {
  const { department, days, main, score, hub_number: hub } = line.data as Record<string, string | number | undefined>;
  const parts = [
    department && `派给 ${department}`,
    days && `${days} 个工作日`,
    main && `并入 ${main}`,
    score && `${score} 分`,
    hub && `中台编号 ${hub}`,
  ];
  return parts.filter(Boolean).join("，");
}

/** How the note of a move is asked for. */
export const NOTE_LABELS: Record<string, string> = {
  refuse: "不予受理的理由",
  dispatch: "派单说明",
  return: "退单理由",
  uphold: "驳回退单的理由",
  redispatch: "改派的理由",
  ask_citizen: "请市民补充什么",
  add: "补充的内容",
  ask_extension: "为什么要延期",
  refuse_extension: "不同意延期的理由",
  escalate: "督办的理由",
  answer: "答复",
  send_back: "为什么退回重办",
  follow_up: "回访情况",
  rate: "评价的话",
  rectify: "整改情况",
  reopen: "为什么重办",
  unmerge: "为什么撤销并单",
};

/** Moves that a person makes without another word. */
export const AT_ONCE = new Set(["accept", "take_up", "resume"]);

/** The usual next step stands out among what is offered. */
export const USUAL = new Set("accept dispatch take_up uphold grant_extension answer complete follow_up rate rectify".split(" "));

/** 「3」 of 「Alt+3」: keys for the moves in their order. */
export function moveKey(index: number): string | null {
  return index < 9 ? String(index + 1) : null;
}

