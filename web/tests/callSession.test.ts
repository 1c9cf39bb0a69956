import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AudioEnds } from "../src/lib/call/callAudio";
import { CallFaultError, microphoneFault } from "../src/lib/call/callErrors";
import { ANSWER_WITHIN_MS, type CallSession, createCallSession } from "../src/lib/call/callSession";
import { asSocket, FakeSocket } from "./fakes";

class FakeAudio implements AudioEnds {
  played: number[] = [];
  cleared = 0;
  muted = false;
  stopped = false;
  frame: (frame: ArrayBuffer) => void = () => undefined;
  buffered: (seconds: number) => void = () => undefined;
  refusal: Error | null = null;

  async start(onFrame: (frame: ArrayBuffer) => void, onBuffered: (seconds: number) => void): Promise<void> {
    if (this.refusal) throw this.refusal;
    this.frame = onFrame;
    this.buffered = onBuffered;
  }

  play(samples: Float32Array): void {
    this.played.push(...samples);
  }

  clear(): void {
    this.cleared += 1;
  }

  mute(on: boolean): void {
    this.muted = on;
  }

  stop(): void {
    this.stopped = true;
  }
}

let audio: FakeAudio;
let call: CallSession;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  audio = new FakeAudio();
  call = createCallSession({
    makeAudio: () => audio,
    openSocket: () => asSocket(new FakeSocket("ws://h/api/v1/calls")),
    now: () => 1_000,
  });
});

afterEach(() => vi.useRealTimers());

async function connected(): Promise<FakeSocket> {
  await call.dial();
  const line = FakeSocket.last;
  line.accept();
  line.receive({ type: "started", call_id: "k", conversation_id: "c" });
  return line;
}

const loudFrame = (): ArrayBuffer => new Int16Array(320).fill(16_384).buffer;

describe("a call", () => {
  it("starts with the start frame and sends sound only once it was taken", async () => {
    await call.dial();
    FakeSocket.last.accept();
    audio.frame(loudFrame());
    expect(FakeSocket.last.sent).toEqual([JSON.stringify({ type: "start", encoding: "pcm_s16le", sample_rate: 16_000 })]);
    FakeSocket.last.receive({ type: "started", call_id: "k", conversation_id: "c" });
    audio.frame(loudFrame());
    expect(FakeSocket.last.sent).toHaveLength(2);
    expect(window.__hotlineCall).toMatchObject({ framesSent: 1, microphonePeak: 0.5 });
    expect(call.view.phase).toBe("ready");
  });

  it("plays what comes and counts it", async () => {
    const line = await connected();
    line.receive(loudFrame());
    expect(audio.played).toHaveLength(320);
    expect(window.__hotlineCall).toMatchObject({ bytesReceived: 640, peak: 0.5 });
  });

  it("goes from listening to answering and is ready again when all of it was heard", async () => {
    const line = await connected();
    line.receive({ type: "transcript", final: false, text: "居住证", confidence: 0.5 });
    expect(call.view.phase).toBe("hearing");
    line.receive({ type: "transcript", final: true, text: "居住证怎么办", confidence: 0.9 });
    expect(call.view.phase).toBe("thinking");
    line.receive({ type: "reply", text: "带身份证", buttons: [], card: null, sources: [], understanding: {} });
    line.receive({ type: "speech", phase: "start", turn_id: "t" });
    audio.buffered(2);
    line.receive({ type: "speech", phase: "end", turn_id: "t" });
    expect(call.view.phase).toBe("speaking");
    audio.buffered(0);
    expect(call.view.phase).toBe("ready");
    expect(call.view.lines).toMatchObject([
      { who: "caller", text: "居住证怎么办", final: true },
      { who: "line", reply: { text: "带身份证" } },
    ]);
  });

  it("falls silent at once when the caller speaks over the answer", async () => {
    const line = await connected();
    line.receive({ type: "speech", phase: "start", turn_id: "t" });
    line.receive({ type: "speech", phase: "cut", turn_id: "t" });
    expect(audio.cleared).toBe(1);
    expect(call.view.phase).toBe("hearing");
  });

  it("sends keys and shows the queue", async () => {
    const line = await connected();
    call.press("0");
    expect(line.texts.at(-1)).toEqual({ type: "dtmf", digit: "0" });
    line.receive({ type: "state", state: "queued" });
    line.receive({ type: "queue", position: 3 });
    expect(call.view).toMatchObject({ state: "queued", queuePosition: 3, pressed: "0" });
  });

  it("says stop, lets the microphone go and ends when the caller hangs up", async () => {
    const line = await connected();
    call.hangUp();
    expect(line.texts.at(-1)).toEqual({ type: "stop" });
    expect(audio.stopped).toBe(true);
    expect(call.view).toMatchObject({ phase: "ended", error: null });
  });

  it("says what to do when the connection is lost", async () => {
    const line = await connected();
    line.drop();
    expect(call.view.phase).toBe("ended");
    expect(call.view.error).toContain("再拨一次");
    expect(audio.stopped).toBe(true);
  });

  it("gives up a line that does not answer", async () => {
    await call.dial();
    FakeSocket.last.accept();
    vi.advanceTimersByTime(ANSWER_WITHIN_MS);
    expect(call.view).toMatchObject({ phase: "ended" });
    expect(call.view.error).toContain("没有接通");
  });

  it("goes on after a named error and shows its sentence", async () => {
    const line = await connected();
    line.receive({ type: "error", code: "synthesiser_down", detail: "语音播报暂时不可用，请看屏幕上的文字。" });
    line.receive("{broken");
    expect(call.view.phase).toBe("ready");
    line.receive({ type: "error", code: "x", detail: "请看屏幕" });
    expect(call.view.notice).toBe("请看屏幕");
  });

  it("leaves frames out, and counts them, when the network cannot take them", async () => {
    const line = await connected();
    line.bufferedAmount = 100_000;
    audio.frame(loudFrame());
    expect(window.__hotlineCall).toMatchObject({ framesSent: 0, framesDropped: 1 });
  });

  it("does not dial when the microphone is refused, and says how to allow it", async () => {
    audio.refusal = new CallFaultError("permission_denied");
    await call.dial();
    expect(FakeSocket.made).toHaveLength(0);
    expect(call.view.error).toContain("允许");
  });

  it("can be dialled again after it ended", async () => {
    (await connected()).drop();
    audio = new FakeAudio();
    const line = await connected();
    expect(FakeSocket.made).toHaveLength(2);
    expect(line.texts).toHaveLength(1);
    expect(call.view).toMatchObject({ phase: "ready", error: null, lines: [] });
  });

  it("knows every way a microphone can be refused", () => {
    const named = (name: string): Error => Object.assign(new Error("x"), { name });
    expect(microphoneFault(named("NotAllowedError"))).toBe("permission_denied");
    expect(microphoneFault(named("NotFoundError"))).toBe("no_microphone");
    expect(microphoneFault(named("NotReadableError"))).toBe("microphone_busy");
    expect(microphoneFault("anything else")).toBe("no_audio_support");
  });
});
