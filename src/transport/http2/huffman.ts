/**
 * The Huffman code of header texts (RFC 7541, section 5.2 and appendix B). The code is canonical: codes of one length
 * follow each other in the order of their symbols, so the lengths are the whole table.
 */
import { H2_ERROR, Http2Error } from './protocol.js';

/** Bits of the code of each symbol, in base 36: bytes 0 to 255, and the end of the text. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';

const END_OF_TEXT = 256;
const LONGEST = 30;
/** Of each length: its first code, how many codes it has, and the place of its first symbol in `SYMBOLS`. */
const FIRST = new Uint32Array(LONGEST + 1);
const COUNT = new Uint32Array(LONGEST + 1);
const PLACE = new Uint32Array(LONGEST + 1);
const SYMBOLS = new Uint16Array(LENGTHS.length);

for (let bits = 1, code = 0, place = 0; bits <= LONGEST; bits++, code *= 2) {
  FIRST[bits] = code;
  PLACE[bits] = place;
  for (let symbol = 0; symbol < LENGTHS.length; symbol++) {
    if (Number.parseInt(LENGTHS[symbol]!, 36) !== bits) continue;
    SYMBOLS[place++] = symbol;
    COUNT[bits]!++;
    code++;
  }
}

/** The text in `bytes[start, end)`, one character for each byte. Throws `Http2Error`. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let code = 0;
  let bits = 0;
  let allOnes = true;
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1;
      if (bit === 0) allOnes = false;
      code = code * 2 + bit;
      bits++;
      const offset = code - FIRST[bits]!;
      if (offset >= COUNT[bits]!) {
        if (bits === LONGEST) throw broken();
        continue;
      }
      const symbol = SYMBOLS[PLACE[bits]! + offset]!;
      if (symbol === END_OF_TEXT) throw broken();
      text += String.fromCharCode(symbol);
      code = 0;
      bits = 0;
      allOnes = true;
    }
  }
  // What is left is padding: the beginning of the end-of-text code, less than a byte.
  if (bits > 7 || !allOnes) throw broken();
  return text;
}

const broken = (): Http2Error => new Http2Error(H2_ERROR.COMPRESSION_ERROR, 'a broken Huffman text');
