/** Files of strangers: whatever their bytes are, reading them ends, throws nothing and finds places inside the file. */
import { expect, it } from 'vitest';
import { MemoryBytes } from '../../../src/observer/tls/byte-source.js';
import { parseMappedFiles } from '../../../src/observer/tls/mapped-files.js';
import { readTlsBinary, type TlsLibrary } from '../../../src/observer/tls/tls-binary.js';
import { serverHelloVersion } from '../../../src/observer/tls/tls-wire.js';
import { readX86 } from '../../../src/observer/tls/x86-instruction.js';
import { elfImage, goFunctionTable } from '../../helpers/elf-image.js';
import { seededRandom } from '../../helpers/random.js';

const ALL: ReadonlySet<TlsLibrary> = new Set(['openssl', 'gnutls', 'go']);
const CODE = Buffer.from(
  '4883ec1885d2782f4889e14863d2e8120000009090c3493b66100f867a030000554889e5c3'.repeat(4),
  'hex',
);
const NAMES = ['SSL_read', 'SSL_write_ex', 'SSL_free', 'gnutls_record_recv', 'gnutls_record_send'];
const GO = {
  'crypto/tls.(*Conn).Read': [22, 30],
  'crypto/tls.(*Conn).Write': [59, 30],
  'runtime.memmove': [0, 9],
} as const;

const IMAGES = [
  elfImage({
    code: CODE,
    functions: Object.fromEntries(NAMES.map((name, i) => [name, [i * 11, 20] as const])),
  }),
  elfImage({ code: CODE, functions: {}, sections: { '.gopclntab': goFunctionTable(0x1000, GO) } }),
];

it('survives ELF files and Go function tables with any bytes changed', () => {
  const random = seededRandom(7);
  let understood = 0;
  for (let round = 0; round < 30_000; round++) {
    const image = Buffer.from(IMAGES[round % IMAGES.length]!);
    const changes = Math.floor(random() * 8);
    for (let i = 0; i < changes; i++) {
      const at = Math.floor(random() * image.length);
      const width = random();
      if (width < 0.5) image[at] = Math.floor(random() * 256);
      else if (at + 8 <= image.length) image.writeDoubleLE(random() * 1e300, at);
      if (width > 0.9 && at + 4 <= image.length) image.writeUInt32LE(0xffff_ffff, at);
    }
    const end = random() < 0.1 ? Math.floor(random() * image.length) : image.length;
    const binary = readTlsBinary(new MemoryBytes(image.subarray(0, end)), ALL);
    for (const { offset } of binary?.probes ?? []) {
      expect(Number.isSafeInteger(offset)).toBe(true);
      understood++;
    }
  }
  expect(understood).toBeGreaterThan(10_000);
});

it('reads instructions, handshakes and maps of any bytes', () => {
  const random = seededRandom(8);
  for (let round = 0; round < 100_000; round++) {
    const bytes = Buffer.from(Array.from({ length: 48 }, () => Math.floor(random() * 256)));
    const instruction = readX86(bytes, round % 48);
    if (instruction !== undefined) {
      expect(instruction.length).toBeGreaterThan(0);
      expect(instruction.length).toBeLessThanOrEqual(15);
    }
    bytes.set([22, 3, 3, 0, 43, 2], 0);
    serverHelloVersion(bytes, 0, bytes.length);
    if (round % 100 === 0) parseMappedFiles(bytes.toString('latin1').repeat(5));
  }
});
