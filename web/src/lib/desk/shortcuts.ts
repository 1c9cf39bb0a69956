/** The desk by keyboard. ``code`` and not ``key``: with Alt a keyboard may write another sign. */

export type Action = "ready" | "pause" | "accept" | "decline" | "write" | "return" | "requeue" | "close" | "callbacks" | "mute" | "hold" | "help";

export const SHORTCUTS: ReadonlyArray<{ code: string; keys: string; action: Action; says: string }> = [
  { code: "KeyR", keys: "Alt+R", action: "ready", says: "就绪" },
  { code: "KeyP", keys: "Alt+P", action: "pause", says: "小休" },
  { code: "KeyA", keys: "Alt+A", action: "accept", says: "接起派给您的对话（没有派单时，接起正在看的）" },
  { code: "KeyX", keys: "Alt+X", action: "decline", says: "谢绝派单" },
  { code: "KeyJ", keys: "Alt+J", action: "write", says: "写回复" },
  { code: "KeyB", keys: "Alt+B", action: "return", says: "交回机器人" },
  { code: "KeyQ", keys: "Alt+Q", action: "requeue", says: "转回队列" },
  { code: "KeyE", keys: "Alt+E", action: "close", says: "结束对话" },
  { code: "KeyC", keys: "Alt+C", action: "callbacks", says: "队列和回访之间切换" },
  { code: "KeyM", keys: "Alt+M", action: "mute", says: "通话时静音、取消静音" },
  { code: "KeyO", keys: "Alt+O", action: "hold", says: "通话时请对方稍候、接着说" },
  { code: "KeyH", keys: "Alt+H", action: "help", says: "这张表" },
];

/** What the keys ask for: an action, the place (from 0) among one's own conversations, or nothing. */
export function asked(event: Pick<KeyboardEvent, "altKey" | "ctrlKey" | "metaKey" | "code">): Action | number | null {
  if (!event.altKey || event.ctrlKey || event.metaKey) return null;
  const digit = /^Digit([1-9])$/.exec(event.code);
  if (digit) return Number(digit[1]) - 1;
  return SHORTCUTS.find((each) => each.code === event.code)?.action ?? null;
}
