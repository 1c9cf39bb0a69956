import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoffMs } from "../src/lib/backoff";
import { type ConnectionStatus, EventStream, eventsUrl } from "../src/lib/eventStream";
import type { EventFrame } from "../src/lib/types";
import { asSocket, FakeSocket } from "./fakes";

let frames: EventFrame[];
let statuses: ConnectionStatus[];
let refused: number;
let stream: EventStream;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
  FakeSocket.made = [];
  frames = [];
  statuses = [];
  refused = 0;
  stream = new EventStream(
    { id: "c1", token: "a b" },
    {
      onFrame: (frame) => frames.push(frame),
      onStatus: (status) => statuses.push(status),
      onRefused: () => (refused += 1),
    },
    (url) => asSocket(new FakeSocket(url)),
    "https://hotline.example",
  );
  stream.start();
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const agentSays = (seq: number, text: string) => ({ type: "agent_message", seq, text });

describe("the event stream", () => {
  it("asks for everything first, over a socket as safe as the page", () => {
    expect(FakeSocket.last.url).toBe("wss://hotline.example/api/v1/conversations/c1/events?token=a+b&after=0");
    expect(eventsUrl({ id: "x/y", token: "t" }, 3, "http://h")).toContain("ws://h/api/v1/conversations/x%2Fy/events");
  });

  it("comes back from the last event it has seen", () => {
    FakeSocket.last.accept();
    FakeSocket.last.receive(agentSays(7, "您好"));
    FakeSocket.last.drop();
    expect(statuses.at(-1)).toBe("reconnecting");
    vi.advanceTimersByTime(1_000);
    expect(FakeSocket.made).toHaveLength(2);
    expect(FakeSocket.last.url).toContain("after=7");
    FakeSocket.last.accept();
    expect(statuses.at(-1)).toBe("connected");
  });

  it("waits longer after each try in vain, says offline, and goes on trying", () => {
    for (const wait of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      FakeSocket.last.drop();
      const before = FakeSocket.made.length;
      vi.advanceTimersByTime(wait - 1);
      expect(FakeSocket.made).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(FakeSocket.made).toHaveLength(before + 1);
    }
    expect(statuses.at(-1)).toBe("offline");
    FakeSocket.last.accept();
    expect(statuses.at(-1)).toBe("connected");
  });

  it("spreads its tries", () => {
    expect(backoffMs(0, 1)).toBe(1_200);
    expect(backoffMs(20, 0)).toBe(15_000);
  });

  it("hands an event over once, even if it is sent twice", () => {
    FakeSocket.last.accept();
    FakeSocket.last.receive(agentSays(3, "一"));
    FakeSocket.last.receive(agentSays(3, "一"));
    FakeSocket.last.receive(agentSays(4, "二"));
    expect(frames.map((frame) => frame.seq)).toEqual([3, 4]);
  });

  it("passes two typing signs on, since they carry no number", () => {
    FakeSocket.last.receive({ type: "typing" });
    FakeSocket.last.receive({ type: "typing" });
    expect(frames).toHaveLength(2);
  });

  it("counts what it cannot read and goes on", () => {
    FakeSocket.last.receive("not json");
    FakeSocket.last.receive({ type: "unheard of" });
    FakeSocket.last.receive(agentSays(1, "在"));
    expect(stream.unreadable).toBe(2);
    expect(frames).toHaveLength(1);
  });

  it("stops where its token is refused", () => {
    FakeSocket.last.accept();
    FakeSocket.last.drop(4401);
    vi.advanceTimersByTime(60_000);
    expect(refused).toBe(1);
    expect(FakeSocket.made).toHaveLength(1);
  });

  it("comes back at once when the network does", () => {
    FakeSocket.last.accept();
    window.dispatchEvent(new Event("offline"));
    expect(statuses.at(-1)).toBe("offline");
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.accept();
    expect(statuses.at(-1)).toBe("connected");
  });

  it("does not come back after it was stopped", () => {
    stream.stop();
    vi.advanceTimersByTime(60_000);
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.made).toHaveLength(1);
  });
});
