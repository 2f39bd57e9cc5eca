/** Spans of TLS handshakes: attributes `tls.*` of the semantic conventions 1.44. */
import type { WireExchange } from '../exchange.js';
import type { SpanSink } from '../span-sink.js';

export class TlsDetail {
  serverName = '';
  offered: readonly string[] = [];
  sessionId = '';
  /** As on the wire; 0 until a ServerHello was seen. */
  version = 0;
  cipher = 0;
  group = 0;
  protocol = '';
  resumed = false;
  established = false;
  /** Why it failed; '' when it did not. */
  error = '';
}

export const TLS_ATTRIBUTES = [
  'tls.protocol.name',
  'tls.protocol.version',
  'tls.client.server_name',
  'tls.next_protocol',
  'tls.cipher',
  'tls.curve',
  'tls.resumed',
  'tls.established',
  'kindling.tls.offered_protocols',
  'error.type',
] as const;

/** The registry of the IANA, as far as servers of today choose from it. */
const CIPHERS: Readonly<Record<number, string>> = {
  4865: 'TLS_AES_128_GCM_SHA256',
  4866: 'TLS_AES_256_GCM_SHA384',
  4867: 'TLS_CHACHA20_POLY1305_SHA256',
  49195: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  49196: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  49199: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  49200: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  52392: 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  52393: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
};

const GROUPS: Readonly<Record<number, string>> = {
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  29: 'x25519',
  30: 'x448',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  4589: 'SecP384r1MLKEM1024',
};

const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
  121: 'ech_required',
};

/** RFC 8446 section 6. */
export const alertName = (description: number): string => ALERTS[description] ?? `alert_${description}`;

export function describeTls({ detail }: WireExchange<TlsDetail>, span: SpanSink): void {
  const { version, offered } = detail;
  span.name = 'TLS handshake';
  span.network('tls', undefined);
  span.put('tls.protocol.name', version === 0x0300 ? 'ssl' : 'tls');
  span.put('tls.protocol.version', versionName(version));
  span.put('tls.client.server_name', detail.serverName);
  // TLS 1.3 encrypts what was chosen; of one there is no choice.
  const only = detail.established && offered.length === 1 ? offered[0] : undefined;
  span.put('tls.next_protocol', detail.protocol === '' ? only : detail.protocol);
  span.put('tls.cipher', CIPHERS[detail.cipher]);
  span.put('tls.curve', GROUPS[detail.group]);
  if (detail.established) span.put('tls.resumed', detail.resumed);
  span.put('tls.established', detail.established);
  if (offered.length > 0) span.put('kindling.tls.offered_protocols', offered);
  if (detail.error !== '') span.errorType = detail.error;
}

function versionName(version: number): string | undefined {
  if (version === 0x0300) return '3';
  return version > 0x0300 && version <= 0x0304 ? `1.${(version & 0xff) - 1}` : undefined;
}
