/** The agent's end of a caller's line: sound both ways over the desk's audio socket, and what the page shows of it. */

import { reactive } from "vue";
import { backoffMs } from "../backoff";
import type { AudioEnds, AudioWishes } from "../call/callAudio";
import { CallFaultError, microphoneFault } from "../call/callErrors";
import { isObject, text } from "../parse";
import { LINE_RATE, pcm16ToFloat, peakOf } from "../pcm";
import { endedWords, microphoneWords, type LineRole, type Quality } from "./lineWords";

export interface Party {
  role: LineRole;
  name: string;
}

export interface DeskLineView {
  /** ``back``: the connection broke and is coming back by itself. */
  phase: "off" | "connecting" | "on" | "back" | "ended";
  callId: string;
  conversationId: string;
  role: LineRole;
  startedAt: number | null;
  /** ``none``: refused or lost, and the sentence says what to do. */
  microphone: "off" | "on" | "none";
  microphoneTrouble: string;
  muted: boolean;
  held: boolean;
  parties: Party[];
  /** What the caller is just saying, before the sentence is whole. */
  hearing: string;
  /** Loudest sample of the last tenth of a second, 0..1. */
  levelIn: number;
  levelOut: number;
  quality: Quality;
  roundTripMs: number | null;
  trouble: string;
  ending: string;
}

export interface DeskLineParts {
  makeAudio(wishes: AudioWishes): AudioEnds;
  openSocket(callId: string, role: LineRole): WebSocket;
  now?: () => number;
}

export type DeskLine = ReturnType<typeof createDeskLine>;

export interface LineDiagnostics {
  framesSent: number;
  framesReceived: number;
  peakIn: number;
  peakOut: number;
}

declare global {
  interface Window {
    /** Counters of the present line, for tests and for support. No sound is kept. */
    __hotlineDesk?: LineDiagnostics;
  }
}

const TICK_MS = 100;
const CHECK_MS = 2_000;
const FRAMES_EXPECTED = CHECK_MS / 20;
const LONGEST_BACKLOG_BYTES = LINE_RATE; // half a second: what waits longer would be heard late
const NOT_AGAIN: readonly number[] = [1000, 1008, 4401, 4403, 4409];

export function audioUrl(callId: string, role: LineRole, origin: string = window.location.origin): string {
  const path = `/api/v1/desk/calls/${encodeURIComponent(callId)}/audio?role=${role}&sample_rate=${LINE_RATE}`;
  return `${origin.replace(/^http/, "ws")}${path}`;
}

const blank = (): DeskLineView => ({
  phase: "off", callId: "", conversationId: "", role: "agent", startedAt: null, microphone: "off", microphoneTrouble: "",
  muted: false, held: false, parties: [], hearing: "", levelIn: 0, levelOut: 0, quality: "measuring", roundTripMs: null,
  trouble: "", ending: "",
}); // prettier-ignore

