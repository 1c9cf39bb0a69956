/** What the agent reads for the gateway's names. */

import type { Line } from "./types";

const named =
  (names: Record<string, string>) =>
  (key: string | null | undefined): string =>
    key ? (names[key] ?? key) : "";

export const stateName = named({
  offline: "离岗",
  ready: "就绪",
  ringing: "响铃",
  busy: "接待中",
  after_call: "话后处理",
  paused: "小休",
});
export const reasonName = named({
  word: "说要人工",
  key: "电话按 0",
  button: "点了人工",
  misunderstood: "机器没听懂",
  unclear_speech: "听不清",
  crisis: "危险",
  abuse: "辱骂",
  elderly: "高龄",
  requeued: "转回队列",
});
export const urgencyName = named({ normal: "", urgent: "紧急", emergency: "危急" });
export const channelName = named({ web: "网页", rest: "接口", voice: "电话" });
export const identityName = named({
  none: "没有核对",
  asked: "正在核对",
  verified: "已核对",
  locked: "核对次数用完，已锁",
  unavailable: "核对不了（中台没应答）",
});
export const aspectName = named({
  materials: "材料",
  conditions: "条件",
  steps: "步骤",
  time_limit: "时限",
  fee: "费用",
  where: "地点",
  when_open: "办公时间",
  online: "网上办",
  phone: "电话",
  amount: "金额",
  status: "进度",
  general: "概况",
});
export const slotName = named({
  service_item: "事项编号",
  last_aspect: "方面",
  candidates: "候选事项",
  case_reference: "办件号",
  identity_outcome: "核对结果",
  work_order_number: "工单号",
  town: "镇街",
  dialect: "语言",
});
export const fieldName = named({
  type: "类型",
  category: "类别",
  service_key: "事项",
  department: "部门",
  urgency: "紧急",
  town: "镇街",
  place: "地点",
  when: "时间",
  happened: "经过",
});
export const callbackReason = named({ asked: "要求回电", dropped: "没等到人就断了", cut_off: "通话中断线", recall: "答复更正" });
export const callbackState = named({ open: "待认领", claimed: "已认领", reached: "已打通", given_up: "已放弃" });
export const dialectName = named({ mandarin: "普通话", cantonese: "粤语" });
const partyStep = named({
  took: "接起了对话",
  returned: "交回了机器人",
  replaced: "接管了对话",
  requeued: "转回了队列",
  closed: "结束了对话",
  joined: "加入了通话，来电人听得到",
  left: "离开了通话",
});
const talkState = named({ bot: "机器人应答", queued: "在排队", agent: "人工接待", closed: "已结束" });

export function slotValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(slotValue).join("、");
  if (typeof value !== "string") return value === null || value === undefined ? "" : JSON.stringify(value);
  return dialectName(value) === value ? aspectName(value) : dialectName(value);
}

/** A line that nobody said, as a sentence; empty where there is nothing worth reading. */
export function houseLine(line: Line): string {
  const data = line.data;
  const str = (key: string): string => (typeof data[key] === "string" ? (data[key] as string) : "");
  switch (line.type) {
    case "conversation_started":
      return "对话开始";
    case "state":
      return talkState(str("state"));
    case "handling":
      return `${str("agent")} ${partyStep(str("what"))}`.trim();
    case "alert":
      return line.text || "市民说到危险，请马上处理。";
    case "rating":
      return `市民评价：${String(data.score ?? "")} 分`;
    case "call_ended":
      return "电话已挂断";
    case "part_down":
      return "系统有一部分没有应答";
    default:
      return "";
  }
}

export function waited(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} 秒` : `${Math.floor(whole / 60)} 分 ${whole % 60} 秒`;
}

/** A length of time as a clock shows it: 03:20, or 1:03:20. */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export function clock(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
}
