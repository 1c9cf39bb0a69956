import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AudioEnds, AudioWishes } from "../src/lib/call/callAudio";
import { CallFaultError } from "../src/lib/call/callErrors";
import { audioUrl, createDeskLine, type DeskLine } from "../src/lib/desk/deskCall";
import { asSocket, FakeSocket } from "./fakes";

let refusal: Error | null;
let made: Array<{ wishes: AudioWishes; stopped: boolean; muted: boolean; played: number; frame: (pcm: ArrayBuffer) => void }>;
let line: DeskLine;
const loud = (): ArrayBuffer => new Int16Array(320).fill(16_384).buffer;

function makeAudio(wishes: AudioWishes): AudioEnds {
  const own = { wishes, stopped: false, muted: false, played: 0, frame: (_: ArrayBuffer) => {} };
  made.push(own);
  return {
    start: async (onFrame) => {
      if (wishes.microphone && refusal) throw refusal;
      own.frame = onFrame;
    },
    play: (samples) => void (own.played += samples.length),
    clear: () => {},
    mute: (on) => void (own.muted = on),
    stop: () => void (own.stopped = true),
  };
}

async function bridged(role: "agent" | "listen" = "agent", more: object = {}): Promise<FakeSocket> {
  await line.join("k1", "c1", role);
  FakeSocket.last.accept();
  FakeSocket.last.receive({ type: "bridged", role, hold: false, muted: false, parties: [], ...more });
  return FakeSocket.last;
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  refusal = null;
  made = [];
  line = createDeskLine({ makeAudio, openSocket: (id, role) => asSocket(new FakeSocket(audioUrl(id, role, "http://h"))), now: () => Date.now() });
});
afterEach(() => vi.useRealTimers());

describe("the agent's line", () => {
  it("sends sound only once it is bridged, and plays what comes", async () => {
    await line.join("k1", "c1");
    expect(FakeSocket.last.url).toBe("ws://h/api/v1/desk/calls/k1/audio?role=agent&sample_rate=16000");
    FakeSocket.last.accept();
    made[0]?.frame(loud());
    expect(FakeSocket.last.sent).toEqual([]);
    FakeSocket.last.receive({ type: "bridged", hold: true, parties: [{ role: "listen", name: "罗班长" }] });
    made[0]?.frame(loud());
    expect(FakeSocket.last.sent).toHaveLength(1);
    FakeSocket.last.receive(loud());
    expect(made[0]?.played).toBe(320);
    expect([line.view.phase, line.view.held, line.view.parties[0]?.name]).toEqual(["on", true, "罗班长"]);
    vi.advanceTimersByTime(100);
    expect(line.view.levelIn).toBeGreaterThan(0.4);
  });

  it("without a microphone still hears, says what to do, and tries again", async () => {
    refusal = new CallFaultError("permission_denied");
    await bridged();
    expect(made.map((each) => [each.wishes.microphone, each.stopped])).toEqual([[true, true], [false, false]]);
    expect(line.view.microphone).toBe("none");
    expect(line.view.microphoneTrouble).toContain("改为「允许」");
    refusal = null;
    expect(await line.tryMicrophone()).toBe(true);
    expect([line.view.microphone, line.view.microphoneTrouble]).toEqual(["on", ""]);
  });

  it("says that a microphone was pulled out", async () => {
    await bridged();
    made[0]?.wishes.onMicrophoneLost?.();
    expect(line.view.microphoneTrouble).toContain("重新插好耳麦");
  });

  it("comes back by itself, muted as it was", async () => {
    const first = await bridged();
    line.mute(true);
    first.drop(1006);
    expect(line.view.phase).toBe("back");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "bridged", hold: false, parties: [] });
    expect(FakeSocket.last.texts).toEqual([{ type: "mute", on: true }]);
    expect(line.view.phase).toBe("on");
  });

  it("does not come back to what has ended, and says why", async () => {
    const socket = await bridged();
    socket.receive({ type: "ended", reason: "replaced" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect([line.view.phase, line.view.ending]).toEqual(["ended", "班长已经接管这通电话，您不在线上了。"]);
    expect(made[0]?.stopped).toBe(true);
  });

  it("shows the gateway's reason where it refuses", async () => {
    await line.join("k1", "c1");
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "error", code: "not_yours", detail: "不归您接待。" });
    FakeSocket.last.drop(4409);
    expect(line.view.ending).toBe("不归您接待。");
  });

  it("a supervisor listens without a microphone and speaks only with one", async () => {
    const socket = await bridged("listen");
    expect(made[0]?.wishes.microphone).toBe(false);
    made[0]?.frame(loud());
    expect(socket.sent).toEqual([]);
    refusal = new CallFaultError("no_microphone");
    expect(await line.become("whisper")).toBe(false);
    expect(line.view.role).toBe("listen");
    refusal = null;
    expect(await line.become("barge")).toBe(true);
    expect(socket.texts).toEqual([{ type: "role", role: "barge" }]);
  });

  it("says how well one hears, by the frames that come", async () => {
    const socket = await bridged();
    for (let n = 0; n < 100; n += 1) socket.receive(loud());
    vi.advanceTimersByTime(2_000);
    expect(line.view.quality).toBe("good");
    vi.advanceTimersByTime(2_000);
    expect(line.view.quality).toBe("poor");
    socket.receive({ type: "pong", at: Date.now() - 12 });
    expect(line.view.roundTripMs).toBe(12);
  });
});
