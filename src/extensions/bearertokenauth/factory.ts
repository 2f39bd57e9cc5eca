import { defineExtension } from '../../component/factory.js';
import { BearerTokenAuth } from './bearertokenauth.js';
import { bearerTokenAuthConfig } from './config.js';

export const bearerTokenAuthExtension = defineExtension({
  type: 'bearertokenauth',
  stability: 'beta',
  description: 'Asks clients for a token, or shows one to servers (RFC 6750).',
  config: bearerTokenAuthConfig,
  create: (settings, config) => new BearerTokenAuth(settings, config),
});
