import { expect, it } from 'vitest';
import { looksLikeId } from '../../../src/protocols/identifier.js';

it.each([
  '0',
  '17',
  '-3',
  '10.0.0.1',
  '2026-11-21',
  '12:30',
  'order2026',
  'deadbee1',
  '3F2504E0-4F89-11D3-9A0C-0305E82C3301',
  'ann@example.org',
  'ann%40example.org',
  'Zm9vYmFyIGJhejEy',
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
  'x'.repeat(65),
])('%s looks like an id', (part) => expect(looksLikeId(part)).toBe(true));

it.each([
  '',
  '-',
  'orders',
  'v1',
  'v1beta2',
  'oauth2',
  'deadbeef',
  'facade',
  'app.js',
  'e2e',
  'mp3',
  'order-items',
  'getOrdersByCustomerName',
  'user_profile_v2_settings',
  'größe',
  'gr%C3%B6%C3%9Fe',
  '%RETRY%workers',
  'x'.repeat(64),
])('%s is a word', (part) => expect(looksLikeId(part)).toBe(false));
