/** 16 kHz samples → loudspeaker. In: a Float32Array, or "clear". Out: seconds still to be heard, ten times a second. */

import { PlaybackBuffer } from "./playbackBuffer";

class PlaybackProcessor extends AudioWorkletProcessor {
  private readonly buffer = new PlaybackBuffer(sampleRate);
  private sinceReport = 0;

  constructor() {
    super();
    this.port.onmessage = (message: MessageEvent<Float32Array | "clear">) => {
      if (message.data === "clear") this.buffer.clear();
      else this.buffer.push(message.data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channels = outputs[0] ?? [];
    const first = channels[0];
    if (!first) return true;
    this.buffer.pull(first);
    for (const other of channels.slice(1)) other.set(first);
    this.sinceReport += first.length;
    if (this.sinceReport >= sampleRate / 10) {
      this.sinceReport = 0;
      this.port.postMessage(this.buffer.seconds);
    }
    return true;
  }
}

registerProcessor("hotline-playback", PlaybackProcessor);
