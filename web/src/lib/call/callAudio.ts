/** Microphone and loudspeaker of a call, through two audio worklets. */

import { CallFaultError, microphoneFault } from "./callErrors";
import captureUrl from "./capture.worklet.ts?worker&url";
import playbackUrl from "./playback.worklet.ts?worker&url";

export interface AudioEnds {
  /** ``onFrame`` gets 640 bytes: 20 ms at 16 kHz. ``onBuffered`` gets the seconds still to be heard. */
  start(onFrame: (frame: ArrayBuffer) => void, onBuffered: (seconds: number) => void): Promise<void>;
  play(samples: Float32Array<ArrayBuffer>): void;
  clear(): void;
  mute(on: boolean): void;
  stop(): void;
}

export interface AudioWishes {
  /** Without one, only the loudspeaker is opened. */
  microphone?: boolean;
  /** The microphone was unplugged or taken back. */
  onMicrophoneLost?: () => void;
}

export class BrowserAudio implements AudioEnds {
  private context: AudioContext | null = null;
  private microphone: MediaStream | null = null;
  private playback: AudioWorkletNode | null = null;
  private stopped = false;

  constructor(private readonly wishes: AudioWishes = {}) {}

  async start(onFrame: (frame: ArrayBuffer) => void, onBuffered: (seconds: number) => void): Promise<void> {
    if (!window.isSecureContext) throw new CallFaultError("insecure_page");
    const speaks = this.wishes.microphone !== false;
    if ((speaks && !navigator.mediaDevices) || !("AudioWorkletNode" in window)) throw new CallFaultError("no_audio_support");
    try {
      // Made while the tap is fresh, or the browser keeps it silent.
      this.context = new AudioContext({ latencyHint: "interactive" });
      if (speaks) {
        this.microphone = await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
        });
        for (const track of this.microphone.getAudioTracks()) {
          track.addEventListener("ended", () => this.stopped || this.wishes.onMicrophoneLost?.());
        }
      }
      await Promise.all([
        this.context.resume(),
        this.context.audioWorklet.addModule(captureUrl),
        this.context.audioWorklet.addModule(playbackUrl),
      ]);
    } catch (error) {
      this.stop();
      throw new CallFaultError(microphoneFault(error));
    }
    if (this.stopped) {
      this.stop(); // hung up while the browser was asking
      return;
    }
    const context = this.context;
    if (this.microphone) {
      const capture = new AudioWorkletNode(context, "hotline-capture", { numberOfOutputs: 0 });
      capture.port.onmessage = (message: MessageEvent<ArrayBuffer>) => onFrame(message.data);
      context.createMediaStreamSource(this.microphone).connect(capture);
    }
    this.playback = new AudioWorkletNode(context, "hotline-playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.playback.port.onmessage = (message: MessageEvent<number>) => onBuffered(message.data);
    this.playback.connect(context.destination);
  }

  play(samples: Float32Array<ArrayBuffer>): void {
    this.playback?.port.postMessage(samples, [samples.buffer]);
  }

  clear(): void {
    this.playback?.port.postMessage("clear");
  }

  mute(on: boolean): void {
    // A disabled track gives silence, so the line still hears that the call is alive.
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !on;
  }

  stop(): void {
    this.stopped = true;
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
    this.microphone = null;
    this.playback = null;
    const context = this.context;
    this.context = null;
    if (context && context.state !== "closed") void context.close();
  }
}
