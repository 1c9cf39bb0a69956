/** The limit the gateway holds too (hotline/citizen_text.py), counted the same way: code points after NFKC. */

export const MAX_CHARACTERS = 500;
export const TOO_LONG = `一次最多 ${MAX_CHARACTERS} 个字，请把问题分成几句来问。`;

export function tidy(raw: string): string {
  return raw.normalize("NFKC").replace(/\s+/gu, " ").trim();
}

export function countCharacters(raw: string): number {
  return [...tidy(raw)].length;
}
