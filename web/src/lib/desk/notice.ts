/** Calls the agent to the screen: a beep made on the spot, and the title of the tab. */

export interface Notice {
  ring(words: string): void;
  quiet(): void;
}

const REPEAT_MS = 3_000;
const FLASH_MS = 800;

export function browserNotice(): Notice {
  let sound: AudioContext | null = null;
  let ringing: ReturnType<typeof setInterval> | null = null;
  let flashing: ReturnType<typeof setInterval> | null = null;
  const title = document.title;

  function beep(): void {
    try {
      sound ??= new AudioContext();
      void sound.resume(); // a browser may keep it still until the first key or click: the title flashes anyway
      for (const [at, pitch] of [
        [0, 880],
        [0.22, 1175],
      ] as const) {
        const tone = sound.createOscillator();
        const volume = sound.createGain();
        const from = sound.currentTime + at;
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, from);
        volume.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.18);
        tone.connect(volume).connect(sound.destination);
        tone.start(from);
        tone.stop(from + 0.2);
      }
    } catch {
      // No sound device: what is on the screen has to do.
    }
  }

  function quiet(): void {
    if (ringing !== null) clearInterval(ringing);
    if (flashing !== null) clearInterval(flashing);
    ringing = flashing = null;
    document.title = title;
  }

  return {
    ring(words) {
      quiet();
      beep();
      ringing = setInterval(beep, REPEAT_MS);
      document.title = words;
      flashing = setInterval(() => (document.title = document.title === title ? words : title), FLASH_MS);
    },
    quiet,
  };
}
