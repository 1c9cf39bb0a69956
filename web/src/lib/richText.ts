/** Finds what can be tapped in a reply: web addresses and telephone numbers. Never makes HTML. */

export interface Piece {
  text: string;
  href: string | null;
}

const TAPPABLE = /(https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]*[\w\-~/#=])|(?<![\d-])(0757-?\d{8}|12345)(?![\d-])/g;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(TAPPABLE)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    const [whole, address] = match;
    found.push({ text: whole, href: address ?? `tel:${whole.replace("-", "")}` });
    end = match.index + whole.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}
