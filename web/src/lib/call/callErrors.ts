/** Why a call cannot go on, each with a sentence that says what to do. */

export type CallFault =
  | "insecure_page"
  | "no_audio_support"
  | "permission_denied"
  | "no_microphone"
  | "microphone_busy"
  | "cannot_connect"
  | "connection_lost";

const OTHERWISE = "您也可以回到文字对话，或拨打 12345。";

const SENTENCES: Record<CallFault, string> = {
  insecure_page: `这个网址不是安全连接（https），浏览器不让用麦克风。请改用 https 开头的网址打开。${OTHERWISE}`,
  no_audio_support: `这个浏览器不支持网页通话，请换用新版的浏览器。${OTHERWISE}`,
  permission_denied: `浏览器没有允许使用麦克风。请在地址栏旁的网站设置里把「麦克风」改为「允许」，再点「再拨一次」。${OTHERWISE}`,
  no_microphone: `没有找到麦克风。请插好或打开麦克风，再点「再拨一次」。${OTHERWISE}`,
  microphone_busy: `麦克风正被别的程序使用。请关掉别的通话或录音，再点「再拨一次」。${OTHERWISE}`,
  cannot_connect: `电话没有接通。请检查网络，再点「再拨一次」。${OTHERWISE}`,
  connection_lost: `通话中断了，可能是网络不稳。请点「再拨一次」。${OTHERWISE}`,
};

export function faultSentence(fault: CallFault): string {
  return SENTENCES[fault];
}

export class CallFaultError extends Error {
  constructor(readonly fault: CallFault) {
    super(SENTENCES[fault]);
  }
}

/** The fault behind what ``getUserMedia`` or the audio context threw. */
export function microphoneFault(error: unknown): CallFault {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "permission_denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "no_microphone";
    case "NotReadableError":
    case "AbortError":
      return "microphone_busy";
    default:
      return "no_audio_support";
  }
}

const ENDINGS: Record<string, string> = {
  silence: "很久没有听到声音，通话已结束。",
  timeout: "通话时间到了，已结束。",
  error: "系统出了点问题，通话已结束。您可以再拨一次，或拨打 12345。",
};

export function endingSentence(reason: string): string {
  return ENDINGS[reason] ?? "通话已结束。";
}
