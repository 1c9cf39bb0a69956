/** One telephone call over the call socket: the protocol, and what the page shows of it. */

import { reactive } from "vue";
import { isObject, parseReply, parseState, text } from "../parse";
import { LINE_RATE, pcm16ToFloat, peakOf } from "../pcm";
import type { ConversationState, Reply } from "../types";
import type { AudioEnds } from "./callAudio";
import { CallFaultError, endingSentence, faultSentence, microphoneFault } from "./callErrors";
import { freshDiagnostics } from "./diagnostics";

export type CallPhase = "idle" | "connecting" | "ready" | "hearing" | "thinking" | "speaking" | "ended";

export type CallLine =
  | { who: "caller"; key: number; text: string; final: boolean }
  | { who: "line"; key: number; reply: Reply; byAgent?: boolean };

export interface CallParts {
  makeAudio(): AudioEnds;
  openSocket(): WebSocket;
  now(): number;
}

/** An unanswered dial is given up after this long. */
export const ANSWER_WITHIN_MS = 10_000;
/** More than this waiting to leave (one second of sound) means the network is too slow: frames are left out. */
const LONGEST_BACKLOG_BYTES = LINE_RATE * 2;

export function callsUrl(origin: string = window.location.origin): string {
  return `${origin.replace(/^http/, "ws")}/api/v1/calls`;
}

export function createCallSession({ makeAudio, openSocket, now }: CallParts) {
  const view = reactive({
    phase: "idle" as CallPhase,
    state: "bot" as ConversationState,
    queuePosition: null as number | null,
    lines: [] as CallLine[],
    muted: false,
    startedAt: null as number | null,
    endedAt: null as number | null,
    /** Why the call ended or did not begin. */
    error: null as string | null,
    /** How the call ended, where nothing went wrong. */
    ending: null as string | null,
    /** Something the line could not do while the call goes on. */
    notice: null as string | null,
    pressed: "",
  });

  let socket: WebSocket | null = null;
  let audio: AudioEnds | null = null;
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  let counters = freshDiagnostics();
  let lineSpeaks = false;
  let made = 0;

  async function dial(): Promise<void> {
    if (view.phase !== "idle" && view.phase !== "ended") return;
    Object.assign(view, { phase: "connecting", state: "bot", queuePosition: null, lines: [], muted: false });
    Object.assign(view, { startedAt: null, endedAt: null, error: null, ending: null, notice: null, pressed: "" });
    counters = freshDiagnostics();
    lineSpeaks = false;
    const mine = makeAudio();
    audio = mine;
    try {
      await mine.start(sendFrame, heardUpTo);
    } catch (error) {
      if (audio === mine) fail(error instanceof CallFaultError ? error.message : faultSentence(microphoneFault(error)));
      return;
    }
    if (audio !== mine) return; // hung up meanwhile
    connect();
  }

  function connect(): void {
    const mine = openSocket();
    mine.binaryType = "arraybuffer";
    socket = mine;
    answerTimer = setTimeout(() => fail(faultSentence("cannot_connect")), ANSWER_WITHIN_MS);
    mine.onopen = () => say({ type: "start", encoding: "pcm_s16le", sample_rate: LINE_RATE });
    mine.onmessage = (message: MessageEvent<unknown>) => {
      if (mine !== socket) return;
      if (message.data instanceof ArrayBuffer) hear(message.data);
      else if (typeof message.data === "string") read(message.data);
    };
    mine.onclose = () => {
      if (mine !== socket) return;
      fail(faultSentence(view.startedAt === null ? "cannot_connect" : "connection_lost"));
    };
  }

  function say(frame: Record<string, unknown>): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function sendFrame(frame: ArrayBuffer): void {
    if (view.startedAt === null || socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > LONGEST_BACKLOG_BYTES) {
      counters.framesDropped += 1;
      return;
    }
    socket.send(frame);
    counters.framesSent += 1;
    counters.microphonePeak = Math.max(counters.microphonePeak, peakOf(pcm16ToFloat(frame)));
  }

  function hear(bytes: ArrayBuffer): void {
    const samples = pcm16ToFloat(bytes);
    counters.bytesReceived += bytes.byteLength;
    counters.peak = Math.max(counters.peak, peakOf(samples));
    audio?.play(samples);
  }

  /** The loudspeaker reports the seconds still to be heard. */
  function heardUpTo(seconds: number): void {
    if (view.startedAt === null || view.phase === "ended") return;
    if (seconds > 0) view.phase = "speaking";
    else if (view.phase === "speaking" && !lineSpeaks) view.phase = "ready";
  }

  function read(raw: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(raw);
    } catch {
      view.notice = "线路发来一条读不出的消息，通话继续。";
      return;
    }
    if (!isObject(frame)) return;
    switch (frame.type) {
      case "started":
        clearTimeout(answerTimer);
        view.startedAt = now();
        view.phase = "ready";
        break;
      case "transcript":
        transcript(text(frame.text), frame.final === true);
        break;
      case "reply":
        made += 1;
        view.notice = null;
        view.lines.push({ who: "line", key: made, reply: parseReply(frame.reply ?? frame) });
        break;
      case "agent_message":
        made += 1;
        view.lines.push({ who: "line", key: made, reply: parseReply({ text: text(frame.text) }), byAgent: true });
        break;
      case "speech":
        speech(frame.phase);
        break;
      case "state":
        view.state = parseState(frame.state);
        if (view.state !== "queued") view.queuePosition = null;
        break;
      case "queue":
        view.queuePosition = Number(frame.position) || null;
        break;
      case "error":
        view.notice = text(frame.detail) || "这一步没有成功，通话继续，请再说一次。";
        break;
      case "ended":
        finish(endingSentence(text(frame.reason)));
    }
  }

  function transcript(words: string, final: boolean): void {
    if (words) {
      const last = view.lines.at(-1);
      if (last?.who === "caller" && !last.final) Object.assign(last, { text: words, final });
      else {
        made += 1;
        view.lines.push({ who: "caller", key: made, text: words, final });
      }
    }
    if (!final) view.phase = "hearing";
    else if (words) view.phase = "thinking";
    else if (view.phase === "hearing") view.phase = "ready";
  }

  function speech(phase: unknown): void {
    if (phase === "start") {
      lineSpeaks = true;
      view.phase = "speaking";
    } else if (phase === "cut") {
      lineSpeaks = false;
      audio?.clear();
      view.phase = "hearing";
    } else if (phase === "end") {
      lineSpeaks = false; // sent, not yet heard: the loudspeaker tells when
    }
  }

  function press(digit: string): void {
    if (view.startedAt === null) return;
    view.pressed = (view.pressed + digit).slice(-12);
    say({ type: "dtmf", digit });
  }

  function mute(on: boolean): void {
    view.muted = on;
    audio?.mute(on);
  }

  function hangUp(): void {
    say({ type: "stop" });
    finish(endingSentence("hangup"));
  }

  function finish(sentence: string): void {
    if (view.phase === "ended") return;
    clearTimeout(answerTimer);
    view.phase = "ended";
    view.endedAt = now();
    view.ending = sentence;
    const open = socket;
    socket = null;
    open?.close();
    audio?.stop();
    audio = null;
  }

  function fail(sentence: string): void {
    finish("");
    view.error = sentence;
  }

  return { view, dial, hangUp, press, mute };
}

export type CallSession = ReturnType<typeof createCallSession>;
