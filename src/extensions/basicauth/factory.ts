import { defineExtension } from '../../component/factory.js';
import { BasicAuth } from './basicauth.js';
import { basicAuthConfig } from './config.js';

export const basicAuthExtension = defineExtension({
  type: 'basicauth',
  stability: 'beta',
  description: 'Asks clients for a user name and password, or shows one to servers (RFC 7617).',
  config: basicAuthConfig,
  create: (settings, config) => new BasicAuth(settings, config),
});
