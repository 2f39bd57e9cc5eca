/**
 * The Huffman code of HPACK, RFC 7541 section 5.2 and appendix B. The code is canonical: the lengths say it all.
 */

/** Symbols by the length of their code in bits; 256 is the end of the string. */
const SYMBOLS_BY_LENGTH: readonly (readonly [bits: number, symbols: string | readonly number[]])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190,
      196, 198, 228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175,
      180, 182, 183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [
    28,
    [
      2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127,
      220, 249,
    ],
  ],
  [30, [10, 13, 22, 256]],
];

const LONGEST = 30;
const END = 256;

/** For codes of at most 8 bits: length << 16 | symbol, by the next 8 bits; 0 for longer ones. */
const SHORT = new Uint32Array(256);
/** For each length: the first code, the index of its symbol in `ORDERED`, and how many there are. */
const FIRST_CODE = new Uint32Array(LONGEST + 1);
const FIRST_INDEX = new Uint16Array(LONGEST + 1);
const COUNT = new Uint16Array(LONGEST + 1);
const ORDERED: number[] = [];

let nextCode = 0;
let bits = 0;
for (const [length, symbols] of SYMBOLS_BY_LENGTH) {
  nextCode <<= length - bits;
  bits = length;
  const list = typeof symbols === 'string' ? [...symbols].map((text) => text.charCodeAt(0)) : symbols;
  FIRST_CODE[length] = nextCode;
  FIRST_INDEX[length] = ORDERED.length;
  COUNT[length] = list.length;
  for (const symbol of list) {
    if (length <= 8) {
      const from = nextCode << (8 - length);
      SHORT.fill((length << 16) | symbol, from, from + (1 << (8 - length)));
    }
    ORDERED.push(symbol);
    nextCode++;
  }
}

/**
 * Decodes `bytes[start, end)` into `target` and returns how many bytes that made, or -1 when it is no valid code or does
 * not fit.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let written = 0;
  /** The next `held` bits, as the low bits of `window`. */
  let window = 0;
  let held = 0;
  let at = start;
  for (;;) {
    while (held <= 22 && at < end) {
      window = ((window << 8) | bytes[at++]!) & 0x3fff_ffff;
      held += 8;
    }
    if (held === 0) return written;
    const peek = held >= 8 ? (window >>> (held - 8)) & 0xff : (window << (8 - held)) & 0xff;
    const short = SHORT[peek]!;
    const shortLength = short >>> 16;
    if (shortLength !== 0 && shortLength <= held) {
      if (written >= target.length) return -1;
      target[written++] = short & 0xffff;
      held -= shortLength;
      window &= (1 << held) - 1;
      continue;
    }
    if (at === end && held < 8 && window === (1 << held) - 1) return written; // padding
    const symbol = longSymbol(window, held);
    if (symbol < 0 || (symbol & 0xffff) === END || written >= target.length) return -1;
    target[written++] = symbol & 0xffff;
    held -= symbol >>> 16;
    window &= (1 << held) - 1;
  }
}

/** length << 16 | symbol of the code of more than 8 bits that `window` begins with; -1 when there is none. */
function longSymbol(window: number, held: number): number {
  for (let length = 9; length <= LONGEST && length <= held; length++) {
    const index = (window >>> (held - length)) - FIRST_CODE[length]!;
    if (index >= 0 && index < COUNT[length]!) return (length << 16) | ORDERED[FIRST_INDEX[length]! + index]!;
  }
  return -1;
}