export function createDeskLine(parts: DeskLineParts) {
  const now = parts.now ?? Date.now;
  const view = reactive(blank());
  let socket: WebSocket | null = null;
  let audio: AudioEnds | null = null;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let ticking: ReturnType<typeof setInterval> | undefined;
  let checking: ReturnType<typeof setInterval> | undefined;
  let peaks = { in: 0, out: 0 };
  let received = 0;
  let counters: LineDiagnostics = { framesSent: 0, framesReceived: 0, peakIn: 0, peakOut: 0 };

  const speaks = (role: LineRole): boolean => role !== "listen";
  const live = (): boolean => view.phase === "connecting" || view.phase === "on" || view.phase === "back";

  async function join(callId: string, conversationId: string, role: LineRole = "agent"): Promise<void> {
    if (live() && view.callId === callId && view.role === role) return;
    leave();
    Object.assign(view, blank(), { phase: "connecting", callId, conversationId, role });
    counters = { framesSent: 0, framesReceived: 0, peakIn: 0, peakOut: 0 };
    window.__hotlineDesk = counters;
    failures = 0;
    await openAudio(speaks(role));
    if (view.callId !== callId || view.phase !== "connecting") return; // left while the browser was asking
    connect();
    ticking = setInterval(showLevels, TICK_MS);
    checking = setInterval(check, CHECK_MS);
  }

  /** With a microphone where one is wished for and there; else to listen alone, and says why. */
  async function openAudio(microphone: boolean): Promise<boolean> {
    const wanted = microphone;
    for (const withMicrophone of wanted ? [true, false] : [false]) {
      const mine = parts.makeAudio({ microphone: withMicrophone, onMicrophoneLost: microphoneLost });
      audio?.stop();
      audio = mine;
      try {
        await mine.start(sendFrame, () => undefined);
        if (audio !== mine) return false;
        if (withMicrophone) Object.assign(view, { microphone: "on", microphoneTrouble: "" });
        if (withMicrophone) mine.mute(view.muted);
        return withMicrophone === wanted;
      } catch (error) {
        if (audio !== mine) return false;
        const fault = error instanceof CallFaultError ? error.fault : microphoneFault(error);
        Object.assign(view, { microphone: wanted ? "none" : "off", microphoneTrouble: microphoneWords(fault) });
      }
    }
    return false;
  }

  function microphoneLost(): void {
    view.microphone = "none";
    view.microphoneTrouble = microphoneWords("lost");
    view.levelOut = peaks.out = 0;
  }

  /** After the microphone was allowed or plugged in. */
  async function tryMicrophone(): Promise<boolean> {
    return live() && (await openAudio(true));
  }

  function connect(): void {
    const mine = parts.openSocket(view.callId, view.role);
    mine.binaryType = "arraybuffer";
    socket = mine;
    mine.onmessage = (message: MessageEvent<unknown>) => {
      if (mine !== socket) return;
      if (message.data instanceof ArrayBuffer) hear(message.data);
      else if (typeof message.data === "string") read(message.data);
    };
    mine.onclose = (event) => {
      if (mine !== socket) return;
      socket = null;
      if (NOT_AGAIN.includes(event.code)) return finish(view.trouble || endedWords("refused"));
      view.phase = "back";
      view.quality = "poor";
      retry = setTimeout(connect, backoffMs(failures));
      failures += 1;
    };
  }

  function say(frame: Record<string, unknown>): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function sendFrame(frame: ArrayBuffer): void {
    if (view.phase !== "on" || !speaks(view.role) || socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > LONGEST_BACKLOG_BYTES) return;
    const peak = peakOf(pcm16ToFloat(frame));
    socket.send(frame);
    counters.framesSent += 1;
    counters.peakOut = Math.max(counters.peakOut, peak);
    peaks.out = Math.max(peaks.out, peak);
  }

  function hear(bytes: ArrayBuffer): void {
    const samples = pcm16ToFloat(bytes);
    const peak = peakOf(samples);
    received += 1;
    counters.framesReceived += 1;
    counters.peakIn = Math.max(counters.peakIn, peak);
    peaks.in = Math.max(peaks.in, peak);
    audio?.play(samples);
  }

  function showLevels(): void {
    view.levelIn = Math.max(peaks.in, view.levelIn * 0.7);
    view.levelOut = view.muted ? 0 : Math.max(peaks.out, view.levelOut * 0.7);
    peaks = { in: 0, out: 0 };
  }

  function check(): void {
    if (view.phase !== "on") return;
    const share = received / FRAMES_EXPECTED;
    received = 0;
    view.quality = view.held ? "held" : share > 0.93 ? "good" : share > 0.75 ? "fair" : "poor";
    say({ type: "ping", at: now() });
  }

  function read(raw: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(raw);
    } catch {
      view.trouble = "线路发来一条读不出的消息，通话继续。";
      return;
    }
    if (!isObject(frame)) return;
    switch (frame.type) {
      case "bridged":
        failures = received = 0;
        Object.assign(view, { phase: "on", trouble: "", startedAt: view.startedAt ?? now(), quality: "measuring" });
        onLine(frame);
        if (view.role === "agent" && view.muted) say({ type: "mute", on: true });
        return;
      case "party":
        return onLine(frame);
      case "hold":
        view.held = frame.on === true;
        return;
      case "mute":
        if (view.role === "agent") view.muted = frame.on === true;
        return;
      case "role":
        view.role = String(frame.role) as LineRole;
        return;
      case "transcript":
        view.hearing = frame.final === true ? "" : text(frame.text);
        return;
      case "pong":
        view.roundTripMs = Math.max(0, Math.round(now() - Number(frame.at)));
        return;
      case "error":
        view.trouble = text(frame.detail);
        return;
      case "ended":
        return finish(endedWords(text(frame.reason)));
    }
  }

  function onLine(frame: Record<string, unknown>): void {
    view.held = frame.hold === true;
    view.parties = Array.isArray(frame.parties) ? (frame.parties as Party[]) : [];
  }

  function mute(on: boolean): void {
    view.muted = on;
    audio?.mute(on);
    if (view.role === "agent") say({ type: "mute", on });
  }

  const hold = (on: boolean): void => say({ type: "hold", on });

  /** A supervisor on the line: listens, whispers, barges in. Without a microphone they go on listening. */
  async function become(role: "listen" | "whisper" | "barge"): Promise<boolean> {
    if (!live() || view.role === "agent") return false;
    if (speaks(role) && view.microphone !== "on" && !(await openAudio(true))) return false;
    view.role = role; // so that a connection that comes back has the same
    say({ type: "role", role });
    return true;
  }

  function finish(words: string): void {
    close();
    view.phase = "ended";
    view.ending = words;
    Object.assign(view, { hearing: "", levelIn: 0, levelOut: 0, parties: [] });
  }

  /** Off the line, by one's own wish: the caller stays. */
  function leave(): void {
    say({ type: "stop" });
    close();
    Object.assign(view, blank());
  }

  function close(): void {
    clearTimeout(retry);
    clearInterval(ticking);
    clearInterval(checking);
    const open = socket;
    socket = null;
    open?.close();
    audio?.stop();
    audio = null;
  }

  return { view, join, leave, mute, hold, become, tryMicrophone, live };
}
