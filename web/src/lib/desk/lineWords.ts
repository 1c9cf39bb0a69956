/** What the agent reads about the line: why there is no sound, and what to do. */

import type { CallFault } from "../call/callErrors";

export type LineRole = "agent" | "listen" | "whisper" | "barge";
export type Quality = "measuring" | "good" | "fair" | "poor" | "held";

const MEANWHILE = "现在您听得到对方，对方听不到您；您写的话会念给对方听。";

const MICROPHONE: Record<CallFault | "lost", string> = {
  permission_denied: `浏览器没有允许使用麦克风。请点地址栏左边的图标，把「麦克风」改为「允许」，再点「再试麦克风」。${MEANWHILE}`,
  no_microphone: `没有找到麦克风。请插好耳麦，再点「再试麦克风」。${MEANWHILE}`,
  microphone_busy: `麦克风正被别的程序占用。请关掉别的通话或会议软件，再点「再试麦克风」。${MEANWHILE}`,
  lost: `麦克风断开了。请重新插好耳麦，再点「再试麦克风」。${MEANWHILE}`,
  insecure_page: "这个网址不是安全连接（https），浏览器不让用声音。请改用 https 开头的网址打开，或联系系统管理员。您写的话会念给对方听。",
  no_audio_support: "这个浏览器不能通话，请换用新版的 Chrome、Edge 或 Firefox。您写的话会念给对方听。",
  cannot_connect: "",
  connection_lost: "",
};

export function microphoneWords(fault: CallFault | "lost"): string {
  return MICROPHONE[fault];
}

const ENDED: Record<string, string> = {
  returned: "对话已不在您手上，声音已断开。",
  call_ended: "来电人那边已经挂断。",
  replaced: "班长已经接管这通电话，您不在线上了。",
  another_tab: "您在另一个标签页接上了这通电话的声音。",
  refused: "声音没有接上。请再点「接上声音」；还是不行，请写字，系统会念给对方听。",
};

export function endedWords(reason: string): string {
  return ENDED[reason] ?? "声音已断开。";
}

export const QUALITY: Record<Quality, string> = {
  measuring: "正在测",
  good: "声音清楚",
  fair: "声音偶有断续",
  poor: "声音断续，请检查网络",
  held: "对方在等候",
};

export const ROLE: Record<LineRole, string> = {
  agent: "接待",
  listen: "监听",
  whisper: "密语",
  barge: "插话",
};

/** Who hears whom, as the person in the role reads it. */
export const ROLE_SAYS: Record<LineRole, string> = {
  agent: "您和来电人互相听得到。",
  listen: "您听得到双方，谁也听不到您；坐席看得到您在监听。",
  whisper: "只有坐席听得到您，来电人听不到。",
  barge: "来电人和坐席都听得到您，来电人已被告知。",
};
